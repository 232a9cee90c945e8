//===- CodeSizes.h - What takes the room in a code object -------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Sizes of IR and machine code, for rlx-compile -v.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_CODESIZES_H
#define RLX_LIB_DRIVER_CODESIZES_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace rlx {

/// "1234 ops in 56 functions".
std::string describeIR(mlir::ModuleOp module);

/// For each variant the size of its step function and of the kernels that it calls, then
/// that of all kernels; a kernel that several variants call exists once. `object` was
/// generated from `module`, which is in the LLVM dialect. Every line ends with "\n".
llvm::Expected<std::string> describeCode(mlir::ModuleOp module, llvm::ArrayRef<char> object);

} // namespace rlx

#endif // RLX_LIB_DRIVER_CODESIZES_H
