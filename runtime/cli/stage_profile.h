//===-- stage_profile.h - time by kind of stage -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Sums recorded steps up by kind of stage and compares them with the machine.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_STAGE_PROFILE_H
#define RLX_RUNTIME_CLI_STAGE_PROFILE_H

#include "rlx/runtime/machine.h"
#include "rlx/runtime/trace.h"

#include <string>
#include <vector>

namespace rlx::cli {

/// What all stages of one kind did.
struct KindProfile {
  std::string kind;   ///< as in the stage table; "wait" for waiting at barriers
  double seconds = 0; ///< mean over threads
  double share = 0;   ///< of the steps' time
  uint64_t bytes = 0, operations = 0;
  uint32_t probe = RLX_NO_INDEX; ///< what multiplies

  double bytesPerSecond() const { return seconds > 0 ? double(bytes) / seconds : 0; }
  double operationsPerSecond() const { return seconds > 0 ? double(operations) / seconds : 0; }
  /// Operations per byte; 0 without either.
  double intensity() const { return bytes ? double(operations) / double(bytes) : 0; }
  /// The share of this kind's time that the machine needs at least; 0 where nothing is counted.
  double limitShare(const MachineLimits &limits) const;
};

/// Bytes and operations of all stages of the steps.
struct StepTotals {
  uint64_t bytes = 0, operations = 0;
};
StepTotals totalsOf(const StepTrace &trace, const Model &model);

/// The kinds in the order of their time, longest first. "other" is what lies between the slices:
/// starting a step and its arguments.
std::vector<KindProfile> profileOf(const StepTrace &trace, const Model &model);

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_STAGE_PROFILE_H
