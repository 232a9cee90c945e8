//===- Norm.cpp - RMS norm and preparation of activations -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row is the unit of work: it is normalised, and converted to what the linear
// kernels read, by one thread.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "VectorMath.h"

using namespace mlir;
using namespace rlx;

/// Accumulators of a sum of squares, to hide the latency of additions.
static constexpr int64_t kChains = 4;

Value rlx::emitRmsScale(KernelBuilder &b, Value x, int64_t columns, double eps) {
  SmallVector<Value> sums(kChains, b.constant(b.vf(), 0.0));
  int64_t step = kChains * kLanes, full = columns / step * step;
  if (full)
    sums = b.forEach(b.index(0), b.index(full), step, sums, [&](Value column, ValueRange carried) {
      KernelBuilder::Values next;
      Value address = b.at(x, column, 4);
      for (int64_t i = 0; i < kChains; ++i) {
        Value v = b.load(b.vf(), address, i * kLanes * 4);
        next.push_back(b.fma(v, v, carried[i]));
      }
      return next;
    });
  for (int64_t column = full, i = 0; column + kLanes <= columns; column += kLanes, ++i) {
    Value v = b.load(b.vf(), x, column * 4);
    sums[i] = b.fma(v, v, sums[i]);
  }
  Value vector = b.addf(b.addf(sums[0], sums[1]), b.addf(sums[2], sums[3]));
  Value sum = emitSum(b, vector);
  for (int64_t column = columns / kLanes * kLanes; column < columns; ++column) {
    Value v = b.load(b.f32(), x, column * 4);
    sum = b.fma(v, v, sum);
  }
  Value mean = b.divf(sum, b.constant(b.f32(), double(columns)));
  Value root = math::SqrtOp::create(b, b.addf(mean, b.constant(b.f32(), eps)));
  return b.divf(b.constant(b.f32(), 1.0), root);
}

Value rlx::emitNormalize(KernelBuilder &b, Value x, Value scale, Value gain, NormGain kind) {
  auto type = cast<VectorType>(x.getType());
  Value scaled = b.mulf(x, b.splat(scale, type));
  if (kind == NormGain::OnePlus)
    gain = b.addf(gain, b.constant(type, 1.0));
  return b.mulf(scaled, gain);
}

void rlx::emitRmsNorm(KernelBuilder &b, const RmsNormSpec &spec) {
  Value rows = b.arg(spec.residual ? 4 : 3);
  b.forRows(b.mul(rows, spec.groups), [&](Value item) {
    Value row = b.div(item, spec.groups);
    Value first = b.mul(b.rem(item, spec.groups), spec.columns);
    Value in = b.at(b.at(b.arg(0), row, spec.inStride * 4), first, 4);
    Value out = b.at(b.at(b.arg(2), row, spec.outStride * 4), first, 4);
    Value residual;
    if (spec.residual)
      residual = b.at(b.at(b.arg(3), row, spec.residualStride * 4), first, 4);
    Value scale = emitRmsScale(b, in, spec.columns, spec.eps);
    b.forColumns(spec.columns, [&](Value column, int64_t lanes) {
      Value x = b.load(b.vf(lanes), b.at(in, column, 4));
      Value gain = b.load(b.vf(lanes), b.at(b.arg(1), column, 4));
      Value y = emitNormalize(b, x, scale, gain, spec.gain);
      if (spec.residual)
        y = b.addf(b.load(b.vf(lanes), b.at(residual, column, 4)), y);
      b.store(y, b.at(out, column, 4));
    });
  });
}

namespace {

/// Converts one row, reading it through `load(column, lanes)`.
class RowConverter {
public:
  using Load = llvm::function_ref<Value(Value, int64_t)>;

  RowConverter(KernelBuilder &b, int64_t k, Value out, Load load)
      : b(b), k(k), out(out), load(load) {}

  void emit(ActivationFormat format) {
    switch (format) {
    case ActivationFormat::F32:
      return b.forColumns(k, [&](Value column, int64_t lanes) {
        b.store(load(column, lanes), b.at(out, column, 4));
      });
    case ActivationFormat::BF16:
      return emitBF16();
    case ActivationFormat::BF16Tiles:
      return emitBF16Tiles();
    default:
      return b.forEach(b.index(0), b.index(k), 32,
                       [&](Value column) { emitBlock(column, format); });
    }
  }

private:
  void emitBF16() {
    b.forColumns(k, [&](Value column, int64_t lanes) {
      b.store(emitToBF16Bits(b, load(column, lanes)), b.at(out, column, 2));
    });
    if (k % 2)
      b.store(b.constantInt(b.getI16Type(), 0), out, k * 2);
  }

