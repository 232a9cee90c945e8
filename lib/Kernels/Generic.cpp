//===- Generic.cpp - Products and attention by their definition -----------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scalar loops that share with the fast kernels no more than how an element is read:
// no tiles, no dot product instructions, no activations in 8 bits, no online softmax.
// What a model computes with and without them tells a wrong kernel from a wrong model.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "KvElements.h"
#include "Sequences.h"
#include "VectorMath.h"
#include "WeightReader.h"

using namespace mlir;
using namespace rlx;

/// sum over k of x[k] * W[panel * 16 + lane][k]
static Value emitDot(KernelBuilder &b, const WeightReader &reader, int64_t k, Value x, Value panel,
                     Value lane) {
  Value address = reader.panel(b, b.arg(0), panel);
  auto add = [&](Value i, ValueRange sum) {
    Value weight = reader.emitElement(b, address, lane, i);
    return KernelBuilder::Values{b.fma(weight, b.load(b.f32(), b.at(x, i, 4)), sum.front())};
  };
  return b.forEach(b.index(0), b.index(k), 1, b.constant(b.f32(), 0.0), add).front();
}

void rlx::emitGenericLinear(KernelBuilder &b, const LinearSpec &spec) {
  auto reader = createWeightReader(spec.format, spec.k, b.getTarget());
  auto emitOutput = [&](Value row, Value column) {
    Value x = b.at(b.arg(1), row, spec.inStride * 4);
    Value panel = b.div(column, kLanes), lane = b.rem(column, kLanes);
    if (spec.geglu)
      panel = b.mul(panel, 2);
    Value value = emitDot(b, *reader, spec.k, x, panel, lane);
    if (spec.geglu)
      value = b.mulf(emitGelu(b, value), emitDot(b, *reader, spec.k, x, b.add(panel, 1), lane));
    if (spec.cap)
      value = emitSoftCap(b, value, *spec.cap);
    if (spec.residual) {
      Value residual = b.at(b.arg(3), row, spec.residualStride * 4);
      value = b.addf(b.load(b.f32(), b.at(residual, column, 4)), value);
    }
    b.store(value, b.at(b.at(b.arg(2), row, spec.outStride * 4), column, 4));
  };
  Value counter = b.arg(spec.residual ? 4 : 3), rows = b.arg(spec.residual ? 5 : 4);
  b.forClaimedRanges(counter, b.mul(rows, spec.n), 1, [&](IndexRange range) {
    b.forEach(range.begin, range.end, 1,
              [&](Value item) { emitOutput(b.div(item, spec.n), b.rem(item, spec.n)); });
  });
}

namespace {

/// One query over its keys, in three passes: the greatest score, the weights' sum, the values.
class GenericAttention {
public:
  GenericAttention(KernelBuilder &b, const AttentionSpec &spec)
      : b(b), spec(spec), elements(b, spec.kvType, spec.headDim) {}

  void emit() {
    Value seq = b.arg(6), queries = b.mul(b.mul(b.arg(5), seq), spec.heads);
    b.forRows(queries, [&](Value item) {
      Value row = b.div(item, spec.heads), head = b.rem(item, spec.heads);
      SequenceAddress sequence(b, b.arg(2), b.div(row, seq));
      Value last = b.add(sequence.past(), b.rem(row, seq)), end = b.add(last, 1);
      Value begin = b.index(0);
      if (spec.window)
        begin = b.sub(b.max(end, b.index(spec.window)), b.index(spec.window));
      KvPlanes planes(b, sequence.slot(b.arg(4)), b.div(head, spec.heads / spec.kvHeads));
      Value column = b.mul(head, spec.headDim);
      Value query = b.at(b.at(b.arg(0), row, spec.qStride * 4), column, 4);
      Value out = b.at(b.at(b.arg(1), row, spec.outStride * 4), column, 4);
      emitQuery(planes, query, out, begin, end);
    });
  }

private:
  void emitQuery(const KvPlanes &planes, Value query, Value out, Value begin, Value end) {
    Value greatest = fold(begin, end, emitScore(planes, query, begin), [&](Value key, Value old) {
      return b.maxf(old, emitScore(planes, query, key));
    });
    auto weight = [&](Value key) {
      return emitExp(b, b.subf(emitScore(planes, query, key), greatest));
    };
    Value zero = b.constant(b.f32(), 0.0);
    Value sum =
        fold(begin, end, zero, [&](Value key, Value old) { return b.addf(old, weight(key)); });
    b.forEach(b.index(0), b.index(spec.headDim), 1,
              [&](Value d) { b.store(zero, b.at(out, d, 4)); });
    b.forEach(begin, end, 1, [&](Value key) {
      Value p = b.divf(weight(key), sum);
      Value values = b.at(planes.v, b.rem(key, planes.capacity), elements.positionBytes());
      b.forEach(b.index(0), b.index(spec.headDim), 1, [&](Value d) {
        Value value = elements.load(0, b.at(values, d, elements.elementBytes()), 0,
                                    elements.valueScale(values, d));
        b.store(b.fma(p, value, b.load(b.f32(), b.at(out, d, 4))), b.at(out, d, 4));
      });
    });
  }

  /// The final score of one key, which lies in a block of 16 at position [d][key].
  Value emitScore(const KvPlanes &planes, Value query, Value key) {
    Value row = b.rem(key, planes.capacity), lane = b.rem(row, kLanes);
    Value block = b.at(planes.k, b.sub(row, lane), elements.positionBytes());
    const int64_t bytes = elements.elementBytes();
    Value zero = b.constant(b.f32(), 0.0);
    Value score = fold(b.index(0), b.index(spec.headDim), zero, [&](Value d, Value old) {
      Value feature = b.at(b.at(block, d, kLanes * bytes), lane, bytes);
      Value k = elements.load(0, feature, 0, elements.keyScale(block, d, lane));
      return b.fma(b.load(b.f32(), b.at(query, d, 4)), k, old);
    });
    score = b.mulf(score, b.constant(b.f32(), spec.scale));
    return spec.cap ? emitSoftCap(b, score, *spec.cap) : score;
  }

  Value fold(Value begin, Value end, Value start, llvm::function_ref<Value(Value, Value)> step) {
    return b
        .forEach(begin, end, 1, start,
                 [&](Value i, ValueRange carried) {
                   return KernelBuilder::Values{step(i, carried.front())};
                 })
        .front();
  }

  KernelBuilder &b;
  const AttentionSpec &spec;
  KvElements elements;
};

} // namespace

void rlx::emitGenericAttention(KernelBuilder &b, const AttentionSpec &spec) {
  GenericAttention(b, spec).emit();
}
