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
#include <cmath>

using namespace rlx;

/// Rounds the values to what `type` can hold.
static void roundTo(DType type, RowBuffer &buffer) {
  if (isQuantized(type)) {
    quantizeRow(formatOf(type), buffer.values, buffer.blocks);
    return buffer.blocks.values(buffer.values);
  }
  for (float &value : buffer.values)
    value = type == DType::F16    ? halfToFloat(floatToHalf(value))
            : type == DType::BF16 ? bfloat16ToFloat(floatToBfloat16(value))
                                  : value;
}

/// The least float that is not below `value`.
static float roundUp(double value) {
  float rounded = static_cast<float>(value);
  return rounded < value ? std::nextafter(rounded, HUGE_VALF) : rounded;
}

/// Replaces the values by the norm of what `type` loses of them and by their own.
static void takeNorms(DType type, RowBuffer &buffer) {
  std::vector<float> exact = buffer.values;
  roundTo(type, buffer);
  double residual = 0, whole = 0;
  for (auto [value, rounded] : llvm::zip(exact, buffer.values)) {
    double difference = double(value) - rounded;
    residual += difference * difference;
    whole += double(value) * value;
  }
  buffer.values = {roundUp(std::sqrt(residual)), roundUp(std::sqrt(whole))};
}

/// Quantises the values and notes the error.
static void quantize(WeightFormat format, RowBuffer &buffer) {
  quantizeRow(format, buffer.values, buffer.blocks);
  std::vector<float> rounded(buffer.values.size());
  buffer.blocks.values(rounded);
  for (auto [value, result] : llvm::zip(buffer.values, rounded)) {
    double error = double(value) - result;
    buffer.errors.error += error * error;
    buffer.errors.values += double(value) * value;
  }
}

bool rlx::keepsBlocks(const WeightRecipe &recipe) {
  DType type = dtypeOf(recipe.format);
  return isQuantized(type) &&
         llvm::all_of(recipe.sources, [&](const Tensor *t) { return t->type == type; }) &&
         llvm::all_of(recipe.transforms, [&](const WeightTransform &transform) {
           return transform.kind == WeightTransform::Convert && transform.type == type;
         });
}

RowReader::RowReader(const WeightRecipe &recipe) : recipe(recipe), rowCount(recipe.rows) {
  if (recipe.combine == Combine::Interleave) {
    uint64_t panels = 0;
    for (const Tensor *source : recipe.sources)
      panels = std::max(panels, panelCount(source->numRows()));
    rowCount = panels * kPanelRows * recipe.sources.size();
  }
  exact = keepsBlocks(recipe);
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

void RowReader::readPadding(RowBuffer &buffer) const {
  if (isQuantized(recipe.format)) {
    buffer.blocks.resize(recipe.format, recipe.columns);
    return buffer.blocks.clear();
  }
  buffer.values.assign(recipe.columns, 0.0f);
}

void RowReader::read(uint64_t row, RowBuffer &buffer) const {
  buffer.errors = {};
  Place place = locate(row);
  if (!place.tensor)
    return readPadding(buffer);
  uint64_t size = place.tensor->rowBytes();
  llvm::ArrayRef<uint8_t> bytes = place.tensor->bytes.slice(place.row * size, size);
  if (exact) {
    buffer.blocks.resize(recipe.format, recipe.columns);
    return unpackRow(place.tensor->type, bytes, buffer.blocks);
  }
  buffer.values.resize(recipe.sourceColumns);
  dequantizeRow(place.tensor->type, bytes, buffer.values);
  for (auto [i, transform] : llvm::enumerate(recipe.transforms)) {
    if (transform.kind == WeightTransform::AddScalar)
      for (float &value : buffer.values)
        value += transform.value;
    else if (transform.kind == WeightTransform::ResidualNorms)
      takeNorms(transform.type, buffer);
    else if (i + 1 != recipe.transforms.size() || transform.type != dtypeOf(recipe.format))
      roundTo(transform.type, buffer); // the last one is what laying out does
  }
  if (isQuantized(recipe.format))
    quantize(recipe.format, buffer);
}
