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
#include "RowConverter.h"
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
      RowConverter(b, format, spec.k, b.arg(outArg), row, load).emitRow();
    });
  };
  if (!spec.tiled)
    return emit(spec.format);
  b.ifElse(
      b.less(b.index(untiledRows(spec.format)), rows), [&] { emit(ActivationFormat::BF16Tiles); },
      [&] { emit(spec.format); });
}
