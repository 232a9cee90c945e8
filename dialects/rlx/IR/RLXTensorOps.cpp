//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verifiers of the ops on activations.

#include "rlx/IR/RLXOps.h"

using namespace mlir;
using namespace rlx;

#define GET_OP_CLASSES
#include "rlx/IR/RLXOps.cpp.inc"

static FailureOr<WeightOp> lookupWeight(Operation *op, SymbolTableCollection &symbols,
                                        FlatSymbolRefAttr name) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(op, name);
  if (!weight)
    return op->emitOpError("expected a weight named ") << name;
  return weight;
}

static int64_t lastDim(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

LogicalResult EmbeddingOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return lookupWeight(*this, symbols, getWeightAttr());
}
LogicalResult RmsNormOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return lookupWeight(*this, symbols, getWeightAttr());
}
LogicalResult LinearOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (getNormAttr() && failed(lookupWeight(*this, symbols, getNormAttr())))
    return failure();
  return lookupWeight(*this, symbols, getWeightAttr());
}

LogicalResult EmbeddingOp::verify() { return success(); }

LogicalResult RmsNormOp::verify() {
  if (getInput().getType() != getResult().getType())
    return emitOpError("expected result type ")
           << getInput().getType() << " but got " << getResult().getType();
  return success();
}

LogicalResult LinearOp::verify() {
  if (getNorm().has_value() != getEps().has_value())
    return emitOpError("expected norm and eps together");
  return success();
}

LogicalResult SoftcapOp::verify() {
  if (!(getCap().convertToFloat() > 0))
    return emitOpError("expected a positive cap but got ") << getCap().convertToFloat();
  return success();
}

LogicalResult SplitOp::verify() {
  int64_t sum = 0;
  for (Value piece : getPieces())
    sum += lastDim(piece);
  if (sum != lastDim(getInput()))
    return emitOpError("expected pieces to sum to ")
           << lastDim(getInput()) << " columns but got " << sum;
  return success();
}

LogicalResult SplitHeadsOp::verify() {
  int64_t sum = 0;
  for (Value heads : getHeads()) {
    auto type = cast<RankedTensorType>(heads.getType());
    if (type.getRank() != 4)
      return emitOpError("expected results of rank 4 but got ") << type;
    sum += type.getDimSize(2) * type.getDimSize(3);
  }
  if (sum != lastDim(getInput()))
    return emitOpError("expected heads to sum to ")
           << lastDim(getInput()) << " columns but got " << sum;
  return success();
}

LogicalResult MergeHeadsOp::verify() { return success(); }
LogicalResult SelectRowsOp::verify() { return success(); }
LogicalResult RopeAnglesOp::verify() { return success(); }
LogicalResult RopeOp::verify() { return success(); }
