//===- MatrixUnit.h - AMX tile registers ------------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The instructions of AMX on bf16 (Intel SDM volume 1, chapter 18): eight tile
// registers of up to 16 rows x 64 bytes. Two of them hold tokens, two weights, four
// the sums of each pair. In attention queries, then weights of keys, are in the place of
// tokens, and keys, then values, in that of weights.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_MATRIXUNIT_H
#define RLX_LIB_KERNELS_MATRIXUNIT_H

#include "KernelBuilder.h"

namespace rlx {

/// Emits tile instructions for tokens x panels of up to kSide x kSide tiles.
class MatrixUnit {
public:
  using Value = mlir::Value;

  /// Tiles of tokens, or panels, that are multiplied with one another.
  static constexpr int64_t kSide = 2;
  /// The most tokens at a time.
  static constexpr int64_t kTokens = kSide * kTileRows;

  explicit MatrixUnit(KernelBuilder &b);

  /// Shapes the tiles for `tokens` tokens, 1 … kTokens: 16 of them in the first tile, the others
  /// in the second. Clears all tiles.
  void configure(Value tokens);
  /// Gives the registers back.
  void release();

  /// Loads a tile of up to 16 tokens x 32 values, or 16 pairs of k x 16 rows x 2 values.
  void loadTokens(int64_t side, Value address) { load(kTokenTile + side, address, kTileRowBytes); }
  void loadPanel(int64_t panel, Value address) { load(kPanelTile + panel, address, kTileRowBytes); }
  /// Adds the products of a tile of tokens with one of a panel.
  void multiply(int64_t side, int64_t panel);

  /// The sums of (side, panel): f32, up to 16 tokens x 16 rows of the panel.
  void clearSums(int64_t side, int64_t panel);
  void loadSums(int64_t side, int64_t panel, Value address, int64_t stride) {
    load(sumTile(side, panel), address, stride);
  }
  void storeSums(int64_t side, int64_t panel, Value address, int64_t stride);

private:
  static constexpr int64_t kTokenTile = kSide * kSide, kPanelTile = kTokenTile + kSide;
  static constexpr int64_t kTiles = kPanelTile + kSide;

  static int64_t sumTile(int64_t side, int64_t panel) { return side * kSide + panel; }
  /// The number of a register as an immediate operand.
  Value tile(int64_t number) { return b.constantInt(b.getI8Type(), number); }
  void load(int64_t number, Value address, int64_t stride);

  KernelBuilder &b;
  Value config;
};

} // namespace rlx

#endif // RLX_LIB_KERNELS_MATRIXUNIT_H
