//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Checks that several verifiers share.

#include "Verification.h"

#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace rlx;

Sizes rlx::getSizes(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  DimsAttr dims = getDims(type);
  Sizes sizes;
  for (auto [i, size] : llvm::enumerate(tensor.getShape())) {
    if (dims)
      sizes.push_back(dims.dimToString(i));
    else
      sizes.push_back(ShapedType::isDynamic(size) ? "?" : std::to_string(size));
  }
  return sizes;
}

std::string rlx::getPastPlus(Type type, unsigned i) {
  MLIRContext *context = type.getContext();
  SmallVector<StringAttr> symbols;
  AffineExpr size;
  if (DimsAttr dims = getDims(type)) {
    symbols.assign(dims.getSymbols().begin(), dims.getSymbols().end());
    size = dims.getDim(i);
  } else {
    size = getAffineConstantExpr(cast<RankedTensorType>(type).getDimSize(i), context);
  }
  AffineExpr past = getAffineSymbolExpr(symbols.size(), context);
  symbols.push_back(StringAttr::get(context, RLXDialect::kPastSymbol));
  return DimsAttr::get(context, symbols, {past + size}).dimToString(0);
}

LogicalResult rlx::verifyRank(Operation *op, StringRef name, Type type, int64_t rank) {
  int64_t actual = cast<RankedTensorType>(type).getRank();
  if (actual != rank)
    return op->emitOpError("expected ") << name << " of rank " << rank << " but got " << actual;
  return success();
}

LogicalResult rlx::verifySizes(Operation *op, StringRef name, Type type,
                               ArrayRef<std::string> expected) {
  if (failed(verifyRank(op, name, type, expected.size())))
    return failure();
  for (auto [i, actual] : llvm::enumerate(getSizes(type)))
    if (actual != expected[i])
      return op->emitOpError("expected dimension ")
             << i << " of " << name << " to be '" << expected[i] << "' but got '" << actual << "'";
  return success();
}

LogicalResult rlx::verifyPositive(Operation *op, StringRef name,
                                  std::optional<llvm::APFloat> value) {
  if (value && (!value->isFiniteNonZero() || value->isNegative()))
    return op->emitOpError("expected a positive ")
           << name << " but got " << value->convertToFloat();
  return success();
}

FailureOr<WeightOp> rlx::lookupWeight(Operation *op, SymbolTableCollection &symbols,
                                      FlatSymbolRefAttr name, int64_t rank) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(op, name);
  if (!weight)
    return op->emitOpError("expected a weight named ") << name;
  if (weight.getTensorType().getRank() != rank) {
    InFlightDiagnostic error = op->emitOpError("expected weight ")
                               << name << " of rank " << rank << " but got "
                               << weight.getTensorType().getRank();
    error.attachNote(weight.getLoc()) << "the weight is here";
    return error;
  }
  return weight;
}

LogicalResult rlx::verifyGain(Operation *op, SymbolTableCollection &symbols, FlatSymbolRefAttr name,
                              int64_t size) {
  FailureOr<WeightOp> weight = lookupWeight(op, symbols, name, 1);
  if (failed(weight))
    return failure();
  RankedTensorType type = weight->getTensorType();
  if (type.getDimSize(0) == size && isa<FloatType>(type.getElementType()))
    return success();
  InFlightDiagnostic error = op->emitOpError("expected gain ")
                             << name << " of " << size << " floats but got " << type;
  error.attachNote(weight->getLoc()) << "the weight is here";
  return error;
}

LogicalResult rlx::verifyAngles(Operation *op, Type angles, Type heads) {
  if (failed(verifyRank(op, "angles", angles, 4)))
    return failure();
  Sizes sizes = getSizes(heads), expected = getSizes(angles);
  expected[0] = sizes[0];
  expected[1] = sizes[1];
  expected[2] = "2";
  if (failed(verifySizes(op, "angles", angles, expected)))
    return failure();
  int64_t dim = 2 * cast<RankedTensorType>(angles).getDimSize(3);
  int64_t headDim = cast<RankedTensorType>(heads).getDimSize(3);
  if (dim > headDim)
    return op->emitOpError("expected a rope dim of at most head_dim ")
           << headDim << " but got " << dim;
  return success();
}

FailureOr<int64_t> rlx::getLastSize(Operation *op, StringRef name, Type type) {
  auto shape = cast<RankedTensorType>(type).getShape();
  if (shape.empty())
    return op->emitOpError("expected ") << name << " of rank 1 or more but got 0";
  if (ShapedType::isDynamic(shape.back()))
    return op->emitOpError("expected last dimension of ")
           << name << " to be static but got '" << getSizes(type).back() << "'";
  return shape.back();
}

/// sizes_c1: every symbol is declared; sizes_c2: a size that is not static is
/// given by #rlx.dims; sizes_c3: sizes after the second are static.
LogicalResult rlx::verifySymbolicSizes(Operation *op) {
  llvm::SmallDenseSet<StringAttr, 8> declared;
  auto verify = [&](Type type) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return success();
    DimsAttr dims = getDims(tensor);
    if (!dims)
      return tensor.hasStaticShape()
                 ? success()
                 : op->emitOpError("expected #rlx.dims to give the sizes of ") << tensor;
    for (StringAttr symbol : dims.getSymbols()) {
      if (declared.contains(symbol))
        continue;
      if (!lookupSymbol(op, symbol))
        return op->emitOpError("expected symbol '")
               << symbol.getValue() << "' to be declared in 'rlx.symbols' of the module";
      declared.insert(symbol);
    }
    for (int64_t i = 2; i < tensor.getRank(); ++i)
      if (tensor.isDynamicDim(i))
        return op->emitOpError("expected dimension ")
               << i << " of " << tensor << " to be static but got '" << dims.dimToString(i) << "'";
    return success();
  };
  for (Type type : op->getOperandTypes())
    if (failed(verify(type)))
      return failure();
  for (Type type : op->getResultTypes())
    if (failed(verify(type)))
      return failure();
  return success();
}
