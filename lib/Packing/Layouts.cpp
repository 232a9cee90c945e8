//===- Layouts.cpp - How packed weights lie in memory ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Sizes of the layouts.
//===----------------------------------------------------------------------===//
#include "rlx/Packing/Layouts.h"
#include <cassert>

using namespace rlx;

uint64_t rlx::panelBytes(WeightFormat format, uint64_t columns) {
  switch (format) {
  case WeightFormat::F32:
    return columns * kPanelRows * 4;
  case WeightFormat::F16:
    return columns * kPanelRows * 2;
  case WeightFormat::BF16:
    return (columns + 1) / 2 * kPanelRows * 4;
  default:
    return blockFormat(format).panelBytes(columns);
  }
}

uint64_t rlx::packedBytes(WeightLayout layout, WeightFormat format, uint64_t rows,
                          uint64_t columns) {
  if (layout == WeightLayout::Row) {
    assert(format == WeightFormat::F32 && "the row layout holds f32");
    return rows * columns * 4;
  }
  assert((!isQuantized(format) || columns % blockFormat(format).scaleColumns == 0) &&
         "a block would be cut");
  return panelCount(rows) * panelBytes(format, columns);
}
