//===- ForwardFunctions.h - The functions that passes work on ---*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds the forward functions of a module and runs patterns on them.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_TRANSFORMS_FORWARDFUNCTIONS_H
#define RLX_LIB_TRANSFORMS_FORWARDFUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "rlx/IR/RLXOps.h"

namespace rlx {

/// The role of a forward function, or nullopt where `function` is none.
std::optional<Role> getRole(mlir::func::FuncOp function);

/// The functions of one block, in module order, whose role is named `role`
/// (empty: with and without role). An error at `module` where no role has that name.
mlir::FailureOr<llvm::SmallVector<mlir::func::FuncOp>> getFunctions(mlir::ModuleOp module,
                                                                    llvm::StringRef role = "");

/// Applies `patterns` to the functions of `role` until none matches.
mlir::LogicalResult rewriteFunctions(mlir::ModuleOp module, llvm::StringRef role,
                                     mlir::RewritePatternSet patterns);

/// `type` with `columns` as the size of its last dimension.
mlir::RankedTensorType withColumns(mlir::RankedTensorType type, int64_t columns);

/// The range that `symbol` has at `op`, or an error there.
mlir::FailureOr<SymbolAttr> getRange(mlir::Operation *op, llvm::StringRef symbol);

/// BATCH * SEQ at most, or an error at `function`. Sizes computed from it do not overflow.
mlir::FailureOr<int64_t> getMaxTokens(mlir::func::FuncOp function);

} // namespace rlx

#endif // RLX_LIB_TRANSFORMS_FORWARDFUNCTIONS_H
