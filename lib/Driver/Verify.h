//===- Verify.h - Compiled code against the interpreter ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// rlx-compile --verify: runs a few tokens on a model binary and on the module that
// it was made from, and compares the logits.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_VERIFY_H
#define RLX_LIB_DRIVER_VERIFY_H

#include "Console.h"
#include "mlir/IR/BuiltinOps.h"
#include "rlx/Import/WeightSource.h"

namespace rlx {

/// Compares the code for each of `targets` in the model binary at `path` with the
/// interpretation of `module` (after the phase plan). An error if the largest
/// difference is beyond what the types of weights and cache explain.
llvm::Error verifyModel(llvm::StringRef path, mlir::ModuleOp module, const WeightSource &weights,
                        llvm::ArrayRef<std::string> targets, Console &console);

} // namespace rlx

#endif // RLX_LIB_DRIVER_VERIFY_H
