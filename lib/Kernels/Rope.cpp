//===- Rope.cpp - Rotary positions and the KV cache's writer --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Angles, rotation of heads, and rotation fused with the append to the cache; both
// rotations are one function, so that fusion does not change a bit.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "KvElements.h"
#include "Sequences.h"
#include "VectorMath.h"

using namespace mlir;
using namespace rlx;

void rlx::emitRopeAngles(KernelBuilder &b, const RopeAnglesSpec &spec, Value table) {
  int64_t half = spec.invFreq.size();
  Value seq = b.arg(3);
  b.forRows(b.mul(b.arg(2), seq), [&](Value row) {
    SequenceAddress sequence(b, b.arg(1), b.div(row, seq));
    Value position = b.add(sequence.past(), b.rem(row, seq));
    Value real = arith::SIToFPOp::create(b, b.getF64Type(), b.toI64(position));
    Value out = b.at(b.arg(0), row, 2 * half * 4);
    b.forColumns(half, [&](Value column, int64_t lanes) {
      VectorType wide = b.vec(b.getF64Type(), lanes);
      Value turns = b.mulf(b.load(wide, b.at(table, column, 8)), b.splat(real, wide));
      auto [cosine, sine] = emitCosSinTurns(b, turns);
      Value address = b.at(out, column, 4);
      b.store(arith::TruncFOp::create(b, b.vf(lanes), cosine), address);
      b.store(arith::TruncFOp::create(b, b.vf(lanes), sine), address, half * 4);
    });
  });
}

/// Calls sink(column, values) for the rotated features of one head. Both halves of a pair are read
/// before either is given out, so that the sink may overwrite the input.
static void emitRotated(KernelBuilder &b, Value head, Value angles, int64_t headDim,
                        int64_t ropeDim, llvm::function_ref<void(Value, Value)> sink) {
  int64_t half = ropeDim / 2;
  b.forColumns(half, [&](Value column, int64_t lanes) {
    Value address = b.at(head, column, 4), angle = b.at(angles, column, 4);
    Value low = b.load(b.vf(lanes), address), high = b.load(b.vf(lanes), address, half * 4);
    Value c = b.load(b.vf(lanes), angle), s = b.load(b.vf(lanes), angle, half * 4);
    sink(column, b.fma(low, c, b.negf(b.mulf(high, s))));
    sink(b.add(column, half), b.fma(high, c, b.mulf(low, s)));
  });
  b.forColumns(headDim - ropeDim, [&](Value column, int64_t lanes) {
    Value feature = b.add(column, ropeDim);
    sink(feature, b.load(b.vf(lanes), b.at(head, feature, 4)));
  });
}

void rlx::emitRope(KernelBuilder &b, const RopeSpec &spec) {
  b.forRows(b.mul(b.arg(3), spec.heads), [&](Value item) {
    Value row = b.div(item, spec.heads);
    Value first = b.mul(b.rem(item, spec.heads), spec.headDim);
    Value in = b.at(b.at(b.arg(0), row, spec.inStride * 4), first, 4);
    Value out = b.at(b.at(b.arg(2), row, spec.outStride * 4), first, 4);
    Value angles = b.at(b.arg(1), row, spec.ropeDim * 4);
    emitRotated(b, in, angles, spec.headDim, spec.ropeDim,
                [&](Value feature, Value values) { b.store(values, b.at(out, feature, 4)); });
  });
}

void rlx::emitKvAppend(KernelBuilder &b, const KvAppendSpec &spec) {
  unsigned next = spec.rope ? 3 : 2;
  Value sequences = b.arg(next), slotNumber = b.arg(next + 1);
  Value batch = b.arg(next + 2), seq = b.arg(next + 3);
  KvElements elements(b, spec.kvType, spec.headDim);
  Value rotated = spec.rope ? b.stack(spec.headDim * 4) : Value();
  b.forRows(b.mul(b.mul(batch, seq), spec.kvHeads), [&](Value item) {
    Value row = b.div(item, spec.kvHeads), head = b.rem(item, spec.kvHeads);
    SequenceAddress sequence(b, sequences, b.div(row, seq));
    KvPlanes planes(b, sequence.slot(slotNumber), head);
    Value ring = b.rem(b.add(sequence.past(), b.rem(row, seq)), planes.capacity);
    Value first = b.mul(head, spec.headDim);

    Value k = b.at(b.at(b.arg(0), row, spec.kStride * 4), first, 4);
    if (spec.rope) {
      emitRotated(b, k, b.at(b.arg(2), row, spec.ropeDim * 4), spec.headDim, spec.ropeDim,
                  [&](Value feature, Value values) { b.store(values, b.at(rotated, feature, 4)); });
      k = rotated;
    }
    Value block = b.at(planes.k, b.div(ring, kLanes), elements.blockBytes());
    elements.storeKey(k, block, b.rem(ring, kLanes));
    Value v = b.at(b.at(b.arg(1), row, spec.vStride * 4), first, 4);
    elements.storeValue(v, b.at(planes.v, ring, elements.positionBytes()));
  });
}
