//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// What the verifiers of the dialect share: comparison of symbolic sizes, weights
// and slots looked up with an error.

#ifndef RLX_IR_VERIFICATION_H
#define RLX_IR_VERIFICATION_H

#include "rlx/IR/RLXOps.h"

namespace rlx {

/// One size for each dimension, as text: "PAST_SEQ + SEQ", "256".
using Sizes = llvm::SmallVector<std::string, 4>;

/// The sizes of a ranked tensor type. Encodings are canonical, so that equal
/// sizes have equal text.
Sizes getSizes(mlir::Type type);

/// The text of PAST_SEQ + (size of dimension i of `type`).
std::string getPastPlus(mlir::Type type, unsigned i);

/// Checks rank and every size of `type`, which errors call `name`.
llvm::LogicalResult verifySizes(mlir::Operation *op, llvm::StringRef name, mlir::Type type,
                                llvm::ArrayRef<std::string> expected);

llvm::LogicalResult verifyRank(mlir::Operation *op, llvm::StringRef name, mlir::Type type,
                               int64_t rank);

/// Checks that `value`, if given, is a positive, finite number.
llvm::LogicalResult verifyPositive(mlir::Operation *op, llvm::StringRef name,
                                   std::optional<llvm::APFloat> value);

/// The weight `name`, which must have `rank`.
llvm::FailureOr<WeightOp> lookupWeight(mlir::Operation *op, mlir::SymbolTableCollection &symbols,
                                       mlir::FlatSymbolRefAttr name, int64_t rank);

/// Checks that `name` is a vector of `size` floats, as norm gains are.
llvm::LogicalResult verifyGain(mlir::Operation *op, mlir::SymbolTableCollection &symbols,
                               mlir::FlatSymbolRefAttr name, int64_t size);

/// Checks angles [batch, rows, 2, dim/2] for heads [batch, rows, heads, head_dim].
llvm::LogicalResult verifyAngles(mlir::Operation *op, mlir::Type angles, mlir::Type heads);

/// The type of the ids where `op` is in a function with a role, else null.
mlir::RankedTensorType getForwardIds(mlir::Operation *op);

/// The last size of `type`, which must be static.
llvm::FailureOr<int64_t> getLastSize(mlir::Operation *op, llvm::StringRef name, mlir::Type type);

} // namespace rlx

#endif // RLX_IR_VERIFICATION_H
