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
    capacity = (capacity + RLX_KV_CHUNK - 1) / RLX_KV_CHUNK * RLX_KV_CHUNK;
    uint64_t stride = capacity * rlx_kv_position_bytes(info.kv_type, info.head_dim);
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

/// Calls the step on every thread.
static void callStep(const rlx_variant_t &variant, rlx_step_args_t &args, uint32_t threads) {
  CountingBarrier barrier(threads);
  args.barrier = [](void *context) { static_cast<CountingBarrier *>(context)->wait(); };
  args.barrier_context = &barrier;
  std::vector<std::thread> others;
  for (uint32_t i = 1; i < threads; ++i)
    others.emplace_back([&, i] { variant.step(&args, i, threads); });
  variant.step(&args, 0, threads);
  for (std::thread &other : others)
    other.join();
}

std::vector<std::vector<float>> StepRun::runTogether(const std::string &name,
                                                     const std::vector<StepRun *> &runs,
                                                     const std::vector<std::vector<int32_t>> &ids) {
  const rlx_model_t &table = runs.front()->table;
  const rlx_variant_t &variant = findVariant(table, name);
  size_t seq = ids.front().size(), batch = runs.size();
  if (batch > variant.batch_max || seq > variant.seq_max || seq > variant.out_max)
    throw std::runtime_error("too many tokens for variant " + name);
  std::vector<rlx_sequence_t> sequences;
  for (size_t i = 0; i < batch; ++i) {
    if (ids[i].size() != seq || runs[i]->past + seq > table.max_context)
      throw std::runtime_error("the sequences do not fit the variant " + name);
    sequences.push_back({ids[i].data(), runs[i]->past, runs[i]->slots.data()});
    runs[i]->past += seq;
  }
  AlignedBytes workspace(variant.workspace_bytes);
  std::vector<float> logits(batch * seq * table.vocab_size);
  std::vector<float> hidden(batch * seq * table.hidden_size);
  rlx_step_args_t args = {};
  args.struct_size = sizeof(args);
  args.batch = static_cast<uint32_t>(batch);
  args.seq = seq;
  args.out_count = seq;
  args.sequences = sequences.data();
  args.weights = static_cast<const uint8_t *>(runs.front()->weights);
  args.workspace = reinterpret_cast<uint8_t *>(workspace.data());
  args.logits = logits.data();
  args.hidden = hidden.data();
  args.top = runs.front()->top;
  callStep(variant, args, runs.front()->threads);
  std::vector<std::vector<float>> results;
  for (auto row = logits.begin(); row != logits.end(); row += seq * table.vocab_size)
    results.emplace_back(row, row + seq * table.vocab_size);
  return results;
}

std::vector<float> StepRun::run(const std::string &name, const std::vector<int32_t> &ids) {
  return runTogether(name, {this}, {ids}).front();
}
