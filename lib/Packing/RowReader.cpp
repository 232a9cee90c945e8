//===- RowReader.cpp - Rows of a weight, ready to be laid out -------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Combines sources and applies transforms, row by row.
//===----------------------------------------------------------------------===//
#include "RowReader.h"
#include "rlx/Import/Dequantize.h"
#include "rlx/Packing/Quantize.h"
#include "llvm/ADT/STLExtras.h"

using namespace rlx;

static DType storedType(WeightFormat format) {
  switch (format) {
  case WeightFormat::F32:
    return DType::F32;
  case WeightFormat::F16:
    return DType::F16;
  case WeightFormat::BF16:
    return DType::BF16;
  case WeightFormat::Q8_0:
    return DType::Q8_0;
  case WeightFormat::Q4_0:
    return DType::Q4_0;
  }
  return DType::F32;
}

static void quantize(DType type, RowBuffer &buffer) {
  buffer.quants.resize(buffer.values.size());
  buffer.scales.resize(buffer.values.size() / kQuantBlock);
  if (type == DType::Q8_0)
    quantizeRowQ8_0(buffer.values, buffer.quants, buffer.scales);
  else
    quantizeRowQ4_0(buffer.values, buffer.quants, buffer.scales);
}

/// Rounds the values to what `type` can hold.
static void roundTo(DType type, RowBuffer &buffer) {
  switch (type) {
  case DType::F16:
    for (float &value : buffer.values)
      value = halfToFloat(floatToHalf(value));
    return;
  case DType::BF16:
    for (float &value : buffer.values)
      value = bfloat16ToFloat(floatToBfloat16(value));
    return;
  case DType::Q8_0:
  case DType::Q4_0:
    quantize(type, buffer);
    for (auto [i, value] : llvm::enumerate(buffer.values))
      value = halfToFloat(buffer.scales[i / kQuantBlock]) * static_cast<float>(buffer.quants[i]);
    return;
  default:
    return;
  }
}

RowReader::RowReader(const WeightRecipe &recipe) : recipe(recipe), rowCount(recipe.rows) {
  if (recipe.combine == Combine::Interleave) {
    uint64_t panels = 0;
    for (const Tensor *source : recipe.sources)
      panels = std::max(panels, panelCount(source->numRows()));
    rowCount = panels * kPanelRows * recipe.sources.size();
  }
  DType type = storedType(recipe.format);
  exact = isQuantized(recipe.format) &&
          llvm::all_of(recipe.sources, [&](const Tensor *t) { return t->type == type; }) &&
          llvm::all_of(recipe.transforms, [&](const WeightTransform &transform) {
            return transform.kind == WeightTransform::Convert && transform.type == type;
          });
}

RowReader::Place RowReader::locate(uint64_t row) const {
  if (recipe.combine == Combine::Interleave) {
    uint64_t panel = row / kPanelRows, count = recipe.sources.size();
    const Tensor *tensor = recipe.sources[panel % count];
    uint64_t inner = panel / count * kPanelRows + row % kPanelRows;
    bool inside = inner < static_cast<uint64_t>(tensor->numRows());
    return {inside ? tensor : nullptr, inner};
  }
  for (const Tensor *tensor : recipe.sources) {
    uint64_t rows = tensor->numRows();
    if (row < rows)
      return {tensor, row};
    row -= rows;
  }
  return {nullptr, 0};
}

void RowReader::read(uint64_t row, RowBuffer &buffer) const {
  uint64_t columns = recipe.columns;
  buffer.values.resize(columns);
  Place place = locate(row);
  if (!place.tensor) {
    std::fill(buffer.values.begin(), buffer.values.end(), 0.0f);
    if (isQuantized(recipe.format)) {
      buffer.quants.assign(columns, 0);
      buffer.scales.assign(columns / kQuantBlock, 0);
    }
    return;
  }
  uint64_t size = place.tensor->rowBytes();
  llvm::ArrayRef<uint8_t> bytes = place.tensor->bytes.slice(place.row * size, size);
  if (exact) {
    buffer.quants.resize(columns);
    buffer.scales.resize(columns / kQuantBlock);
    unpackRow(place.tensor->type, bytes, buffer.quants, buffer.scales);
    return;
  }
  dequantizeRow(place.tensor->type, bytes, buffer.values);
  DType type = storedType(recipe.format);
  for (auto [i, transform] : llvm::enumerate(recipe.transforms)) {
    if (transform.kind == WeightTransform::AddScalar)
      for (float &value : buffer.values)
        value += transform.value;
    else if (i + 1 != recipe.transforms.size() || transform.type != type)
      roundTo(transform.type, buffer); // the last one is what laying out does
  }
  if (isQuantized(recipe.format))
    quantize(type, buffer);
}
