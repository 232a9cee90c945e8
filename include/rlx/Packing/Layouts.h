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
//   quantised [N/16][K/S][unit]: S/32 blocks of codes, then the record of their scales
//
// So the panels of a weight are one stream of memory, whatever the format: a product
// with one token reads them from end to end, as fast as memory can be read.
//
// A block is 32 columns of 16 rows, in groups g of 4 columns. Its codes are cut into
// planes of 8, 4, 2 and 1 bits, low bits first, as many as the format's width needs
// (6 = 4 + 2). A plane of p bits is p vectors of [16 rows][4 columns] bytes: byte
// [row][i] of vector v holds, from bit p * (g / p), column 4g + i of the groups with
// g % p = v (CodePlane in rlx/Target/WeightFormat.h). So each vector is one load, and
// each group of it one shift and one mask. Codes are unsigned: q8_0 is stored as
// q + 128, q4_0 as q + 8, q5_0 + 16, q6_k + 32, q3_k + 4; codebook formats store the
// index.
//
// A record holds the scales of S columns of 16 rows, S = 32, or 256 for the formats
// with integer scales:
//
//   [16 rows] f16 d; with minima [16 rows] f16 m; then with integer scales for each
//   group of 32 or 16 columns [16 rows] s8 s; with minima [16 rows] u8 n
//
// What GGUF packs into 4 or 6 bits is a byte here, so that loading it is one
// instruction. Bits per weight, as stored and packed:
//
//   q8_0 8.5   8.5     q4_1 5      5       q2_k 2.625  3.125   q5_k 5.5    5.625
//   q4_0 4.5   4.5     q5_0 5.5    5.5     q3_k 3.4375 3.5625  q6_k 6.5625 6.5625
//   iq4_nl 4.5 4.5     q5_1 6      6       q4_k 4.5    4.625   iq4_xs 4.25 4.3125
//
// Stored blocks are kept bit for bit; the codes of a zero row are those of the value 0,
// or 0.
//
// Fused weights: rows of several matrices one after another ("concat", padded
// once at the end), or their panels in turn ("interleave": panel 2i is rows 16i
// and following of the first matrix, panel 2i + 1 of the second; each matrix is
// padded to whole panels).
//===----------------------------------------------------------------------===//
#ifndef RLX_PACKING_LAYOUTS_H
#define RLX_PACKING_LAYOUTS_H

#include "rlx/Target/WeightFormat.h"
#include <cstdint>

namespace rlx {

enum class WeightLayout { Row, R16 };

constexpr uint64_t kPanelRows = 16;
constexpr uint64_t kWeightAlignment = 64;

/// The number of panels that hold `rows` rows.
constexpr uint64_t panelCount(uint64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }

/// Bytes of one panel.
uint64_t panelBytes(WeightFormat format, uint64_t columns);

/// Bytes of a packed weight. Quantised formats need whole blocks of columns, the
/// row layout needs f32.
uint64_t packedBytes(WeightLayout layout, WeightFormat format, uint64_t rows, uint64_t columns);

} // namespace rlx

#endif // RLX_PACKING_LAYOUTS_H
