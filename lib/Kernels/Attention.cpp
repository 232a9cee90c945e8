//===- Attention.cpp - Streaming attention over the blocked cache ---------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A work item is a tile of query rows (tokens x heads of a group) that read one KV
// head. Blocks of 16 keys at absolute positions are merged in ascending order by the
// online softmax. To a row, a block without any of its keys is exactly neutral: its
// maximum stays, so that old sums are scaled by exp(0) = 1 and grow by 0; the last
// step turns -0, the one trace that adding 0 can leave, into +0. Hence tiles may
// share blocks, and results do not depend on how rows are tiled.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "Sequences.h"
#include "VectorMath.h"
#include <limits>

using namespace mlir;
using namespace rlx;

// The maximum before the first key: finite, so that its difference to itself is 0.
static constexpr double kNoKey = -3.0e38;

// Independent chains of fused multiply-adds that hide their latency.
static constexpr int64_t kScoreChains = 8;

namespace {

/// One query row of the tile.
struct QueryRow {
  Value query, out;  ///< addresses
  Value first, last; ///< absolute positions of the keys it sees, inclusive
};

class AttentionEmitter {
public:
  AttentionEmitter(KernelBuilder &b, const AttentionSpec &spec)
      : b(b), spec(spec), group(spec.heads / spec.kvHeads), bytes(kvBytes(spec.kvType)) {
    const TargetDescription &target = b.getTarget();
    rows = target.attentionRows;
    if (spec.singleRow) // Few heads: leave work for other threads.
      rows = std::min({rows, group, std::max<int64_t>(ceilDiv(spec.heads, 4), 1)});
    vectors = std::max<int64_t>(target.attentionRows * target.attentionVectors / rows, 1);
    // Two blocks of scores at most, four for a single row.
    blocks = std::clamp<int64_t>(kScoreChains / rows, 1, 4);
  }

  void emit() {
    Value batch = b.arg(4), seq = b.arg(5);
    Value perHead = b.mul(seq, group);
    Value tiles = b.div(b.add(perHead, rows - 1), rows);
    queries = b.stack(rows * spec.headDim * 4);
    outputs = b.stack(rows * spec.headDim * 4);
    weights = b.stack(rows * kLanes * 4);
    Value pairs = b.mul(batch, spec.kvHeads);
    b.forInterleaved(b.mul(tiles, pairs), [&](Value item) {
      Value pair = b.rem(item, pairs);
      emitTile(b.div(pair, spec.kvHeads), b.rem(pair, spec.kvHeads), b.div(item, pairs), seq);
    });
  }

private:
  void emitTile(Value sequenceNumber, Value head, Value tile, Value seq) {
    SequenceAddress sequence(b, b.arg(2), sequenceNumber);
    KvPlanes planes(b, sequence.slot(b.arg(3)), head);
    Value past = sequence.past();
    tileRows.clear();
    for (int64_t r = 0; r < rows; ++r)
      tileRows.push_back(locateRow(sequenceNumber, head, past, seq, b.add(b.mul(tile, rows), r)));
    for (int64_t r = 0; r < rows; ++r)
      b.forColumns(spec.headDim, [&](Value d, int64_t lanes) {
        Value offset = b.add(d, r * spec.headDim);
        b.store(b.load(b.vf(lanes), b.at(tileRows[r].query, d, 4)), b.at(queries, offset, 4));
        b.store(b.constant(b.vf(lanes), 0.0), b.at(outputs, offset, 4));
      });
    emitBlocks(planes);
    emitOutputs();
  }

  /// Rows are numbered token * group + head of the group. Those past the end repeat the last one.
  QueryRow locateRow(Value sequence, Value head, Value past, Value seq, Value number) {
    number = b.min(number, b.sub(b.mul(seq, group), b.index(1)));
    Value token = b.div(number, group);
    Value row = b.add(b.mul(sequence, seq), token);
    Value column = b.mul(b.add(b.mul(head, group), b.rem(number, group)), spec.headDim);
    QueryRow result;
    result.query = b.at(b.at(b.arg(0), row, spec.qStride * 4), column, 4);
    result.out = b.at(b.at(b.arg(1), row, spec.outStride * 4), column, 4);
    result.last = b.add(past, token);
    result.first = b.index(0);
    if (spec.window)
      result.first =
          b.sub(b.max(b.add(result.last, 1), b.index(spec.window)), b.index(spec.window));
    return result;
  }

