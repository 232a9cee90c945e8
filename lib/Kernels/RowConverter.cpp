//===- RowConverter.cpp - Activations as products read them ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vectors of 16 for floats; blocks of 32 columns, which share a scale, for integers.
//
//===----------------------------------------------------------------------===//
#include "RowConverter.h"
#include "VectorMath.h"

using namespace mlir;
using namespace rlx;

static Value rowOf(KernelBuilder &b, ActivationFormat format, int64_t k, Value buffer, Value row) {
  int64_t rowBytes = preparedRowBytes(format, k);
  if (format != ActivationFormat::BF16Tiles)
    return b.at(buffer, row, rowBytes);
  // Each tile of 32 columns has 64 bytes of each of its rows.
  Value tiles = b.at(buffer, b.div(row, kTileRows), kTileRows * rowBytes);
  return b.at(tiles, b.rem(row, kTileRows), kTileRowBytes);
}

RowConverter::RowConverter(KernelBuilder &b, ActivationFormat format, int64_t k, Value buffer,
                           Value row, Load load)
    : b(b), format(format), k(k), out(rowOf(b, format, k, buffer, row)), load(load) {}

void RowConverter::emitRow() {
  if (isInteger())
    return b.forEach(b.index(0), b.index(k), kQuantBlock, [&](Value column) { emitBlock(column); });
  b.forColumns(k, [&](Value column, int64_t lanes) { emitVector(column, lanes); });
  emitPadding();
}

void RowConverter::emitColumns(Value column, int64_t count) {
  const int64_t step = isInteger() ? kQuantBlock : kLanes;
  for (int64_t i = 0; i < count; i += step)
    isInteger() ? emitBlock(b.add(column, i)) : emitVector(b.add(column, i), kLanes);
}

Value RowConverter::placeOfBF16(Value column) {
  if (format != ActivationFormat::BF16Tiles)
    return b.at(out, column, 2);
  return b.at(b.at(out, b.div(column, kTileDepth), kTileBytes), b.rem(column, kTileDepth), 2);
}

void RowConverter::emitVector(Value column, int64_t lanes) {
  Value x = load(column, lanes);
  if (format == ActivationFormat::F32)
    return b.store(x, b.at(out, column, 4));
  b.store(emitToBF16Bits(b, x), placeOfBF16(column));
}

void RowConverter::emitPadding() {
  if (format == ActivationFormat::F32)
    return;
  const int64_t multiple = format == ActivationFormat::BF16Tiles ? kTileDepth : 2;
  for (int64_t column = k; column % multiple; ++column)
    b.store(b.constantInt(b.getI16Type(), 0), placeOfBF16(b.index(column)));
}

/// x = d * q with q in -127 … 127, and sums of q.
void RowConverter::emitBlock(Value column) {
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
  emitSums(column, sums, scale);
}

void RowConverter::emitSums(Value column, ArrayRef<Value> sums, Value scale) {
  bool halves = format == ActivationFormat::Int8Halves || format == ActivationFormat::ScaledHalves;
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
