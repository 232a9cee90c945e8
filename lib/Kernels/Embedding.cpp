//===- Embedding.cpp - Gathers rows of packed tables ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The embedding table is the head's packed copy, so that a row is one lane of a
// panel and its elements are read one by one.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "Sequences.h"
#include "WeightReader.h"

using namespace mlir;
using namespace rlx;

void rlx::emitEmbedding(KernelBuilder &b, const EmbeddingSpec &spec) {
  auto reader = createWeightReader(spec.format, spec.k, b.getTarget());
  Value batch = b.arg(3), seq = b.arg(4);
  // Items are parts of rows: a single token is shared among threads, too.
  const int64_t part = 128, parts = ceilDiv(spec.k, part);
  b.forRows(b.mul(b.mul(batch, seq), parts), [&](Value item) {
    Value row = b.div(item, parts), first = b.mul(b.rem(item, parts), part);
    SequenceAddress sequence(b, b.arg(2), b.div(row, seq));
    Value id = b.toIndex(b.load(b.i32(), b.at(sequence.ids(), b.rem(row, seq), 4)));
    Value panel = reader->panel(b, b.arg(0), b.div(id, kLanes));
    Value lane = b.rem(id, kLanes), out = b.at(b.arg(1), row, spec.outStride * 4);
    b.forEach(first, b.min(b.add(first, part), b.index(spec.k)), 1, [&](Value k) {
      Value value = reader->emitElement(b, panel, lane, k);
      b.store(b.mulf(value, b.constant(b.f32(), spec.scale)), b.at(out, k, 4));
    });
  });
}
