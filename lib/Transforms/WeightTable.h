//===- WeightTable.h - Weights made of other weights ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the fusion and folding passes do to rlx.weight symbols: make new ones out
// of others, find again what was made before, drop what is no longer used.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_TRANSFORMS_WEIGHTTABLE_H
#define RLX_LIB_TRANSFORMS_WEIGHTTABLE_H

#include "rlx/IR/RLXOps.h"

namespace rlx {

/// The names of the weights that a fused weight was made of, in order, so that
/// they can be given back: a discardable attribute of rlx.weight, of strings.
constexpr llvm::StringLiteral kPartsAttr = "rlx.parts";

/// Whether `weight` has been converted or laid out for kernels; then it is final.
bool isPacked(WeightOp weight);

class WeightTable {
public:
  explicit WeightTable(mlir::ModuleOp module) : module(module), symbols(module) {}

  WeightOp lookup(mlir::FlatSymbolRefAttr name) { return symbols.lookup<WeightOp>(name.getAttr()); }

  /// Why the matrices `parts` cannot become one, or nothing where they can.
  std::optional<std::string> whyNotCombine(llvm::ArrayRef<WeightOp> parts, Combine how);

  /// The weight that puts `parts`, which must be combinable, together.
  WeightOp combine(llvm::ArrayRef<WeightOp> parts, Combine how);

  /// The weights, one for each source, that `fused` was made of.
  llvm::SmallVector<WeightOp> takeApart(WeightOp fused);

  /// The weight that holds 1 + `gain`, in f32.
  WeightOp addOne(WeightOp gain);

  /// Erases the weights that were replaced here and that nothing uses any more.
  void eraseReplaced();

private:
  /// The weight of these properties: the one named `name` where it is the same,
  /// else a new one before `before`.
  WeightOp getOrCreate(WeightOp before, llvm::StringRef name, mlir::RankedTensorType type,
                       mlir::ArrayAttr sources, Combine combine, mlir::ArrayAttr transforms,
                       mlir::ArrayAttr parts);

  mlir::ModuleOp module;
  mlir::SymbolTable symbols;
  llvm::SetVector<mlir::StringAttr> replaced;
};

} // namespace rlx

#endif // RLX_LIB_TRANSFORMS_WEIGHTTABLE_H
