//===- SourceWeights.cpp - Rows of a checkpoint's tensors -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Applies the transforms of rlx.weight to one row at a time.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Dequantize.h"
#include "rlx/Interpreter/WeightProvider.h"
#include "rlx/Packing/Quantize.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace rlx;

static constexpr int64_t kPanel = 16; // rows that interleaved sources give in turn

WeightProvider::~WeightProvider() = default;

static llvm::Error weightError(WeightOp weight, const llvm::Twine &message) {
  return llvm::createStringError("weight '" + weight.getSymName() + "': " + message);
}

static DType getDType(Type element) {
  if (auto quant = dyn_cast<QuantType>(element))
    return parseDType(quant.getFormat().getValue()).value_or(DType::Unsupported);
  if (element.isF16())
    return DType::F16;
  return element.isBF16() ? DType::BF16 : DType::F32;
}

/// The source that row `row` of the combined weight comes from.
static size_t selectSource(WeightOp weight, int64_t &row) {
  size_t count = weight.getSources().size();
  auto rowsOf = [&](size_t i) {
    RankedTensorType type = cast<SourceAttr>(weight.getSources()[i]).getType();
    return type.getRank() > 1 ? type.getDimSize(0) : int64_t(1);
  };
  size_t index = 0;
  if (weight.getCombine() == Combine::Concat) {
    while (index + 1 < count && row >= rowsOf(index))
      row -= rowsOf(index++);
  } else if (weight.getCombine() == Combine::Interleave) {
    int64_t panel = row / (kPanel * count);
    int64_t inGroup = row % (kPanel * count);
    int64_t size = std::min(kPanel, rowsOf(0) - panel * kPanel); // the last may be shorter
    index = inGroup / size;
    row = panel * kPanel + inGroup % size;
  }
  return index;
}

llvm::Expected<const Tensor *> SourceWeights::locate(WeightOp weight, int64_t &row) const {
  auto attr = cast<SourceAttr>(weight.getSources()[selectSource(weight, row)]);
  const Tensor *tensor = source.find(attr.getTensor().getValue());
  if (!tensor)
    return weightError(weight, "expected a tensor named '" + attr.getTensor().getValue() + "' in " +
                                   source.name());
  if (ArrayRef<int64_t>(tensor->shape) != attr.getType().getShape() ||
      tensor->type != getDType(attr.getType().getElementType()))
    return weightError(weight, "tensor '" + attr.getTensor().getValue() + "' of " + source.name() +
                                   " is not what the module was made from");
  return tensor;
}

/// Rounds a row to type `element`; a quantised one stays in `blocks` too.
static llvm::Error convertRow(WeightOp weight, Type element, MutableArrayRef<float> values,
                              BlockRow &blocks) {
  DType type = getDType(element);
  switch (type) {
  case DType::F32:
    return llvm::Error::success();
  case DType::F16:
    for (float &value : values)
      value = halfToFloat(floatToHalf(value));
    return llvm::Error::success();
  case DType::BF16:
    for (float &value : values)
      value = bfloat16ToFloat(floatToBfloat16(value));
    return llvm::Error::success();
  default:
    break;
  }
  if (!isQuantized(type) || !canQuantize(formatOf(type)))
    return weightError(weight, "cannot convert to " + llvm::formatv("{0}", element).str());
  quantizeRow(formatOf(type), values, blocks);
  blocks.values(values);
  return llvm::Error::success();
}

static void decodeStored(const Tensor &tensor, int64_t row, MutableArrayRef<float> values,
                         BlockRow &blocks) {
  ArrayRef<uint8_t> bytes = tensor.bytes.slice(row * tensor.rowBytes(), tensor.rowBytes());
  if (!isQuantized(tensor.type))
    return dequantizeRow(tensor.type, bytes, values);
  blocks.resize(formatOf(tensor.type), values.size());
  unpackRow(tensor.type, bytes, blocks);
  blocks.values(values);
}

/// Decodes and transforms a row. `blocks` holds it afterwards if its last type is
/// quantised.
static llvm::Error transformRow(WeightOp weight, const Tensor &tensor, int64_t row,
                                MutableArrayRef<float> values, BlockRow &blocks) {
  if (values.size() != static_cast<size_t>(tensor.shape.back()) || row < 0 ||
      row >= tensor.numRows())
    return weightError(weight, "row " + llvm::Twine(row) + " is out of range");
  decodeStored(tensor, row, values, blocks);
  DType current = tensor.type;
  for (Attribute transform : weight.getTransforms()) {
    if (auto add = dyn_cast<AddScalarAttr>(transform)) {
      for (float &value : values)
        value += static_cast<float>(add.getValue().getValueAsDouble());
      current = DType::F32;
    } else if (auto convert = dyn_cast<ConvertAttr>(transform)) {
      // Stored blocks that already have the type asked for stay as they are.
      DType wanted = getDType(convert.getElementType());
      if (wanted == current)
        continue;
      if (llvm::Error error = convertRow(weight, convert.getElementType(), values, blocks))
        return error;
      current = wanted;
    }
  }
  return llvm::Error::success();
}

llvm::Error SourceWeights::readRow(WeightOp weight, int64_t row, MutableArrayRef<float> values) {
  llvm::Expected<const Tensor *> tensor = locate(weight, row);
  if (!tensor)
    return tensor.takeError();
  BlockRow blocks;
  return transformRow(weight, **tensor, row, values, blocks);
}

llvm::Error SourceWeights::readBlocks(WeightOp weight, int64_t row, BlockRow &blocks) {
  llvm::Expected<const Tensor *> tensor = locate(weight, row);
  if (!tensor)
    return tensor.takeError();
  std::vector<float> values(weight.getTensorType().getShape().back());
  return transformRow(weight, **tensor, row, values, blocks);
}