  void emitBlocks(const KvPlanes &planes) {
    Value begin = b.div(tileRows.front().first, kLanes);
    Value end = b.add(b.div(tileRows.back().last, kLanes), 1);
    KernelBuilder::Values state;
    for (int64_t r = 0; r < rows; ++r)
      state.push_back(b.constant(b.f32(), kNoKey));
    state.append(rows, b.constant(b.vf(), 0.0));
    for (int64_t step : {blocks, int64_t(1)}) {
      Value stop = b.add(begin, b.mul(b.div(b.sub(end, begin), step), step));
      state = b.forEach(begin, stop, step, state, [&](Value block, ValueRange carried) {
        KernelBuilder::Values next(carried);
        SmallVector<Value> scores = emitScores(planes, block, step);
        for (int64_t i = 0; i < step; ++i)
          emitMerge(planes, b.add(block, i), ArrayRef(scores).slice(i * rows, rows), next);
        return next;
      });
      begin = stop;
      if (blocks == 1)
        break;
    }
    finalSums.assign(state.begin() + rows, state.end());
  }

  /// Row of the ring where a block begins.
  Value ringRow(const KvPlanes &planes, Value block) {
    return b.rem(b.mul(block, kLanes), planes.capacity);
  }

  /// q.k of `count` blocks x rows.
  SmallVector<Value> emitScores(const KvPlanes &planes, Value block, int64_t count) {
    SmallVector<Value> keys;
    for (int64_t i = 0; i < count; ++i)
      keys.push_back(b.at(planes.k, ringRow(planes, b.add(block, i)), spec.headDim * bytes));
    auto step = [&](Value d, int64_t features, MutableArrayRef<Value> sums) {
      Value query = b.at(queries, d, 4);
      for (int64_t f = 0; f < features; ++f)
        for (int64_t i = 0; i < count; ++i) {
          Value key = emitLoadKv(b, spec.kvType, kLanes, b.at(keys[i], d, kLanes * bytes),
                                 f * kLanes * bytes);
          for (int64_t r = 0; r < rows; ++r) {
            Value q = b.loadSplat(b.vf(), query, (r * spec.headDim + f) * 4);
            sums[i * rows + r] = b.fma(q, key, sums[i * rows + r]);
          }
        }
    };
    const int64_t unroll = 4, full = spec.headDim / unroll * unroll;
    SmallVector<Value> sums(count * rows, b.constant(b.vf(), 0.0));
    sums = b.forEach(b.index(0), b.index(full), unroll, sums, [&](Value d, ValueRange carried) {
      KernelBuilder::Values next(carried);
      step(d, unroll, next);
      return next;
    });
    if (full != spec.headDim)
      step(b.index(full), spec.headDim - full, sums);
    return sums;
  }