  /// Each tile of 32 columns has one row of 64 bytes of this row.
  void emitBF16Tiles() {
    auto place = [&](Value column) {
      Value tile = b.at(out, b.div(column, kTileDepth), kTileBytes);
      return b.at(tile, b.rem(column, kTileDepth), 2);
    };
    b.forColumns(k, [&](Value column, int64_t lanes) {
      b.store(emitToBF16Bits(b, load(column, lanes)), place(column));
    });
    for (int64_t column = k; column % kTileDepth; ++column)
      b.store(b.constantInt(b.getI16Type(), 0), place(b.index(column)));
  }

  /// x = d * q with q in -127 … 127, and sums of q.
  void emitBlock(Value column, ActivationFormat format) {
    Value halves[2];
    for (int64_t i = 0; i < 2; ++i)
      halves[i] = load(b.add(column, i * kLanes), kLanes);
    Value amax = emitMaxAbs(b, halves);
    Value zero = b.constant(b.f32(), 0.0);
    Value inverse = b.divf(b.constant(b.f32(), 127.0), amax);
    Value isZero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, amax, zero);
    inverse = arith::SelectOp::create(b, isZero, zero, inverse);
    Value sums[2];
    for (int64_t i = 0; i < 2; ++i) {
      Value q = emitNearestInteger(b, b.mulf(halves[i], b.splat(inverse, b.vf())));
      sums[i] = q;
      Value narrow = arith::TruncIOp::create(b, b.vec(b.getI8Type()), q);
      b.store(narrow, b.at(out, column, 1), i * kLanes);
    }
    Value scale = b.divf(amax, b.constant(b.f32(), 127.0));
    b.store(scale, b.at(out, b.div(column, 8), 1, k));
    emitSums(column, sums, scale, format);
  }

  void emitSums(Value column, ArrayRef<Value> sums, Value scale, ActivationFormat format) {
    bool halves =
        format == ActivationFormat::Int8Halves || format == ActivationFormat::ScaledHalves;
    bool scaled = format == ActivationFormat::Scaled || format == ActivationFormat::ScaledHalves;
    SmallVector<Value> groups(sums);
    if (!halves)
      groups = {arith::AddIOp::create(b, sums[0], sums[1])};
    Value address = b.at(out, b.div(column, halves ? 4 : 8), 1, k + k / 8);
    for (auto [i, group] : llvm::enumerate(groups)) {
      Value total = vector::ReductionOp::create(b, vector::CombiningKind::ADD, group);
      if (scaled)
        total = b.mulf(arith::SIToFPOp::create(b, b.f32(), total), scale);
      b.store(total, address, i * 4);
    }
  }

  KernelBuilder &b;
  int64_t k;
  Value out;
  Load load;
};

} // namespace

static Value preparedRow(KernelBuilder &b, Value out, ActivationFormat format, int64_t k,
                         Value row) {
  int64_t rowBytes = preparedRowBytes(format, k);
  if (format != ActivationFormat::BF16Tiles)
    return b.at(out, row, rowBytes);
  Value tiles = b.at(out, b.div(row, kTileRows), kTileRows * rowBytes);
  return b.at(tiles, b.rem(row, kTileRows), kTileRowBytes);
}

void rlx::emitPrepare(KernelBuilder &b, const PrepareSpec &spec) {
  unsigned outArg = spec.norm ? 2 : 1;
  Value rows = b.arg(outArg + 1);
  auto emit = [&](ActivationFormat format) {
    b.forRows(rows, [&](Value row) {
      Value in = b.at(b.arg(0), row, spec.inStride * 4);
      Value scale;
      if (spec.norm)
        scale = emitRmsScale(b, in, spec.k, spec.eps);
      auto load = [&](Value column, int64_t lanes) -> Value {
        Value x = b.load(b.vf(lanes), b.at(in, column, 4));
        if (!spec.norm)
          return x;
        Value gain = b.load(b.vf(lanes), b.at(b.arg(1), column, 4));
        return emitNormalize(b, x, scale, gain, spec.gain);
      };
      RowConverter(b, spec.k, preparedRow(b, b.arg(outArg), format, spec.k, row), load)
          .emit(format);
    });
  };
  if (!spec.tiled)
    return emit(spec.format);
  b.ifElse(
      b.less(b.index(kUntiledRows), rows), [&] { emit(ActivationFormat::BF16Tiles); },
      [&] { emit(spec.format); });
}
