//===-- runtime/lib/thread_pool.h - threads of a step -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Runs one function on N threads at a time, with a barrier between its stages.
// Waiting threads spin briefly, then sleep.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_THREAD_POOL_H
#define RLX_RUNTIME_LIB_THREAD_POOL_H

#include "cpu_seats.h"
#include "rlx/runtime/status.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rlx {

/// A counter that threads can wait on until it changes.
class WaitableCounter {
public:
  uint32_t value() const { return counter.load(std::memory_order_acquire); }
  /// Adds one and wakes all waiters.
  void advance();
  /// Returns once the counter differs from `old`, after spinning up to `spins`
  /// times before it sleeps; whether it slept.
  bool waitWhile(uint32_t old, uint32_t spins);

private:
  std::atomic<uint32_t> counter{0};
  std::atomic<uint32_t> sleepers{0};
  std::mutex mutex;
  std::condition_variable wake;
};

/// Holds threads until all of them have arrived; reusable at once.
class Barrier {
public:
  Barrier(uint32_t threads, uint32_t spins, CpuSeats &seats)
      : threads(threads), spins(spins), seats(seats), missing(threads) {}
  void wait();

private:
  const uint32_t threads;
  const uint32_t spins;
  CpuSeats &seats;
  // Apart, so that arrivals do not disturb those who wait.
  alignas(64) std::atomic<uint32_t> missing;
  alignas(64) WaitableCounter phase;
};

/// N - 1 workers and the caller, who is thread 0.
class ThreadPool {
public:
  using Function = void (*)(void *context, uint32_t thread, uint32_t threads);

  static Expected<std::unique_ptr<ThreadPool>> create(uint32_t threads);
  ~ThreadPool();

  /// Calls function(context, i, threads()) once for each i, concurrently, and
  /// returns when all calls have. Not reentrant.
  void run(Function function, void *context);
  uint32_t threads() const { return count; }
  /// For the functions that run() has started.
  Barrier &barrier() { return stages; }

private:
  explicit ThreadPool(uint32_t threads);
  void work(uint32_t thread);

  const uint32_t count;
  const uint32_t spins;
  CpuSeats seats;
  Barrier stages;
  Barrier finish;
  WaitableCounter jobs;
  Function function = nullptr; // null tells the workers to leave
  void *context = nullptr;
  std::vector<std::thread> workers;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_THREAD_POOL_H
