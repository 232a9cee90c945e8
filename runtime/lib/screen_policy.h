//===-- runtime/lib/screen_policy.h - when to screen the head -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Decides whether a step looks for the greatest logits with a coarse copy of the
// head's weight first, from how much of the head had to be computed lately.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_SCREEN_POLICY_H
#define RLX_RUNTIME_LIB_SCREEN_POLICY_H

#include "rlx/runtime/span.h"

#include "rlx/runtime/abi.h"

#include <cstdint>

namespace rlx {

class ScreenPolicy {
public:
  /// Steps between two that try whether it would pay by now.
  static constexpr uint64_t probeInterval = 64;
  /// Part of the head's bytes that must be saved.
  static constexpr double leastGain = 0.05;

  /// Of a model whose head has no coarse copy: never.
  ScreenPolicy() = default;
  /// Reads what the copy and the head weigh from a decode variant's stages.
  explicit ScreenPolicy(const rlx_variant_t &variant);

  bool possible() const { return coarseBytes != 0; }
  /// Whether the next step shall screen.
  bool choose();
  /// A step that screened had to compute so much of the head, 0 to 1.
  void observe(double kept);

private:
  bool pays() const;

  uint64_t coarseBytes = 0, exactBytes = 0;
  double kept = 0; ///< running mean
  uint64_t waited = 0;
};

/// The part of a row's logits, in groups of 16, that are not all -infinity.
double keptPart(Span<const float> logits);

} // namespace rlx

#endif // RLX_RUNTIME_LIB_SCREEN_POLICY_H
