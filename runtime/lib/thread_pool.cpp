//===-- runtime/lib/thread_pool.cpp - threads of a step -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the pool and its barrier on std::atomic, so that ThreadSanitizer
// sees every edge.
//===----------------------------------------------------------------------===//
#include "thread_pool.h"

#include <pthread.h>
#include <signal.h>
#include <system_error>

namespace rlx {

// About 0.1 ms: longer than the gap between two decode steps, shorter than
// anything a person or a scheduler notices.
constexpr uint32_t spinLimit = 4000;

/// Which of its pool's threads this is; the caller of run() is thread 0.
static thread_local uint32_t ownThread = 0;

static void pauseCpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

void WaitableCounter::advance() {
  // Sequentially consistent against waitWhile: either the sleeper sees the new
  // count before it sleeps, or we see the sleeper here.
  counter.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) == 0)
    return;
  // The lock makes sure that a sleeper that still saw the old count is waiting.
  {
    std::lock_guard<std::mutex> lock(mutex);
  }
  wake.notify_all();
}

bool WaitableCounter::waitWhile(uint32_t old, uint32_t spins) {
  for (uint32_t i = 0; i < spins; ++i) {
    if (value() != old)
      return false;
    pauseCpu();
  }
  std::unique_lock<std::mutex> lock(mutex);
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  wake.wait(lock, [&] { return counter.load(std::memory_order_seq_cst) != old; });
  sleepers.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

void Barrier::wait() {
  uint32_t current = phase.value();
  if (missing.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    missing.store(threads, std::memory_order_relaxed);
    phase.advance();
    return;
  }
  if (phase.waitWhile(current, spins))
    seats.noteAndSpread(ownThread);
}

ThreadPool::ThreadPool(uint32_t threads)
    : count(threads), spins(threads <= usableCpus() ? spinLimit : 0), seats(threads),
      stages(threads, spins, seats), finish(threads, spins, seats) {}

Expected<std::unique_ptr<ThreadPool>> ThreadPool::create(uint32_t threads) {
  std::unique_ptr<ThreadPool> pool(new ThreadPool(threads));
  // Signals are the program's business, not the workers'.
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  Status status;
  try {
    for (uint32_t i = 1; i < threads; ++i)
      pool->workers.emplace_back(&ThreadPool::work, pool.get(), i);
  } catch (const std::system_error &error) {
    status = Status(ErrorCode::OutOfMemory,
                    "cannot start " + std::to_string(threads) + " threads: " + error.what());
  }
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  if (!status.ok())
    return status;
  return pool;
}

ThreadPool::~ThreadPool() {
  function = nullptr;
  jobs.advance();
  for (std::thread &worker : workers)
    worker.join();
}

void ThreadPool::run(Function newFunction, void *newContext) {
  if (count == 1)
    return newFunction(newContext, 0, 1);
  function = newFunction;
  context = newContext;
  seats.note(0);
  jobs.advance();
  newFunction(newContext, 0, count);
  finish.wait();
}

void ThreadPool::work(uint32_t thread) {
  ownThread = thread;
  for (uint32_t job = 0;; ++job) {
    bool slept = jobs.waitWhile(job, spins);
    if (!function)
      return;
    if (slept)
      seats.noteAndSpread(thread);
    else
      seats.note(thread);
    function(context, thread, count);
    finish.wait();
  }
}

} // namespace rlx
