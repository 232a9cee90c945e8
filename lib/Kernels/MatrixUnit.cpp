//===- MatrixUnit.cpp - AMX tile registers --------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Registers are named by number, so that no allocator has to spill them.
//
//===----------------------------------------------------------------------===//
#include "MatrixUnit.h"
#include <array>

using namespace mlir;
using namespace rlx;

// The configuration in memory: byte 0 is the palette, from 16 on follow the bytes of each tile's
// rows (u16), from 48 on the rows of each tile (u8).
static constexpr int64_t kConfigBytes = 64, kConfigRowBytes = 16, kConfigRows = 48;
static constexpr int64_t kPalette = 1;

MatrixUnit::MatrixUnit(KernelBuilder &b) : b(b), config(b.stack(kConfigBytes)) {
  b.store(b.constantInt(b.vec(b.getI8Type(), kConfigBytes), 0), config);
  b.store(b.constantInt(b.getI8Type(), kPalette), config);
  b.store(b.constantInt(b.vec(b.getI16Type(), kTiles), kTileRowBytes), config, kConfigRowBytes);
}

void MatrixUnit::configure(Value tokens) {
  auto set = [&](int64_t number, Value rows) {
    b.store(arith::IndexCastOp::create(b, b.getI8Type(), rows), config, kConfigRows + number);
  };
  // A tile without rows is an error even where it is not used: it has 16 then.
  Value first = b.min(tokens, b.index(kTileRows)), others = b.sub(tokens, first);
  Value none = b.equal(others, b.index(0));
  Value second = arith::SelectOp::create(b, none, b.index(kTileRows), others);
  for (int64_t side = 0; side < kSide; ++side) {
    Value rows = side == 0 ? first : second;
    set(kTokenTile + side, rows);
    for (int64_t panel = 0; panel < kSide; ++panel)
      set(sumTile(side, panel), rows);
    set(kPanelTile + side, b.index(kTileRows));
  }
  b.intrinsic("llvm.x86.ldtilecfg", {config});
}

void MatrixUnit::release() { b.intrinsic("llvm.x86.tilerelease", {}); }

void MatrixUnit::load(int64_t number, Value address, int64_t stride) {
  b.intrinsic("llvm.x86.tileloadd64", {tile(number), address, b.toI64(b.index(stride))});
}

void MatrixUnit::multiply(int64_t side, int64_t panel) {
  b.intrinsic("llvm.x86.tdpbf16ps",
              {tile(sumTile(side, panel)), tile(kTokenTile + side), tile(kPanelTile + panel)});
}

void MatrixUnit::clearSums(int64_t side, int64_t panel) {
  b.intrinsic("llvm.x86.tilezero", {tile(sumTile(side, panel))});
}

void MatrixUnit::storeSums(int64_t side, int64_t panel, Value address, int64_t stride) {
  b.intrinsic("llvm.x86.tilestored64",
              {tile(sumTile(side, panel)), address, b.toI64(b.index(stride))});
}

ByteUnit::ByteUnit(KernelBuilder &b, int64_t columns)
    : b(b), columns(columns), config(b.stack(kConfigBytes)),
      unpacked(b.stack(kPanels * panelBytes())), products(b.stack(kPanels * kTileBytes)) {}

void ByteUnit::configure(Value tokens) const {
  std::array<int8_t, kConfigBytes> bytes = {kPalette};
  auto shape = [&](int64_t number, int64_t rows, int64_t rowBytes) {
    bytes[kConfigRowBytes + 2 * number] = static_cast<int8_t>(rowBytes);
    bytes[kConfigRows + number] = static_cast<int8_t>(rows);
  };
  shape(kTokenTile, kTokens, columns);
  for (int64_t panel = 0; panel < kPanels; ++panel)
    shape(panel, kTokens, kTileRowBytes);
  for (int64_t panel = 0; panel < kPanelTiles; ++panel)
    shape(kPanelTile + panel, columns / 4, kTileRowBytes);
  auto attribute =
      DenseElementsAttr::get(b.vec(b.getI8Type(), kConfigBytes), ArrayRef<int8_t>(bytes));
  b.store(arith::ConstantOp::create(b, attribute), config);
  Value rows = arith::IndexCastOp::create(b, b.getI8Type(), tokens);
  for (int64_t number = 0; number <= kTokenTile; ++number)
    b.store(rows, config, kConfigRows + number);
  b.intrinsic("llvm.x86.ldtilecfg", {config});
}

void ByteUnit::multiply(Value activations, int64_t rowBytes, ArrayRef<Value> weights) const {
  b.intrinsic("llvm.x86.tileloadd64", {tile(kTokenTile), activations, stride(rowBytes)});
  for (auto [panel, address] : llvm::enumerate(weights)) {
    Value weightTile = tile(kPanelTile + panel % kPanelTiles);
    b.intrinsic("llvm.x86.tilezero", {tile(panel)});
    b.intrinsic("llvm.x86.tileloadd64", {weightTile, address, stride(kTileRowBytes)});
    b.intrinsic("llvm.x86.tdpbsud", {tile(panel), tile(kTokenTile), weightTile});
  }
}

void ByteUnit::store(int64_t panels) const {
  for (int64_t panel = 0; panel < panels; ++panel)
    b.intrinsic("llvm.x86.tilestored64", {tile(panel), sumsOf(panel), stride(kTileRowBytes)});
}

Value ByteUnit::sums(Value token, int64_t panel) const {
  return b.load(b.vec(b.i32()), b.at(sumsOf(panel), token, kTileRowBytes));
}
