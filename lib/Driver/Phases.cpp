//===- Phases.cpp - The phases of a compile -------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Names and summaries.
//===----------------------------------------------------------------------===//
#include "rlx/Driver/Phases.h"

using namespace rlx;

static constexpr PhaseInfo kPhases[] = {
    {Phase::Import, "import", "checkpoint to RLX: one prefill and one decode function"},
    {Phase::Fuse, "fuse", "fuse ops and weights, as the profile's 'fusion' says"},
    {Phase::Fold, "fold", "compute at compile time what does not depend on tokens"},
    {Phase::Specialize, "specialize", "make variants for ranges of SEQ and PAST_SEQ"},
    {Phase::Plan, "plan", "choose types and layouts of weights, place results in memory"},
    {Phase::Kernels, "kernels", "step functions that call kernels, for one target"},
    {Phase::Llvm, "llvm", "the LLVM dialect, with the model table"},
    {Phase::Object, "object", "machine code"},
    {Phase::Binary, "binary", "link, pack weights, write the model binary"},
};

llvm::ArrayRef<PhaseInfo> rlx::getPhases() { return kPhases; }

std::optional<Phase> rlx::parsePhase(llvm::StringRef name) {
  for (const PhaseInfo &info : kPhases)
    if (info.name == name)
      return info.phase;
  return std::nullopt;
}
