//===- AttentionRows.cpp - Query rows and what they see -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Positions are absolute; a window of keys ends with the row's own.
//
//===----------------------------------------------------------------------===//
#include "AttentionRows.h"
#include "Sequences.h"
#include "VectorMath.h"
#include <limits>

using namespace mlir;
using namespace rlx;

Value rlx::firstSeen(KernelBuilder &b, const AttentionSpec &spec, Value last) {
  if (!spec.window)
    return b.index(0);
  return b.sub(b.max(b.add(last, 1), b.index(spec.window)), b.index(spec.window));
}

QueryRow rlx::locateRow(KernelBuilder &b, const AttentionSpec &spec, Value sequence, Value head,
                        Value seq, Value number) {
  const int64_t group = groupSize(spec);
  number = b.min(number, b.sub(b.mul(seq, group), b.index(1)));
  Value token = b.div(number, group);
  Value row = b.add(b.mul(sequence, seq), token);
  Value column = b.mul(b.add(b.mul(head, group), b.rem(number, group)), spec.headDim);
  QueryRow result;
  result.query = b.at(b.at(b.arg(0), row, spec.qStride * 4), column, 4);
  result.out = b.at(b.at(b.arg(1), row, spec.outStride * 4), column, 4);
  result.last = b.add(SequenceAddress(b, b.arg(2), sequence).past(), token);
  result.first = firstSeen(b, spec, result.last);
  return result;
}

Value rlx::emitMasked(KernelBuilder &b, const AttentionSpec &spec, Value score, const QueryRow &row,
                      Value base) {
  score = b.mulf(score, b.constant(b.vf(), spec.scale));
  if (spec.cap)
    score = emitSoftCap(b, score, *spec.cap);
  VectorType positions = b.vec(b.i32());
  SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, kLanes));
  Value lane = arith::ConstantOp::create(b, b.getI32VectorAttr(numbers));
  auto compare = [&](arith::CmpIPredicate predicate, Value bound) {
    Value relative = arith::IndexCastOp::create(b, b.i32(), b.sub(bound, base));
    return arith::CmpIOp::create(b, predicate, lane, b.splat(relative, positions)).getResult();
  };
  Value seen = compare(arith::CmpIPredicate::sle, row.last);
  if (spec.window)
    seen = arith::AndIOp::create(b, seen, compare(arith::CmpIPredicate::sge, row.first));
  Value none = b.constant(b.vf(), -std::numeric_limits<double>::infinity());
  return arith::SelectOp::create(b, seen, score, none);
}

void rlx::emitZeros(KernelBuilder &b, int64_t columns, Value address) {
  b.forColumns(columns, [&](Value d, int64_t lanes) {
    b.store(b.constant(b.vf(lanes), 0.0), b.at(address, d, 4));
  });
}

void rlx::emitQuotient(KernelBuilder &b, int64_t headDim, Value total, Value sum, Value out) {
  Value inverse = b.divf(b.constant(b.f32(), 1.0), emitSum(b, sum));
  b.forColumns(headDim, [&](Value d, int64_t lanes) {
    VectorType type = b.vf(lanes);
    Value value = b.load(type, b.at(total, d, 4));
    b.store(b.fma(value, b.splat(inverse, type), b.constant(type, 0.0)), b.at(out, d, 4));
  });
}
