//===- CompiledModel.h - Modules compiled and loaded in process -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes a module with planned memory and placed weights to loaded code.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_CONVERSION_COMPILEDMODEL_H
#define RLX_TEST_UNIT_CONVERSION_COMPILEDMODEL_H

#include "mlir/IR/BuiltinOps.h"
#include "rlx/runtime/abi.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace rlx::test {

/// Compiles a copy of `module` to a shared object, whose code checks its loads and
/// stores if `sanitize`.
llvm::Expected<llvm::SmallVector<char, 0>>
compileToSharedObject(mlir::ModuleOp module, llvm::StringRef targetCpu, bool sanitize = false);

/// A shared object that stays loaded until the process ends.
llvm::Expected<const rlx_model_t *> loadSharedObject(llvm::ArrayRef<char> object);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_CONVERSION_COMPILEDMODEL_H
