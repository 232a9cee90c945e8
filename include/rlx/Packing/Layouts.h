//===- Layouts.h - How packed weights lie in memory -------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Defines the layouts of packed weights, for the packer that writes them and the
// kernels that read them. They are the same for every CPU target. Numbers are
// little-endian; every weight starts on a multiple of 64 bytes.
//
// "row": row-major f32. For vectors (norm gains).
//
// "r16": a matrix [N rows (outputs)][K columns (inputs)] in panels of 16 rows, so
// that one vector register holds the same column of 16 outputs. N is padded to
// whole panels with zero rows.
//
//   f32    [N/16][K][16 rows] f32
//   f16    [N/16][K][16 rows] f16
//   bf16   [N/16][ceil(K/2)][16 rows][2 columns] bf16; a missing last column is 0
//   q8_0   quants [N/16][K/32][8][16 rows][4 columns] u8, stored as q + 128;
//          then scales [N/16][K/32][16 rows] f16
//   q4_0   quants [N/16][K/32][4 g][16 rows][4 i] u8: the low nibble is column
//          4g + i of the block, the high nibble column 16 + 4g + i, each stored
//          as q + 8; then scales as for q8_0
//
// A block is 32 columns of one row; its value is q * scale. Both planes of a
// quantised weight are multiples of 64 bytes long or end the weight, so that the
// scales start on 64 bytes too. Stored q8_0 and q4_0 blocks are kept bit for bit,
// except that the quants of a zero row are those of the value 0.
//
// Fused weights: rows of several matrices one after another ("concat", padded
// once at the end), or their panels in turn ("interleave": panel 2i is rows 16i
// and following of the first matrix, panel 2i + 1 of the second; each matrix is
// padded to whole panels).
//===----------------------------------------------------------------------===//
#ifndef RLX_PACKING_LAYOUTS_H
#define RLX_PACKING_LAYOUTS_H

#include "rlx/Target/TargetDescription.h"
#include <cstdint>

namespace rlx {

enum class WeightLayout { Row, R16 };

constexpr uint64_t kPanelRows = 16;
constexpr uint64_t kQuantBlock = 32;
constexpr uint64_t kWeightAlignment = 64;

/// The number of panels that hold `rows` rows.
constexpr uint64_t panelCount(uint64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

constexpr bool isQuantized(WeightFormat format) {
  return format == WeightFormat::Q8_0 || format == WeightFormat::Q4_0;
}

/// Bytes of one panel: of its values, or of its quants without their scales.
uint64_t panelBytes(WeightFormat format, uint64_t columns);

/// Bytes of one panel's scales; 0 for formats that have none.
uint64_t panelScaleBytes(WeightFormat format, uint64_t columns);

/// Bytes of a packed weight. Quantised formats need whole blocks of columns, the
/// row layout needs f32.
uint64_t packedBytes(WeightLayout layout, WeightFormat format, uint64_t rows, uint64_t columns);

} // namespace rlx

#endif // RLX_PACKING_LAYOUTS_H
