//===-- runtime/lib/machine.cpp - what the machine can do -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the loops over memory and runs the model's probes.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/machine.h"

#include "memory.h"
#include "no_sanitize.h"
#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>

namespace rlx {

// Several times the caches of the machines that run models.
constexpr uint64_t readBytes = uint64_t(256) << 20;
constexpr uint64_t lineBytes = 64, prefetchBytes = 1024;
constexpr int runsOfEach = 3;

const BandwidthSample &MachineLimits::best() const {
  return *std::max_element(bandwidth.begin(), bandwidth.end(),
                           [](const BandwidthSample &a, const BandwidthSample &b) {
                             return a.bytesPerSecond < b.bytesPerSecond;
                           });
}

namespace {
using Vector = uint64_t __attribute__((vector_size(16), aligned(16), may_alias));

/// A function to run on every thread, timed.
struct Work {
  std::function<void(uint32_t thread, uint32_t threads)> run;
};
} // namespace

static void runWork(void *context, uint32_t thread, uint32_t threads) {
  static_cast<const Work *>(context)->run(thread, threads);
}

/// Seconds of the fastest of a few runs.
static double fastest(ThreadPool &pool, Work work) {
  double best = 0;
  for (int i = 0; i < runsOfEach; ++i) {
    auto start = std::chrono::steady_clock::now();
    pool.run(runWork, &work);
    std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = i == 0 ? taken.count() : std::min(best, taken.count());
  }
  return best;
}

/// Bytes of one of so many ranges. Not a round number: caches and memory banks would
/// put lines at a power of two from each other into one place.
static uint64_t rangeBytes(uint64_t bytes, uint32_t streams) {
  constexpr uint64_t shift = 67;
  return (bytes / streams / lineBytes - shift) * lineBytes;
}

/// Reads so many ranges, one line of each in turn.
template <uint32_t Streams, bool Prefetch>
static uint64_t readRanges(const uint8_t *begin, uint64_t bytes) {
  const uint64_t range = rangeBytes(bytes, Streams);
  Vector sums[4] = {};
  for (uint64_t offset = 0; offset < range; offset += lineBytes) {
#pragma GCC unroll 16
    for (uint32_t stream = 0; stream < Streams; ++stream) {
      const uint8_t *line = begin + stream * range + offset;
      if (Prefetch)
        __builtin_prefetch(line + prefetchBytes);
      const auto *vectors = reinterpret_cast<const Vector *>(line);
      sums[0] |= vectors[0];
      sums[1] |= vectors[1];
      sums[2] |= vectors[2];
      sums[3] |= vectors[3];
    }
  }
  Vector sum = sums[0] | sums[1] | sums[2] | sums[3];
  return sum[0] | sum[1];
}

namespace {
struct Pattern {
  uint32_t streams;
  bool prefetch;
  uint64_t (*read)(const uint8_t *begin, uint64_t bytes);
};
} // namespace

static const Pattern Patterns[] = {
    {1, false, readRanges<1, false>},   {1, true, readRanges<1, true>},
    {4, false, readRanges<4, false>},   {4, true, readRanges<4, true>},
    {8, false, readRanges<8, false>},   {8, true, readRanges<8, true>},
    {16, false, readRanges<16, false>}, {16, true, readRanges<16, true>},
};

static Status measureBandwidth(ThreadPool &pool, MachineLimits &limits) {
  // The prefetches of the last lines go beyond the end.
  Expected<Buffer> buffer = Buffer::create(readBytes + prefetchBytes, /*guard=*/false);
  if (!buffer)
    return buffer.status();
  uint8_t *memory = buffer->tail(readBytes + prefetchBytes);
  const uint64_t share = readBytes / pool.threads() / lineBytes * lineBytes;
  // Each thread touches its own part first, so that it lies near to it.
  fastest(pool,
          {[&](uint32_t thread, uint32_t) { std::memset(memory + thread * share, 1, share); }});
  std::atomic<uint64_t> sink{0};
  for (const Pattern &pattern : Patterns) {
    double seconds = fastest(pool, {[&](uint32_t thread, uint32_t) {
                               sink |= pattern.read(memory + thread * share, share);
                             }});
    uint64_t bytes = rangeBytes(share, pattern.streams) * pattern.streams * pool.threads();
    limits.bandwidth.push_back(
        {pattern.streams, pattern.prefetch, static_cast<double>(bytes) / seconds});
  }
  return Status();
}

RLX_NO_SANITIZE_FUNCTION
static void runProbe(const rlx_probe_t &probe, uint8_t *memory, uint64_t rounds) {
  probe.run(memory, rounds);
}

static Status measurePeaks(const Model &model, ThreadPool &pool, MachineLimits &limits) {
  const uint64_t bytes = uint64_t(pool.threads()) * RLX_PROBE_BYTES;
  Expected<Buffer> buffer = Buffer::create(bytes, /*guard=*/false);
  if (!buffer)
    return buffer.status();
  uint8_t *memory = buffer->tail(bytes);
  const rlx_model_t &table = model.table();
  for (uint32_t i = 0; i < table.probe_count; ++i) {
    const rlx_probe_t &probe = table.probes[i];
    // 0.0115 in f32 and bf16, 60 in int8: sums stay far from every limit.
    std::memset(memory, 0x3c, bytes);
    auto seconds = [&](uint64_t rounds) {
      return fastest(pool, {[&](uint32_t thread, uint32_t) {
                       runProbe(probe, memory + uint64_t(thread) * RLX_PROBE_BYTES, rounds);
                     }});
    };
    uint64_t rounds = 1000;
    while (seconds(rounds) < 0.01 && rounds < uint64_t(1) << 40)
      rounds *= 4;
    limits.peaks.push_back(
        {probe.name,
         static_cast<double>(rounds * probe.operations * pool.threads()) / seconds(rounds)});
  }
  return Status();
}

Expected<MachineLimits> measureMachine(const Model &model, uint32_t threads) {
  return guarded([&]() -> Expected<MachineLimits> {
    Expected<std::unique_ptr<ThreadPool>> pool =
        ThreadPool::create(threads ? threads : model.defaultThreads());
    if (!pool)
      return pool.status();
    MachineLimits limits;
    if (Status status = measureBandwidth(**pool, limits); !status.ok())
      return status;
    if (Status status = measurePeaks(model, **pool, limits); !status.ok())
      return status;
    return limits;
  });
}

} // namespace rlx
