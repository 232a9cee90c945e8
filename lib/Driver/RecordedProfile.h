//===- RecordedProfile.h - Profiles kept in modules -------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A module that is written between phases takes its profile along.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_RECORDEDPROFILE_H
#define RLX_LIB_DRIVER_RECORDEDPROFILE_H

#include "mlir/IR/BuiltinOps.h"
#include "rlx/Driver/Profile.h"

namespace rlx {

/// Sets the module attribute `rlx.profile`: the value of every qualified key.
void recordProfile(mlir::ModuleOp module, const Profile &profile);

/// The profile that `module`, read from `file`, was compiled with so far; nothing where
/// it has no such attribute.
llvm::Expected<std::optional<Profile>> readRecordedProfile(mlir::ModuleOp module,
                                                           llvm::StringRef file);

/// Refuses values other than the recorded ones for keys that took effect in a phase up
/// to `passed`.
llvm::Error checkPassedKeys(const Profile &recorded, const Profile &profile, Phase passed);

} // namespace rlx

#endif // RLX_LIB_DRIVER_RECORDEDPROFILE_H
