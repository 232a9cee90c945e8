//===-- runtime/lib/cpu_seats.cpp - a CPU for each thread -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Moves a thread by an affinity mask of one CPU, then puts its mask back.
//===----------------------------------------------------------------------===//
#include "cpu_seats.h"

#include <algorithm>
#include <sched.h>

namespace rlx {

CpuSeats::CpuSeats(uint32_t threads) : taken(threads) {
  for (std::atomic<int> &cpu : taken)
    cpu.store(-1, std::memory_order_relaxed);
  if (threads > 1 && threads <= usableCpus())
    cpus = usableCpuList();
}

void CpuSeats::note(uint32_t thread) {
  taken[thread].store(sched_getcpu(), std::memory_order_relaxed);
}

void CpuSeats::noteAndSpread(uint32_t thread) {
  note(thread);
  // A system that does not tell where threads run has them all at -1.
  if (!cpus.empty() && cpuOf(thread) >= 0 && isTaken(cpuOf(thread), thread))
    move(thread);
}

bool CpuSeats::isTaken(int cpu, uint32_t exceptBy) const {
  for (uint32_t thread = 0; thread < taken.size(); ++thread)
    if (thread != exceptBy && cpuOf(thread) == cpu)
      return true;
  return false;
}

bool CpuSeats::isCoreTaken(uint32_t core, uint32_t exceptBy) const {
  return std::any_of(cpus.begin(), cpus.end(), [&](const UsableCpu &cpu) {
    return cpu.core == core && isTaken(cpu.cpu, exceptBy);
  });
}

void CpuSeats::move(uint32_t thread) {
  // The mask of now: it may have changed since the pool was made.
  cpu_set_t before;
  if (sched_getaffinity(0, sizeof(before), &before) != 0)
    return;
  const UsableCpu *free = nullptr;
  for (const UsableCpu &cpu : cpus) {
    if (!CPU_ISSET(cpu.cpu, &before) || isTaken(cpu.cpu, thread))
      continue;
    bool ownCore = !isCoreTaken(cpu.core, thread);
    if (!free || ownCore)
      free = &cpu;
    if (ownCore)
      break;
  }
  if (!free)
    return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(free->cpu, &one);
  // A container may forbid it; then the thread stays where it is.
  if (sched_setaffinity(0, sizeof(one), &one) != 0)
    return;
  taken[thread].store(free->cpu, std::memory_order_relaxed);
  sched_setaffinity(0, sizeof(before), &before);
}

} // namespace rlx
