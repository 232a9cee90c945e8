//===- CodeObjects.h - From a planned module to machine code ----*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The phases that run once for each target.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_CODEOBJECTS_H
#define RLX_LIB_DRIVER_CODEOBJECTS_H

#include "PassRunner.h"
#include "rlx/Target/TargetDescription.h"

namespace rlx {

/// A target as the user named it.
struct NamedTarget {
  std::string name; ///< e.g. "native"
  TargetDescription description;
};

/// The targets of a profile: known, different, and of one architecture.
llvm::Expected<std::vector<NamedTarget>> resolveTargets(llvm::ArrayRef<std::string> names);

struct CodeObject {
  TargetDescription target;
  llvm::SmallVector<char, 0> bytes; ///< an object, or the text of --emit=llvm and asm
};

/// Runs the phase `kernels` or `llvm` on a module.
llvm::Error runTargetPhase(PassRunner &runner, mlir::ModuleOp module, Phase phase,
                           const NamedTarget &target);

/// Generates LLVM IR, assembly or an object from a module in the LLVM dialect.
llvm::Expected<CodeObject> generateCode(mlir::ModuleOp module, const NamedTarget &target,
                                        EmitKind emit, unsigned optLevel);

} // namespace rlx

#endif // RLX_LIB_DRIVER_CODEOBJECTS_H
