//===- MatrixUnit.h - AMX tile registers ------------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The instructions of AMX (Intel SDM volume 1, chapter 18): eight tile registers of up
// to 16 rows x 64 bytes. On bf16 (MatrixUnit) two of them hold tokens, two weights, four
// the sums of each pair. In attention queries, then weights of keys, are in the place of
// tokens, and keys, then values, in that of weights. On bytes (ByteUnit) one holds
// tokens, three weights, four the sums.
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

/// Emits tile instructions for the bytes of up to 16 tokens x panels: exact sums, as of Dot4.cpp.
class ByteUnit {
public:
  using Value = mlir::Value;

  /// The most tokens and panels at a time.
  static constexpr int64_t kTokens = kTileRows, kPanels = 4;

  /// For so many columns at a time, exactly.
  ByteUnit(KernelBuilder &b, int64_t columns);

  /// Shapes the tiles for `tokens` tokens. Clears all tiles.
  void configure(Value tokens) const;
  void release() const { b.intrinsic("llvm.x86.tilerelease", {}); }

  /// Memory for a panel's weights as multiply() takes them.
  Value weightsOf(int64_t panel) const { return b.at(unpacked, panel * panelBytes()); }

  /// Multiplies s8 activations, each token's `rowBytes` behind those of the last, with the u8
  /// weights of panels, [columns / 4][16 rows][4] each.
  void multiply(Value activations, int64_t rowBytes, llvm::ArrayRef<Value> weights) const;
  /// Puts the sums of so many panels where sums() finds them.
  void store(int64_t panels) const;
  /// A token's sums of what was multiplied before the last store(), vector<16xi32>.
  Value sums(Value token, int64_t panel) const;

private:
  static constexpr int64_t kTokenTile = kPanels, kPanelTile = kTokenTile + 1, kPanelTiles = 3;

  int64_t panelBytes() const { return columns * kTileRowBytes / 4; }
  Value tile(int64_t number) const { return b.constantInt(b.getI8Type(), number); }
  Value stride(int64_t bytes) const { return b.toI64(b.index(bytes)); }
  Value sumsOf(int64_t panel) const { return b.at(products, panel * kTileBytes); }

  KernelBuilder &b;
  int64_t columns;
  Value config, unpacked, products; ///< on the stack
};

} // namespace rlx

#endif // RLX_LIB_KERNELS_MATRIXUNIT_H
