//===- StepRun.cpp - Runs the steps of a loaded model ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Cache planes, threads and a barrier.
//
//===----------------------------------------------------------------------===//
#include "StepRun.h"
#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>

using namespace rlx::test;

namespace {
class CountingBarrier {
public:
  explicit CountingBarrier(uint32_t threads) : threads(threads) {}

  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    uint64_t mine = generation;
    if (++waiting == threads) {
      waiting = 0;
      ++generation;
      changed.notify_all();
      return;
    }
    changed.wait(lock, [&] { return generation != mine; });
  }

private:
  uint32_t threads, waiting = 0;
  uint64_t generation = 0;
  std::mutex mutex;
  std::condition_variable changed;
};
} // namespace

static size_t roundUp(size_t size) {
  return (size + RLX_ALIGNMENT - 1) / RLX_ALIGNMENT * RLX_ALIGNMENT;
}

AlignedBytes::AlignedBytes(size_t size)
    : memory(static_cast<char *>(std::aligned_alloc(RLX_ALIGNMENT, roundUp(size))), std::free) {
  std::memset(memory.get(), 0xff, roundUp(size));
}

static uint64_t maxSeq(const rlx_model_t &table) {
  uint64_t seq = 1;
  for (uint32_t i = 0; i < table.variant_count; ++i)
    seq = std::max(seq, table.variants[i].seq_max);
  return seq;
}

StepRun::StepRun(const rlx_model_t &table, const void *weights, uint32_t threads)
    : table(table), weights(weights), threads(threads) {
  for (uint32_t i = 0; i < table.kv_slot_count; ++i) {
    const rlx_kv_slot_info_t &info = table.kv_slots[i];
    uint64_t capacity = info.window ? info.window - 1 + maxSeq(table) : table.max_context;
    capacity = (capacity + RLX_KV_BLOCK - 1) / RLX_KV_BLOCK * RLX_KV_BLOCK;
    uint64_t stride = capacity * info.head_dim * (info.kv_type == RLX_KV_F32 ? 4 : 2);
    planes.emplace_back(stride * info.kv_heads);
    char *keys = planes.back().data();
    planes.emplace_back(stride * info.kv_heads);
    char *values = planes.back().data();
    slots.push_back({keys, values, stride, stride, capacity});
  }
}

static const rlx_variant_t &findVariant(const rlx_model_t &table, const std::string &name) {
  for (uint32_t i = 0; i < table.variant_count; ++i)
    if (name == table.variants[i].name)
      return table.variants[i];
  throw std::runtime_error("no variant " + name);
}

std::vector<float> StepRun::run(const std::string &name, const std::vector<int32_t> &ids) {
  const rlx_variant_t &variant = findVariant(table, name);
  if (ids.size() > variant.seq_max || ids.size() > variant.out_max || past > variant.past_max)
    throw std::runtime_error("too many tokens for variant " + name);
  AlignedBytes workspace(variant.workspace_bytes);
  std::vector<float> logits(ids.size() * table.vocab_size);
  std::vector<float> hidden(ids.size() * table.hidden_size);
  CountingBarrier barrier(threads);
  rlx_sequence_t sequence{ids.data(), past, slots.data()};
  rlx_step_args_t args = {};
  args.struct_size = sizeof(args);
  args.batch = 1;
  args.seq = ids.size();
  args.out_count = ids.size();
  args.sequences = &sequence;
  args.weights = static_cast<const uint8_t *>(weights);
  args.workspace = reinterpret_cast<uint8_t *>(workspace.data());
  args.logits = logits.data();
  args.hidden = hidden.data();
  args.barrier = [](void *context) { static_cast<CountingBarrier *>(context)->wait(); };
  args.barrier_context = &barrier;
  std::vector<std::thread> others;
  for (uint32_t i = 1; i < threads; ++i)
    others.emplace_back([&, i] { variant.step(&args, i, threads); });
  variant.step(&args, 0, threads);
  for (std::thread &other : others)
    other.join();
  past += ids.size();
  return logits;
}
