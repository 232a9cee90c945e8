//===- MemoryUse.cpp - What ops do with memory ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Views, outputs, sizes and in-place rules.
//
//===----------------------------------------------------------------------===//
#include "MemoryUse.h"

using namespace mlir;
using namespace rlx;

bool rlx::isView(Operation *op) {
  return isa<SplitOp, SplitHeadsOp, MergeHeadsOp, KVReadOp, PositionsOp>(op);
}

Value rlx::getBuffer(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && isa<SplitOp, SplitHeadsOp, MergeHeadsOp>(op)) {
    value = op->getOperand(0);
    op = value.getDefiningOp();
  }
  return value;
}

bool rlx::occupiesMemory(Value value) {
  return isa<RankedTensorType>(value.getType()) && isa<OpResult>(value) &&
         !isView(value.getDefiningOp());
}

bool rlx::isOutput(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) { return isa<func::ReturnOp>(user); });
}

FailureOr<int64_t> rlx::getMaxBytes(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  Operation *op = value.getDefiningOp();
  std::optional<int64_t> elements = getMaxElements(op, type);
  if (!elements || !type.getElementType().isIntOrFloat())
    return op->emitOpError("expected results of numbers whose sizes are constants or declared "
                           "symbols but got ")
           << type;
  return *elements * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

bool rlx::canReuse(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (isa<AddOp, MulOp, GegluOp, GeluOp, ScaleOp, SoftcapOp>(op))
    return true;
  // A thread writes each element after it has read the residual's there.
  Value residual;
  if (auto linear = dyn_cast<LinearOp>(op))
    residual = linear.getResidual();
  else if (auto norm = dyn_cast<RmsNormOp>(op))
    residual = norm.getResidual();
  if (!residual || operand.get() != residual)
    return false;
  // Other threads still read the rest of the input.
  return getBuffer(op->getOperand(0)) != getBuffer(residual);
}
