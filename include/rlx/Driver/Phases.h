//===- Phases.h - The phases of a compile -----------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The one list of phases, from which --list-phases, --stop-after, --resume-from
// and the order of work follow.
//===----------------------------------------------------------------------===//
#ifndef RLX_DRIVER_PHASES_H
#define RLX_DRIVER_PHASES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace rlx {

enum class Phase { Import, Fuse, Fold, Specialize, Plan, Kernels, Llvm, Object, Binary };

struct PhaseInfo {
  Phase phase;
  llvm::StringLiteral name;
  llvm::StringLiteral summary;
};

/// Every phase, in the order in which they run.
llvm::ArrayRef<PhaseInfo> getPhases();

inline const PhaseInfo &getPhaseInfo(Phase phase) { return getPhases()[static_cast<int>(phase)]; }

std::optional<Phase> parsePhase(llvm::StringRef name);

/// Whether what the phase makes is MLIR, which can be printed and resumed from.
inline bool isTextual(Phase phase) { return phase <= Phase::Llvm; }

} // namespace rlx

#endif // RLX_DRIVER_PHASES_H
