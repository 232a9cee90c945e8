//===-- runtime/lib/trace.cpp - where the time of steps goes -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the record of steps and what their stages have to do.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/trace.h"

#include <algorithm>

namespace rlx {

TraceStep &StepTrace::beginStep(const rlx_variant_t &variant, uint32_t threads) {
  TraceStep &step = list.emplace_back();
  step.variant = &variant;
  step.threads.resize(threads);
  // A wait before each stage, and one at the end: a thread must not allocate.
  for (std::vector<TraceSlice> &slices : step.threads)
    slices.reserve(2 * variant.stage_count + 1);
  return step;
}

/// Pairs of a query and a key that it sees.
static uint64_t visiblePairs(uint64_t seq, uint64_t past, uint64_t window) {
  uint64_t pairs = 0;
  for (uint64_t i = 0; i < seq; ++i)
    pairs += window ? std::min(past + i + 1, window) : past + i + 1;
  return pairs;
}

uint64_t TraceStep::operations(const rlx_stage_t &stage,
                               Span<const rlx_kv_slot_info_t> slots) const {
  uint64_t operations = rowsOf(stage) * stage.row_operations;
  if (stage.kv_slot < slots.size())
    operations += visiblePairs(seq, past, slots[stage.kv_slot].window) * stage.key_operations;
  return operations;
}

uint64_t TraceStep::bytes(const rlx_stage_t &stage, Span<const rlx_kv_slot_info_t> slots) const {
  uint64_t rows = rowsOf(stage);
  uint64_t bytes = (rows ? stage.weight_bytes : 0) + rows * stage.row_bytes;
  if (stage.kv_slot >= slots.size())
    return bytes;
  const rlx_kv_slot_info_t &slot = slots[stage.kv_slot];
  uint64_t keys = past + seq;
  if (slot.window)
    keys = std::min(keys, slot.window + seq - 1);
  return bytes + keys * 2 * slot.kv_heads * rlx_kv_position_bytes(slot.kv_type, slot.head_dim);
}

} // namespace rlx
