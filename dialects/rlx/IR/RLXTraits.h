//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The op trait that holds for every RLX op with tensors: their symbols are
// declared.

#ifndef RLX_IR_RLXTRAITS_H
#define RLX_IR_RLXTRAITS_H

#include "mlir/IR/OpDefinition.h"

namespace rlx {

/// Rules sizes_c1 and sizes_c2, for every operand and result.
llvm::LogicalResult verifySymbolicSizes(mlir::Operation *op);

template <typename ConcreteType>
struct SymbolicSizes : mlir::OpTrait::TraitBase<ConcreteType, SymbolicSizes> {
  static llvm::LogicalResult verifyTrait(mlir::Operation *op) { return verifySymbolicSizes(op); }
};

} // namespace rlx

#endif // RLX_IR_RLXTRAITS_H