  /// The final scores of one row: scaled, capped, -infinity for keys it does not see.
  Value emitMasked(Value score, const QueryRow &row, Value base) {
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

  /// Merges one block into `state` (maxima, then sums) and the outputs.
  void emitMerge(const KvPlanes &planes, Value block, ArrayRef<Value> scores,
                 MutableArrayRef<Value> state) {
    Value base = b.mul(block, kLanes);
    SmallVector<Value> corrections;
    for (int64_t r = 0; r < rows; ++r) {
      Value &maximum = state[r], &sum = state[rows + r];
      Value score = emitMasked(scores[r], tileRows[r], base);
      Value next = b.maxf(emitMax(b, score), maximum);
      Value p = emitExp(b, b.subf(score, b.splat(next, b.vf())));
      Value correction = emitExp(b, b.subf(maximum, next));
      sum = b.fma(sum, b.splat(correction, b.vf()), p);
      maximum = next;
      b.store(p, weights, r * kLanes * 4);
      corrections.push_back(correction);
    }
    // Values beyond the tile's keys may not have been written yet: 0 * NaN would not be neutral.
    Value first = b.sub(b.max(tileRows.front().first, base), base);
    Value end = b.sub(b.min(b.add(tileRows.back().last, 1), b.add(base, kLanes)), base);
    Value values = b.at(planes.v, ringRow(planes, block), spec.headDim * bytes);
    const int64_t chunk = vectors * kLanes, full = spec.headDim / chunk * chunk;
    if (full)
      b.forEach(b.index(0), b.index(full), chunk, [&](Value d) {
        emitAccumulate(values, d, SmallVector<int64_t>(vectors, kLanes), first, end, corrections);
      });
    SmallVector<int64_t> rest;
    for (int64_t d = full; d < spec.headDim; d += kLanes)
      rest.push_back(std::min(kLanes, spec.headDim - d));
    if (!rest.empty())
      emitAccumulate(values, b.index(full), rest, first, end, corrections);
  }

  /// outputs[r][d…] = outputs * correction + sum over keys j in [first, end) of p[r][j] * V[j][d…]
  void emitAccumulate(Value values, Value d, ArrayRef<int64_t> lanes, Value first, Value end,
                      ArrayRef<Value> corrections) {
    auto address = [&](int64_t r) { return b.at(outputs, d, 4, r * spec.headDim * 4); };
    SmallVector<Value> sums;
    for (int64_t r = 0; r < rows; ++r)
      for (auto [i, n] : llvm::enumerate(lanes)) {
        Value old = b.load(b.vf(n), address(r), i * kLanes * 4);
        sums.push_back(b.mulf(old, b.splat(corrections[r], b.vf(n))));
      }
    Value column = b.at(values, d, bytes);
    sums = b.forEach(first, end, 1, sums, [&](Value j, ValueRange carried) {
      KernelBuilder::Values next(carried);
      Value row = b.at(column, j, spec.headDim * bytes), weight = b.at(weights, j, 4);
      SmallVector<Value> v;
      for (auto [i, n] : llvm::enumerate(lanes))
        v.push_back(emitLoadKv(b, spec.kvType, n, row, i * kLanes * bytes));
      for (int64_t r = 0; r < rows; ++r) {
        Value p = b.load(b.f32(), weight, r * kLanes * 4);
        for (auto [i, n] : llvm::enumerate(lanes)) {
          Value &sum = next[r * lanes.size() + i];
          sum = b.fma(b.splat(p, b.vf(n)), v[i], sum);
        }
      }
      return next;
    });
    for (int64_t r = 0; r < rows; ++r)
      for (size_t i = 0; i < lanes.size(); ++i)
        b.store(sums[r * lanes.size() + i], address(r), i * kLanes * 4);
  }

  void emitOutputs() {
    for (int64_t r = 0; r < rows; ++r) {
      Value inverse = b.divf(b.constant(b.f32(), 1.0), emitSum(b, finalSums[r]));
      b.forColumns(spec.headDim, [&](Value d, int64_t lanes) {
        VectorType type = b.vf(lanes);
        Value sum = b.load(type, b.at(outputs, b.add(d, r * spec.headDim), 4));
        Value result = b.fma(sum, b.splat(inverse, type), b.constant(type, 0.0));
        b.store(result, b.at(tileRows[r].out, d, 4));
      });
    }
  }

  KernelBuilder &b;
  const AttentionSpec &spec;
  int64_t group, bytes;
  int64_t rows = 0, vectors = 0, blocks = 0;
  Value queries, outputs, weights; ///< on the stack: [rows][headDim] twice, [rows][16]
  SmallVector<QueryRow> tileRows;
  SmallVector<Value> finalSums;
};

} // namespace

void rlx::emitAttention(KernelBuilder &b, const AttentionSpec &spec) {
  AttentionEmitter(b, spec).emit();
}
