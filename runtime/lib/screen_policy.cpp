//===-- runtime/lib/screen_policy.cpp - when to screen the head -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the policy. Decoding waits for memory, so that bytes stand for time.
//===----------------------------------------------------------------------===//
#include "screen_policy.h"

#include <algorithm>
#include <cmath>

namespace rlx {

/// Weight of the latest step in the running mean.
constexpr double freshness = 0.25;

/// Logits that are kept or dropped together.
constexpr uint64_t groupSize = 16;

ScreenPolicy::ScreenPolicy(const rlx_variant_t &variant) {
  for (uint64_t i = 0; i < variant.stage_count; ++i) {
    const rlx_stage_t &stage = variant.stages[i];
    if (stage.rows == RLX_ROWS_TOP)
      coarseBytes += stage.weight_bytes;
    else if (stage.rows == RLX_ROWS_OUT)
      exactBytes = std::max(exactBytes, stage.weight_bytes);
  }
}

bool ScreenPolicy::pays() const {
  return static_cast<double>(coarseBytes) <
         (1 - leastGain - kept) * static_cast<double>(exactBytes);
}

bool ScreenPolicy::choose() {
  if (!possible())
    return false;
  if (!pays() && ++waited < probeInterval)
    return false;
  waited = 0;
  return true;
}

void ScreenPolicy::observe(double part) { kept += freshness * (part - kept); }

double keptPart(Span<const float> logits) {
  uint64_t groups = (logits.size() + groupSize - 1) / groupSize, found = 0;
  for (uint64_t group = 0; group < groups; ++group)
    found += logits[group * groupSize] != -INFINITY;
  return static_cast<double>(found) / static_cast<double>(groups);
}

} // namespace rlx
