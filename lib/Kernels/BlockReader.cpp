//===- BlockReader.cpp - Panels of q8_0 and q4_0 --------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step is one block of 32 k: exact integer sums of quants, then one fused
// multiply-add by the product of both scales.
//
//===----------------------------------------------------------------------===//
#include "WeightReader.h"

using namespace mlir;
using namespace rlx;

static constexpr int64_t kBlock = 32;
static constexpr int64_t kGroupBytes = 4 * kLanes; // 16 rows x 4 k

namespace {

class BlockReader : public WeightReader {
public:
  BlockReader(WeightFormat format, int64_t n, int64_t k)
      : nibbles(format == WeightFormat::Q4_0), k(k), quantBytes(nibbles ? 8 : 16),
        scalesOffset(llvm::alignTo(ceilDiv(n, kLanes) * k * quantBytes, 64)) {}

  int64_t stepSize() const override { return kBlock; }

  PanelAddress panel(KernelBuilder &b, Value weights, Value panel) const override {
    return {b.at(weights, panel, k * quantBytes), b.at(weights, panel, k, scalesOffset)};
  }

  void emitStep(KernelBuilder &b, const Tile &tile, Value position, int64_t count,
                MutableArrayRef<Value> accumulators) const override {
    // Blocks of a panel's scales are 32 bytes apart, an activation row's 4: k and k / 8.
    Value eighth = b.div(position, 8);
    Value scales = b.at(tile.activations, eighth, 1, k);
    Value sums = b.at(tile.activations, eighth, 1, k + k / kBlock * 4);
    SmallVector<Value> integers = startValues(b, tile, sums);
    multiplyGroups(b, tile, position, integers);
    SmallVector<Value> weightScales;
    for (const PanelAddress &panel : tile.panels) {
      Value halves = b.load(b.vec(b.getF16Type()), b.at(panel.scales, position, 1));
      weightScales.push_back(arith::ExtFOp::create(b, b.vf(), halves));
    }
    for (int64_t token = 0; token < tile.tokens; ++token) {
      Value scale = b.loadSplat(b.vf(), scales, token * tile.rowBytes);
      for (auto [panel, weightScale] : llvm::enumerate(weightScales)) {
        unsigned i = token * tile.panels.size() + panel;
        Value sum = arith::SIToFPOp::create(b, b.vf(), integers[i]);
        accumulators[i] = b.fma(sum, b.mulf(weightScale, scale), accumulators[i]);
      }
    }
  }

  Value emitElement(KernelBuilder &b, const PanelAddress &panel, Value lane,
                    Value position) const override {
    Value block = b.mul(b.div(position, kBlock), kBlock);
    Value within = b.rem(position, kBlock);
    // Nibbles of one byte are 16 positions apart.
    Value byteIndex = nibbles ? b.rem(within, 16) : within;
    Value group = b.at(b.at(panel.quants, block, quantBytes), b.div(byteIndex, 4), kGroupBytes);
    Value address = b.at(b.at(group, lane, 4), b.rem(byteIndex, 4), 1);
    Value quant = arith::ExtUIOp::create(b, b.i32(), b.load(b.getI8Type(), address));
    if (nibbles) {
      Value high = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, within, b.index(16));
      Value shift =
          arith::SelectOp::create(b, high, b.constantInt(b.i32(), 4), b.constantInt(b.i32(), 0));
      quant = arith::AndIOp::create(b, arith::ShRUIOp::create(b, quant, shift),
                                    b.constantInt(b.i32(), 15));
    }
    Value value = arith::SubIOp::create(b, quant, b.constantInt(b.i32(), nibbles ? 8 : 128));
    Value scale = b.load(b.getF16Type(), b.at(b.at(panel.scales, block, 1), lane, 2));
    return b.mulf(arith::SIToFPOp::create(b, b.f32(), value),
                  arith::ExtFOp::create(b, b.f32(), scale));
  }

private:
  bool isSigned(const TargetDescription &target) const {
    return !nibbles && dot4WantsSigned(target);
  }

  /// Unsigned quants are too great by 128 or 8, which the start value takes back.
  SmallVector<Value> startValues(KernelBuilder &b, const Tile &tile, Value sums) const {
    VectorType type = b.vec(b.i32());
    SmallVector<Value> result;
    for (int64_t token = 0; token < tile.tokens; ++token) {
      Value start;
      if (isSigned(b.getTarget())) {
        start = b.constantInt(type, 0);
      } else {
        Value sum = b.load(b.i32(), sums, token * tile.rowBytes);
        start = b.splat(b.mul(sum, b.constantInt(b.i32(), nibbles ? -8 : -128)), type);
      }
      result.append(tile.panels.size(), start);
    }
    return result;
  }

  void multiplyGroups(KernelBuilder &b, const Tile &tile, Value position,
                      MutableArrayRef<Value> integers) const {
    Value activations = b.at(tile.activations, position, 1);
    SmallVector<Value> quants;
    for (const PanelAddress &panel : tile.panels)
      quants.push_back(b.at(panel.quants, position, quantBytes));
    for (int64_t group = 0; group < kBlock / 4; ++group) {
      SmallVector<Value> weights;
      for (Value address : quants)
        weights.push_back(unpack(b, address, group));
      for (int64_t token = 0; token < tile.tokens; ++token) {
        Value word = b.load(b.i32(), activations, token * tile.rowBytes + group * 4);
        for (auto [panel, w] : llvm::enumerate(weights)) {
          Value &acc = integers[token * tile.panels.size() + panel];
          acc = emitDot4(b, acc, w, isSigned(b.getTarget()), word);
        }
      }
    }
  }

  /// Positions 4 * group … of a block as bytes. Groups of nibbles share bytes four apart.
  Value unpack(KernelBuilder &b, Value address, int64_t group) const {
    VectorType bytes = b.vec(b.getI8Type(), kGroupBytes), words = b.vec(b.i32());
    Value raw = b.load(bytes, address, (nibbles ? group % 4 : group) * kGroupBytes);
    if (!nibbles)
      return isSigned(b.getTarget())
                 ? arith::XOrIOp::create(b, raw, b.constantInt(bytes, 0x80)).getResult()
                 : raw;
    Value word = b.bitcast(raw, words);
    if (group >= 4)
      word = arith::ShRUIOp::create(b, word, b.constantInt(words, 4));
    word = arith::AndIOp::create(b, word, b.constantInt(words, 0x0f0f0f0f));
    return b.bitcast(word, bytes);
  }

  bool nibbles;
  int64_t k, quantBytes, scalesOffset;
};

} // namespace

std::unique_ptr<WeightReader> rlx::createBlockReader(WeightFormat format, int64_t n, int64_t k) {
  return std::make_unique<BlockReader>(format, n, k);
}

std::unique_ptr<WeightReader> rlx::createWeightReader(WeightFormat format, int64_t n, int64_t k,
                                                      const TargetDescription &target) {
  if (format == WeightFormat::Q8_0 || format == WeightFormat::Q4_0)
    return createBlockReader(format, n, k);
  return createDenseReader(format, k, target.bf16Dot);
}
