//===-- runtime/lib/cpu_seats.h - a CPU for each thread -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Keeps threads that work together on CPUs of their own, without pinning them.
//
// Linux may wake a thread on the CPU of the one that wakes it, though its own
// is idle. Threads that then take turns on one CPU sleep at every barrier, so
// that load balancing sees but one at a time that wants to run, and leaves
// them there, for tens of milliseconds.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_CPU_SEATS_H
#define RLX_RUNTIME_LIB_CPU_SEATS_H

#include "cpu_count.h"

#include <atomic>
#include <cstdint>
#include <vector>

namespace rlx {

class CpuSeats {
public:
  /// Seats for threads 0 … threads - 1; without effect if the process has fewer CPUs.
  explicit CpuSeats(uint32_t threads);

  /// Notes where the calling thread runs.
  void note(uint32_t thread);
  /// Notes where the calling thread runs, which has just been woken; moves it
  /// first if another thread is there and a CPU is free, best one whose core
  /// is. It may run where it might before: its affinity is put back.
  void noteAndSpread(uint32_t thread);
  /// Where the thread was last, -1 before it was anywhere.
  int cpuOf(uint32_t thread) const { return taken[thread].load(std::memory_order_relaxed); }

private:
  bool isTaken(int cpu, uint32_t exceptBy) const;
  bool isCoreTaken(uint32_t core, uint32_t exceptBy) const;
  void move(uint32_t thread);

  std::vector<UsableCpu> cpus; // empty: without effect
  std::vector<std::atomic<int>> taken;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_CPU_SEATS_H
