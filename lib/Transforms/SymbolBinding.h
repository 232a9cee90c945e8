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

/// Gives `function` the range `range` of a symbol, in place of an earlier one.
void narrowSymbol(mlir::func::FuncOp function, SymbolAttr range);

/// Narrows `symbol` to one value and replaces it by that in every type.
void bindSymbol(mlir::func::FuncOp function, mlir::StringAttr symbol, int64_t value);

} // namespace rlx

#endif // RLX_LIB_TRANSFORMS_SYMBOLBINDING_H
