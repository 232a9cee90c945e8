//===- DenseReader.cpp - Panels of f32, f16 and bf16 ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each k is one fused multiply-add per output, in ascending order; with a bf16 dot
// product each pair of k is one instruction. Beside a matrix unit, bf16 is added in that
// unit's order.
//
//===----------------------------------------------------------------------===//
#include "VectorMath.h"
#include "WeightReader.h"

using namespace mlir;
using namespace rlx;

namespace {

/// Panels [k][16], and bf16's [ceil(k/2)][16][2].
class DenseReader : public WeightReader {
public:
  DenseReader(WeightFormat format, int64_t k, int64_t bytes)
      : format(format), bytes(bytes), panelBytes((k + k % 2 * isPaired()) * bytes * kLanes) {}

  int64_t stepSize() const override { return 4; }

  Value panel(KernelBuilder &b, Value weights, Value panel) const override {
    return b.at(weights, panel, panelBytes);
  }

  void emitStep(KernelBuilder &b, const Tile &tile, Value k, int64_t count,
                MutableArrayRef<Value> accumulators) const override {
    tile.ahead(k, count);
    Value activations = b.at(tile.activations, k, 4);
    SmallVector<Value> addresses = panelAddresses(b, tile, k);
    SmallVector<SmallVector<Value>> weights(tile.panels.size());
    for (int64_t i = 0; i < count; ++i) {
      if (i % unpackedAtOnce() == 0)
        for (auto [address, values] : llvm::zip(addresses, weights))
          values = unpack(b, address, i);
      for (int64_t token = 0; token < tile.tokens; ++token) {
        Value a = b.loadSplat(b.vf(), activations, token * tile.rowBytes + i * 4);
        for (auto [panel, values] : llvm::enumerate(weights)) {
          Value &acc = accumulators[token * tile.panels.size() + panel];
          acc = b.fma(values[i % unpackedAtOnce()], a, acc);
        }
      }
    }
  }

  void emitTile(KernelBuilder &b, Value panel, Value k, int64_t count, Value out) const override {
    assert(isPaired() && "only bf16 is multiplied in tiles");
    VectorType pairs = b.vec(b.i32());
    Value address = b.at(panel, k, bytes * kLanes);
    for (int64_t pair = 0; pair < kTileRows; ++pair) {
      int64_t offset = pair * kTileRowBytes;
      b.store(pair < ceilDiv(count, 2) ? b.load(pairs, address, offset) : b.constantInt(pairs, 0),
              out, offset);
    }
  }

  Value emitElement(KernelBuilder &b, Value panel, Value lane, Value k) const override {
    if (isPaired()) {
      Value pair = b.at(b.at(panel, b.div(k, 2), 4 * kLanes), lane, 4);
      return emitFromBF16Bits(b, b.load(b.getI16Type(), b.at(pair, b.rem(k, 2), 2)));
    }
    Value address = b.at(b.at(panel, k, bytes * kLanes), lane, bytes);
    if (format == WeightFormat::F32)
      return b.load(b.f32(), address);
    return arith::ExtFOp::create(b, b.f32(), b.load(b.getF16Type(), address));
  }

protected:
  SmallVector<Value> panelAddresses(KernelBuilder &b, const Tile &tile, Value k) const {
    SmallVector<Value> addresses;
    for (Value panel : tile.panels)
      addresses.push_back(b.at(panel, k, bytes * kLanes));
    return addresses;
  }

private:
  bool isPaired() const { return format == WeightFormat::BF16; }
  int64_t unpackedAtOnce() const { return isPaired() ? 2 : 1; }

  /// The f32 weights of positions i … i + unpackedAtOnce() - 1.
  SmallVector<Value> unpack(KernelBuilder &b, Value address, int64_t i) const {
    int64_t offset = i * bytes * kLanes;
    if (format == WeightFormat::F32)
      return {b.load(b.vf(), address, offset)};
    if (format == WeightFormat::F16)
      return {arith::ExtFOp::create(b, b.vf(), b.load(b.vec(b.getF16Type()), address, offset))};
    auto [even, odd] = emitFromBF16Pairs(b, b.load(b.vec(b.i32()), address, offset));
    return {even, odd};
  }

