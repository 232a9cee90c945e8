//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verifiers and folders of embedding, norm, linear and element-wise ops.

#include "Verification.h"

using namespace mlir;
using namespace rlx;

#define GET_OP_CLASSES
#include "rlx/IR/RLXOps.cpp.inc"

// embedding_c1: weight; embedding_c2: sizes.
LogicalResult EmbeddingOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<WeightOp> weight = lookupWeight(*this, symbols, getWeightAttr(), 2);
  if (failed(weight))
    return failure();
  Sizes expected = getSizes(getIds().getType());
  expected.push_back(std::to_string(weight->getTensorType().getDimSize(1)));
  return verifySizes(*this, "result", getResult().getType(), expected);
}

// rms_norm_c1: gain.
LogicalResult RmsNormOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<int64_t> columns = getLastSize(*this, "input", getInput().getType());
  return failed(columns) ? failure() : verifyGain(*this, symbols, getWeightAttr(), *columns);
}

// rms_norm_c2: result; rms_norm_c3: residual; rms_norm_c4: eps.
LogicalResult RmsNormOp::verify() {
  Sizes sizes = getSizes(getInput().getType());
  if (failed(verifySizes(*this, "result", getResult().getType(), sizes)))
    return failure();
  if (getResidual() && failed(verifySizes(*this, "residual", getResidual().getType(), sizes)))
    return failure();
  return verifyPositive(*this, "eps", getEps());
}

// linear_c1: columns of W; linear_c2: result; linear_c4: gain; linear_c5: rows of W.
// linear_c8: screen.
static LogicalResult verifyScreen(LinearOp op, SymbolTableCollection &symbols, WeightOp weight) {
  if (!op.getNormsAttr() || op.getGeglu() || op.getResidual())
    return op.emitOpError("expected screen with norms and without geglu and residual");
  FailureOr<WeightOp> coarse = lookupWeight(op, symbols, op.getCoarseAttr(), 2);
  FailureOr<WeightOp> norms = lookupWeight(op, symbols, op.getNormsAttr(), 2);
  if (failed(coarse) || failed(norms))
    return failure();
  ArrayRef<int64_t> shape = weight.getTensorType().getShape();
  if (coarse->getTensorType().getShape() != shape)
    return op.emitOpError("expected a coarse copy of the weight's shape but got ")
           << coarse->getTensorType();
  RankedTensorType type = norms->getTensorType();
  if (type.getDimSize(0) != shape[0] || type.getDimSize(1) != 2 || !type.getElementType().isF32())
    return op.emitOpError("expected norms of two f32 for each row of the weight but got ") << type;
  return success();
}

LogicalResult LinearOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<WeightOp> weight = lookupWeight(*this, symbols, getWeightAttr(), 2);
  FailureOr<int64_t> columns = getLastSize(*this, "input", getInput().getType());
  if (failed(weight) || failed(columns))
    return failure();
  auto shape = weight->getTensorType().getShape();
  if (shape[1] != *columns)
    return emitOpError("expected weight ")
           << getWeightAttr() << " with " << *columns << " columns but got " << shape[1];
  if (getNormAttr() && failed(verifyGain(*this, symbols, getNormAttr(), *columns)))
    return failure();
  if (getGeglu() && shape[0] % 2)
    return emitOpError("expected weight ")
           << getWeightAttr() << " with an even number of rows for geglu but got " << shape[0];
  if (getCoarseAttr() && failed(verifyScreen(*this, symbols, *weight)))
    return failure();
  Sizes expected = getSizes(getInput().getType());
  expected.back() = std::to_string(getGeglu() ? shape[0] / 2 : shape[0]);
  return verifySizes(*this, "result", getResult().getType(), expected);
}

// linear_c3: eps; linear_c6: cap; linear_c7: residual.
bool LinearOp::isOfPrompt() {
  auto function = getOperation()->getParentOfType<func::FuncOp>();
  auto role = function ? function->getAttrOfType<StringAttr>(RLXDialect::kRoleAttr) : StringAttr();
  if (!role || role.getValue() != stringifyRole(Role::Prefill))
    return false;
  Operation *op = getInput().getDefiningOp();
  while (op && !isa<SelectRowsOp>(op) && op->getNumOperands() > 0)
    op = op->getOperand(0).getDefiningOp();
  return !isa_and_present<SelectRowsOp>(op);
}

LogicalResult LinearOp::verify() {
  if (getNorm().has_value() != getEps().has_value())
    return emitOpError("expected norm and eps together");
  if (failed(verifyPositive(*this, "eps", getEps())) ||
      failed(verifyPositive(*this, "cap", getCap())))
    return failure();
  if (!getResidual())
    return success();
  return verifySizes(*this, "residual", getResidual().getType(), getSizes(getResult().getType()));
}

OpFoldResult ScaleOp::fold(FoldAdaptor) {
  return getFactor().convertToFloat() == 1.0f ? getInput() : Value();
}

// softcap_c2: cap.
LogicalResult SoftcapOp::verify() { return verifyPositive(*this, "cap", getCap()); }
