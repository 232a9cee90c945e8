//===- Quantize.cpp - Rows of floats to blocks ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The q8_0 and q4_0 quantisers.
//===----------------------------------------------------------------------===//
#include "rlx/Packing/Quantize.h"
#include "QuantizeSearch.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace rlx;

int rlx::clampToInt(float value, int low, int high) {
  if (!(value > static_cast<float>(low)))
    return low;
  return value < static_cast<float>(high) ? static_cast<int>(value) : high;
}

static uint16_t quantizeQ8_0(llvm::ArrayRef<float> x, uint8_t *codes) {
  float largest = 0.0f;
  for (float value : x)
    largest = std::max(largest, std::fabs(value));
  float scale = largest / 127.0f;
  float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
  for (size_t i = 0; i < x.size(); ++i)
    codes[i] = static_cast<uint8_t>(clampToInt(std::round(x[i] * inverse), -128, 127) + 128);
  return floatToHalf(scale);
}

static uint16_t quantizeQ4_0(llvm::ArrayRef<float> x, uint8_t *codes) {
  float extreme = 0.0f;
  for (float value : x)
    if (std::fabs(value) > std::fabs(extreme))
      extreme = value;
  float scale = extreme / -8.0f;
  float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
  for (size_t i = 0; i < x.size(); ++i)
    codes[i] = static_cast<uint8_t>(clampToInt(x[i] * inverse + 8.5f, 0, 15));
  return floatToHalf(scale);
}

bool rlx::canQuantize(WeightFormat format) {
  switch (format) {
  case WeightFormat::Q8_0:
  case WeightFormat::Q4_0:
  case WeightFormat::Q5_0:
  case WeightFormat::Q4_K:
  case WeightFormat::Q6_K:
    return true;
  default:
    return false;
  }
}

void rlx::quantizeRow(WeightFormat format, llvm::ArrayRef<float> values, BlockRow &row) {
  assert(canQuantize(format));
  row.resize(format, values.size());
  size_t columns = blockFormat(format).scaleColumns;
  for (size_t block = 0; block < row.d.size(); ++block) {
    llvm::ArrayRef<float> x = values.slice(block * columns, columns);
    uint8_t *codes = row.codes.data() + block * columns;
    if (format == WeightFormat::Q8_0)
      row.d[block] = quantizeQ8_0(x, codes);
    else if (format == WeightFormat::Q4_0)
      row.d[block] = quantizeQ4_0(x, codes);
    else
      searchBlock(x, row, block);
  }
}
