//===- Weights.cpp - What the kernels read of rlx.weight ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Formats, layouts and sizes of weights.
//
//===----------------------------------------------------------------------===//
#include "rlx/Conversion/Weights.h"
#include "rlx/Kernels/KernelSpecs.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace rlx;

FailureOr<WeightFormat> rlx::getWeightFormat(WeightOp weight) {
  Type type = weight.getTensorType().getElementType();
  if (type.isF32())
    return WeightFormat::F32;
  if (type.isF16())
    return WeightFormat::F16;
  if (type.isBF16())
    return WeightFormat::BF16;
  if (auto quant = dyn_cast<QuantType>(type))
    if (std::optional<WeightFormat> format = parseWeightFormat(quant.getFormat()))
      return *format;
  weight.emitOpError("expected elements of type f32, f16, bf16 or a quantised type but got ")
      << type << "; convert the weight first";
  return failure();
}

StringRef rlx::getWeightLayout(WeightOp weight) {
  for (Attribute transform : weight.getTransforms())
    if (auto pack = dyn_cast<PackAttr>(transform))
      return pack.getLayout().getValue();
  return {};
}

FailureOr<int64_t> rlx::getPackedBytes(WeightOp weight) {
  RankedTensorType type = weight.getTensorType();
  StringRef layout = getWeightLayout(weight);
  if (layout == "row") {
    if (!type.getElementType().isF32()) {
      weight.emitOpError("expected f32 elements in layout 'row' but got ") << type.getElementType();
      return failure();
    }
    return type.getNumElements() * static_cast<int64_t>(sizeof(float));
  }
  if (layout != "r16" || type.getRank() != 2) {
    weight.emitOpError("expected layout 'row', or 'r16' for a matrix, but got '")
        << layout << "' for " << type;
    return failure();
  }
  FailureOr<WeightFormat> format = getWeightFormat(weight);
  if (failed(format))
    return failure();
  int64_t rows = type.getDimSize(0);
  // Each source is padded to whole panels before panels alternate.
  if (weight.getCombine() == Combine::Interleave) {
    int64_t sources = weight.getSources().size();
    rows = sources * llvm::alignTo(llvm::divideCeil(rows, sources), 16);
  }
  return packedWeightBytes(*format, rows, type.getDimSize(1));
}

FailureOr<WeightOp> rlx::lookupWeight(Operation *user, FlatSymbolRefAttr name) {
  auto weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(user, name);
  if (!weight) {
    user->emitOpError("expected ") << name << " to be an rlx.weight";
    return failure();
  }
  return weight;
}
