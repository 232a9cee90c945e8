//===- Settings.h - A profile in the terms of the passes --------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// What a resolved profile means to importer, passes and code generation, after the
// backend has had its say.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_SETTINGS_H
#define RLX_LIB_DRIVER_SETTINGS_H

#include "rlx/Driver/Profile.h"
#include "rlx/Import/ImportModel.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {

struct Settings {
  ImportOptions import;
  FusionOptions fusion;
  SpecializeOptions specialize;
  PackWeightsOptions weights;
  std::string screenHead;
  GenericOps genericOps;
  std::vector<std::string> targets; ///< as --target-cpu spells them
  unsigned optLevel = 3;
  /// What the CPU backend does otherwise than the profile asks, a line each.
  std::vector<std::string> overrides;
};

Settings resolveSettings(const Profile &profile);

/// Checks what no value says by itself: that the ends of ladders in use are powers of
/// two, ascending.
llvm::Error checkLadders(const Profile &profile);

} // namespace rlx

#endif // RLX_LIB_DRIVER_SETTINGS_H
