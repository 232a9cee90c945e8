//===-- CpuSeatsTest.cpp - a CPU for each thread -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// A thread that is on another's CPU goes to a free one, and may then run where
// it might before; one whose CPU is its own stays.
//===----------------------------------------------------------------------===//
#include "cpu_seats.h"

#include <gtest/gtest.h>

#include <functional>
#include <sched.h>
#include <thread>

using namespace rlx;

static cpu_set_t affinity() {
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  return set;
}

static void setAffinity(const cpu_set_t &set) {
  ASSERT_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

static cpu_set_t only(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return set;
}

/// Runs `function` in a thread of its own, whose affinity may be changed.
static void inThread(const std::function<void()> &function) { std::thread(function).join(); }

/// Notes thread 0 on that CPU.
static void seatFirst(CpuSeats &seats, int cpu) {
  inThread([&] {
    setAffinity(only(cpu));
    seats.note(0);
  });
  ASSERT_EQ(seats.cpuOf(0), cpu);
}

/// Where thread 1 is after it was woken on the CPU, and might have run on any.
static int spreadFrom(CpuSeats &seats, int cpu) {
  inThread([&] {
    const cpu_set_t all = affinity();
    // The scheduler may take a thread off a CPU that it need not stay on: until it does not.
    int before;
    do {
      setAffinity(only(cpu));
      setAffinity(all);
      before = sched_getcpu();
      seats.noteAndSpread(1);
    } while (before != cpu);
    const cpu_set_t now = affinity();
    EXPECT_TRUE(CPU_EQUAL(&now, &all));
  });
  return seats.cpuOf(1);
}

TEST(CpuSeats, ThreadOnTheCpuOfAnotherMovesAndKeepsItsAffinity) {
  std::vector<UsableCpu> cpus = usableCpuList();
  if (cpus.size() < 2)
    GTEST_SKIP() << "one CPU";
  for (const UsableCpu &cpu : cpus) {
    CpuSeats seats(2);
    seatFirst(seats, cpu.cpu);
    EXPECT_NE(spreadFrom(seats, cpu.cpu), cpu.cpu);
  }
}

TEST(CpuSeats, ThreadThatMayNotLeaveStays) {
  const int cpu = usableCpuList().front().cpu;
  CpuSeats seats(2);
  seatFirst(seats, cpu);
  inThread([&] {
    const cpu_set_t own = only(cpu);
    setAffinity(own);
    seats.noteAndSpread(1);
    EXPECT_EQ(seats.cpuOf(1), cpu);
    const cpu_set_t now = affinity();
    EXPECT_TRUE(CPU_EQUAL(&now, &own));
  });
}

TEST(CpuSeats, ThreadAloneOnItsCpuStays) {
  std::vector<UsableCpu> cpus = usableCpuList();
  if (cpus.size() < 2)
    GTEST_SKIP() << "one CPU";
  CpuSeats seats(2);
  seatFirst(seats, cpus[0].cpu);
  inThread([&] {
    setAffinity(only(cpus[1].cpu));
    seats.noteAndSpread(1);
    EXPECT_EQ(seats.cpuOf(1), cpus[1].cpu);
  });
}

TEST(CpuSeats, MoreThreadsThanCpusStayWhereTheyAre) {
  const std::vector<UsableCpu> cpus = usableCpuList();
  CpuSeats seats(static_cast<uint32_t>(cpus.size()) + 1);
  const int cpu = cpus.front().cpu;
  seatFirst(seats, cpu);
  // A thread that were moved would never be there.
  int stays = 0;
  for (int i = 0; i < 100 && !stays; ++i)
    stays = spreadFrom(seats, cpu) == cpu;
  EXPECT_TRUE(stays);
}
