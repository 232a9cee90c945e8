//===- SymbolBinding.h - Symbols replaced by constants ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Narrows and binds the symbols of one function.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_TRANSFORMS_SYMBOLBINDING_H
#define RLX_LIB_TRANSFORMS_SYMBOLBINDING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "rlx/IR/RLXOps.h"

namespace rlx {

/// Gives `function` the `ranges` (of symbols that are declared at it) in addition
/// to those that it has. A symbol whose range is one value becomes that value in
/// every type of the function.
void narrowSymbols(mlir::func::FuncOp function, llvm::ArrayRef<SymbolAttr> ranges);

} // namespace rlx

#endif // RLX_LIB_TRANSFORMS_SYMBOLBINDING_H
