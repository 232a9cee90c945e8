//===- PlainWeights.cpp - Weights packed in f32 ---------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Element by element: reads, combines, transforms and places f32 weights.
//
//===----------------------------------------------------------------------===//
#include "PlainWeights.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Weights.h"
#include "rlx/Import/Dequantize.h"

using namespace mlir;
using namespace rlx;
using rlx::test::Line;

void rlx::test::convertWeightsToF32(ModuleOp module) {
  MLIRContext *context = module.getContext();
  Type f32 = Float32Type::get(context);
  for (auto weight : module.getOps<WeightOp>()) {
    SmallVector<Attribute> transforms = {ConvertAttr::get(context, f32)};
    for (Attribute transform : weight.getTransforms())
      if (isa<AddScalarAttr>(transform))
        transforms.push_back(transform);
    weight.setTransformsAttr(ArrayAttr::get(context, transforms));
    weight.setType(RankedTensorType::get(weight.getTensorType().getShape(), f32));
  }
}

static std::vector<float> readSource(SourceAttr attribute, const WeightSource &source) {
  const Tensor *tensor = source.find(attribute.getTensor().getValue());
  std::vector<float> values(tensor->numElements());
  dequantizeRow(tensor->type, tensor->bytes, values);
  return values;
}

/// The rows of the sources in the order of the packed panels; a panel that an
/// interleaved source does not fill is padded with zeros.
static std::vector<float> combine(WeightOp weight, const WeightSource &source) {
  std::vector<std::vector<float>> parts;
  for (Attribute attribute : weight.getSources())
    parts.push_back(readSource(cast<SourceAttr>(attribute), source));
  std::vector<float> all;
  if (weight.getCombine() != Combine::Interleave) {
    for (const std::vector<float> &part : parts)
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }
  size_t panel = 16 * weight.getTensorType().getDimSize(1);
  for (size_t begin = 0; begin < parts.front().size(); begin += panel)
    for (const std::vector<float> &part : parts) {
      size_t end = std::min(begin + panel, part.size());
      all.insert(all.end(), part.begin() + begin, part.begin() + end);
      all.resize(all.size() + panel - (end - begin));
    }
  return all;
}

static void place(WeightOp weight, ArrayRef<float> values, float *out) {
  if (getWeightLayout(weight) == "row") {
    llvm::copy(values, out);
    return;
  }
  size_t k = weight.getTensorType().getDimSize(1);
  for (size_t i = 0; i < values.size(); ++i) {
    size_t row = i / k, column = i % k;
    out[((row / 16) * k + column) * 16 + row % 16] = values[i];
  }
}

std::vector<Line> rlx::test::packWeights(ModuleOp module, const WeightSource &source) {
  auto bytes = module->getAttrOfType<IntegerAttr>(kWeightsBytesAttr);
  std::vector<Line> packed((bytes.getInt() + sizeof(Line) - 1) / sizeof(Line));
  for (auto weight : module.getOps<WeightOp>()) {
    std::vector<float> values = combine(weight, source);
    for (Attribute transform : weight.getTransforms())
      if (auto add = dyn_cast<AddScalarAttr>(transform))
        for (float &value : values)
          value += static_cast<float>(add.getValue().getValueAsDouble());
    place(weight, values, packed[*weight.getOffset() / sizeof(Line)].values);
  }
  return packed;
}
