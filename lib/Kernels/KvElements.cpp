//===- KvElements.cpp - Elements of the KV cache's planes -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "KvElements.h"
#include "VectorMath.h"

using namespace mlir;
using namespace rlx;

/// Features that share a scale.
static constexpr int64_t kScaled = RLX_KV_SCALED;

int64_t KvElements::elementBytes() const {
  return type == KvType::F32 ? 4 : type == KvType::Q8_0 ? 1 : 2;
}

Value KvElements::load(int64_t lanes, Value pointer, int64_t offset, Value scale) {
  auto of = [&](Type element) -> Type { return lanes ? Type(b.vec(element, lanes)) : element; };
  switch (type) {
  case KvType::F32:
    return b.load(of(b.f32()), pointer, offset);
  case KvType::F16:
    return arith::ExtFOp::create(b, of(b.f32()), b.load(of(b.getF16Type()), pointer, offset));
  case KvType::BF16:
    return emitFromBF16Bits(b, b.load(of(b.getI16Type()), pointer, offset));
  case KvType::Q8_0:
    break;
  }
  Value code = b.load(of(b.getI8Type()), pointer, offset);
  Value wide = arith::ExtSIOp::create(b, of(b.i32()), code);
  return b.mulf(arith::SIToFPOp::create(b, of(b.f32()), wide), scale);
}

Value KvElements::loadScale(Value pointer, int64_t lanes) {
  Type narrow = b.getF16Type(), wide = b.f32();
  if (lanes) {
    narrow = b.vec(narrow, lanes);
    wide = b.vec(wide, lanes);
  }
  return arith::ExtFOp::create(b, wide, b.load(narrow, pointer));
}

Value KvElements::keyScales(Value block, Value d, int64_t offset) {
  if (!hasScales())
    return {};
  int64_t scales = headDim * kLanes + offset;
  return loadScale(b.at(block, b.div(d, kScaled), kLanes * 2, scales), kLanes);
}

Value KvElements::keyScale(Value block, Value d, Value lane) {
  if (!hasScales())
    return {};
  Value scales = b.at(block, b.div(d, kScaled), kLanes * 2, headDim * kLanes);
  return loadScale(b.at(scales, lane, 2), 0);
}

Value KvElements::valueScale(Value row, Value d) {
  if (!hasScales())
    return {};
  return loadScale(b.at(row, b.div(d, kScaled), 2, headDim), 0);
}

/// f32 to what is stored; not for types with scales.
Value KvElements::convert(Value values) {
  if (type == KvType::BF16)
    return emitToBF16Bits(b, values);
  if (type == KvType::F16)
    return arith::TruncFOp::create(
        b, b.vec(b.getF16Type(), cast<VectorType>(values.getType()).getDimSize(0)), values);
  return values;
}

/// The scale is rounded first, so that codes are the nearest of what will be read. One that f16
/// rounds down by much, or to 0, would leave codes above 127: those become 127.
KvElements::Quantized KvElements::quantize(Value source) {
  Value halves[2] = {b.load(b.vf(), source), b.load(b.vf(), source, kLanes * 4)};
  Value zero = b.constant(b.f32(), 0.0), one = b.constant(b.f32(), 1.0);
  Value ideal = b.divf(emitMaxAbs(b, halves), b.constant(b.f32(), 127.0));
  Quantized result;
  result.scale = arith::TruncFOp::create(b, b.getF16Type(), ideal);
  Value scale = arith::ExtFOp::create(b, b.f32(), result.scale);
  Value isZero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, scale, zero);
  Value inverse = arith::SelectOp::create(b, isZero, zero, b.divf(one, scale));
  for (int64_t i = 0; i < 2; ++i) {
    Value scaled = b.mulf(halves[i], b.splat(inverse, b.vf()));
    scaled = b.minf(b.maxf(scaled, b.constant(b.vf(), -127.0)), b.constant(b.vf(), 127.0));
    result.codes[i] =
        arith::TruncIOp::create(b, b.vec(b.getI8Type()), emitNearestInteger(b, scaled));
  }
  return result;
}

/// Lane i goes to `address` + i features.
void KvElements::storeLanes(Value vector, Value address) {
  for (int64_t i = 0, n = cast<VectorType>(vector.getType()).getNumElements(); i < n; ++i)
    b.store(b.lane(vector, i), address, i * kLanes * elementBytes());
}

void KvElements::storeKey(Value source, Value block, Value lane) {
  auto place = [&](Value d) {
    return b.at(b.at(block, d, kLanes * elementBytes()), lane, elementBytes());
  };
  if (!hasScales())
    return b.forColumns(headDim, [&](Value d, int64_t lanes) {
      storeLanes(convert(b.load(b.vf(lanes), b.at(source, d, 4))), place(d));
    });
  b.forEach(b.index(0), b.index(headDim), kScaled, [&](Value d) {
    Quantized quantized = quantize(b.at(source, d, 4));
    storeLanes(quantized.codes[0], place(d));
    storeLanes(quantized.codes[1], place(b.add(d, kLanes)));
    Value scales = b.at(block, b.div(d, kScaled), kLanes * 2, headDim * kLanes);
    b.store(quantized.scale, b.at(scales, lane, 2));
  });
}

void KvElements::storeValue(Value source, Value row) {
  if (!hasScales())
    return b.forColumns(headDim, [&](Value d, int64_t lanes) {
      b.store(convert(b.load(b.vf(lanes), b.at(source, d, 4))), b.at(row, d, elementBytes()));
    });
  b.forEach(b.index(0), b.index(headDim), kScaled, [&](Value d) {
    Quantized quantized = quantize(b.at(source, d, 4));
    b.store(quantized.codes[0], b.at(row, d, 1));
    b.store(quantized.codes[1], b.at(row, d, 1, kLanes));
    b.store(quantized.scale, b.at(row, b.div(d, kScaled), 2, headDim));
  });
}