  WeightFormat format;
  int64_t bytes, panelBytes;
};

/// bf16 weights times activations rounded to bf16, two k at a time.
class BF16DotReader : public DenseReader {
public:
  explicit BF16DotReader(int64_t k) : DenseReader(WeightFormat::BF16, k, 2) {}

  void emitStep(KernelBuilder &b, const Tile &tile, Value k, int64_t count,
                MutableArrayRef<Value> accumulators) const override {
    tile.ahead(k, count);
    Type pairs = b.vec(b.getBF16Type(), 2 * kLanes);
    Value activations = b.at(tile.activations, k, 2);
    SmallVector<Value> addresses = panelAddresses(b, tile, k);
    for (int64_t pair = 0; pair < ceilDiv(count, 2); ++pair) {
      SmallVector<Value> weights;
      for (Value address : addresses)
        weights.push_back(b.load(pairs, address, pair * 4 * kLanes));
      for (int64_t token = 0; token < tile.tokens; ++token) {
        Value word = b.load(b.i32(), activations, token * tile.rowBytes + pair * 4);
        for (auto [panel, w] : llvm::enumerate(weights)) {
          Value &acc = accumulators[token * tile.panels.size() + panel];
          acc = emitDot2(b, acc, w, word);
        }
      }
    }
  }
};

/// bf16 weights times activations rounded to bf16, with the bits of a matrix unit: within a tile's
/// 32 k, products at even and at odd k have a sum each, whose sum is then added to the output's
/// (TDPBF16PS, Intel's Software Developer's Manual; what it treats as zero, numbers below 2^-126,
/// counts here).
class TileOrderReader : public DenseReader {
public:
  explicit TileOrderReader(int64_t k) : DenseReader(WeightFormat::BF16, k, 2) {}

  int64_t stepSize() const override { return kTileDepth; }

  void emitStep(KernelBuilder &b, const Tile &tile, Value k, int64_t count,
                MutableArrayRef<Value> accumulators) const override {
    if (tile.tokens > 1)
      tile.ahead(k, count);
    VectorType pairs = b.vec(b.i32());
    Value activations = b.at(tile.activations, k, 2), zero = b.constant(b.vf(), 0.0);
    SmallVector<Value> addresses = panelAddresses(b, tile, k);
    SmallVector<Value> even(accumulators.size(), zero), odd(even);
    for (int64_t pair = 0; pair < ceilDiv(count, 2); ++pair) {
      if (tile.tokens == 1 && pair % 2 == 0)
        tile.ahead(b.add(k, pair * 2), std::min<int64_t>(4, count - pair * 2));
      SmallVector<std::pair<Value, Value>> weights;
      for (Value address : addresses)
        weights.push_back(emitFromBF16Pairs(b, b.load(pairs, address, pair * 4 * kLanes)));
      for (int64_t token = 0; token < tile.tokens; ++token) {
        auto [a0, a1] =
            emitFromBF16Pairs(b, b.loadSplat(pairs, activations, token * tile.rowBytes + pair * 4));
        for (auto [panel, w] : llvm::enumerate(weights)) {
          size_t output = token * tile.panels.size() + panel;
          even[output] = b.fma(w.first, a0, even[output]);
          odd[output] = b.fma(w.second, a1, odd[output]);
        }
      }
    }
    for (auto [sum, part, other] : llvm::zip(accumulators, even, odd))
      sum = b.addf(sum, b.addf(part, other));
  }
};

} // namespace

std::unique_ptr<WeightReader> rlx::createDenseReader(WeightFormat format, int64_t k,
                                                     const TargetDescription &target) {
  if (format == WeightFormat::BF16 && target.tiles)
    return std::make_unique<TileOrderReader>(k);
  if (format == WeightFormat::BF16 && target.bf16Dot)
    return std::make_unique<BF16DotReader>(k);
  return std::make_unique<DenseReader>(format, k, format == WeightFormat::F32 ? 4 : 2);
}
