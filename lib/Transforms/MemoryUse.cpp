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
  // What the kernels promise, see rlx/Kernels/KernelSpecs.h.
  Operation *op = operand.getOwner();
  if (isa<AddOp, MulOp, GegluOp, GeluOp, ScaleOp, SoftcapOp, RmsNormOp>(op))
    return true;
  if (isa<RopeOp>(op))
    return operand.getOperandNumber() == 0;
  // A thread writes each element after it has read the residual's there, while
  // other threads still read the rest of the input.
  auto linear = dyn_cast<LinearOp>(op);
  return linear && operand.get() == linear.getResidual() &&
         getBuffer(linear.getInput()) != getBuffer(linear.getResidual());
}
