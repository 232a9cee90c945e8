//===-- ThreadPoolTest.cpp - threads and barriers -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The pool runs each index once, barriers separate stages, sleepers wake.
//===----------------------------------------------------------------------===//
#include "cpu_count.h"
#include "thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>

using namespace rlx;

namespace {
/// Each stage sums what all threads wrote in the stage before.
struct Stages {
  ThreadPool *pool;
  std::vector<uint64_t> even, odd;
  int stages;
};
} // namespace

static void runStages(void *context, uint32_t thread, uint32_t threads) {
  auto *data = static_cast<Stages *>(context);
  for (int stage = 0; stage < data->stages; ++stage) {
    auto &from = stage % 2 ? data->odd : data->even;
    auto &to = stage % 2 ? data->even : data->odd;
    to[thread] = std::accumulate(from.begin(), from.end(), thread) % 1000003;
    data->pool->barrier().wait();
  }
}

TEST(ThreadPool, BarriersSeparateStages) {
  for (uint32_t threads : {1u, 2u, 3u, 5u, 16u}) {
    auto pool = std::move(*ThreadPool::create(threads));
    Stages parallel{pool.get(), std::vector<uint64_t>(threads, 1), std::vector<uint64_t>(threads),
                    200};
    for (int round = 0; round < 5; ++round)
      pool->run(runStages, &parallel);

    std::vector<uint64_t> from(threads, 1), to(threads);
    for (int stage = 0; stage < 1000; ++stage) {
      for (uint32_t thread = 0; thread < threads; ++thread)
        to[thread] = std::accumulate(from.begin(), from.end(), thread) % 1000003;
      std::swap(from, to);
    }
    EXPECT_EQ(parallel.even, from) << threads << " threads";
  }
}

TEST(ThreadPool, WorkersThatSleepAreWoken) {
  auto pool = std::move(*ThreadPool::create(3));
  std::atomic<int> calls{0};
  auto count = [](void *context, uint32_t, uint32_t) {
    ++*static_cast<std::atomic<int> *>(context);
  };
  for (int round = 1; round <= 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool->run(count, &calls);
    EXPECT_EQ(calls, 3 * round);
  }
}

TEST(ThreadPool, CountsAtLeastOneCore) {
  EXPECT_GE(usableCores(), 1u);
  EXPECT_LE(usableCores(), usableCpus());
}
