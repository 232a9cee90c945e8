//===- Attention.cpp - Streaming attention over the blocked cache ---------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A work item is a tile of query rows (tokens x heads of a group) that read one KV
// head. Keys come in chunks at absolute positions. Within a chunk the softmax has two
// steps: all scores and their maximum, then the weights, their sum and the sums of
// values, key after key. Chunks are merged in ascending order. To a row, a key or a
// chunk that it does not see is exactly neutral: a weight of 0 adds 0 to sums, and a
// chunk that leaves the maximum as it was scales old sums by exp(0) = 1; the last step
// turns -0, the one trace that adding 0 can leave, into +0. Hence tiles may share keys,
// and results do not depend on how rows are tiled.
//
// A single token has few tiles, so that chunks are work items, too: one kernel leaves
// what it found in each, another merges them as the tiles of many tokens do.
//
//===----------------------------------------------------------------------===//
#include "AttentionRows.h"
#include "Emitters.h"
#include "KvElements.h"
#include "Sequences.h"
#include "VectorMath.h"

using namespace mlir;
using namespace rlx;

// Independent chains of fused multiply-adds that hide their latency.
static constexpr int64_t kScoreChains = 8;

// Keys whose values are added up before the sums go back to memory: their rows are read one after
// another.
static constexpr int64_t kValueKeys = 32;

// What a chunk of one token's rows leaves: the maximum, the sum's lanes, the outputs.
static constexpr int64_t kPartSum = 64, kPartOutputs = 128;

/// Adds to `total`, `maximum` and `sum` of a row what a chunk has found.
static void emitMergeChunk(KernelBuilder &b, int64_t headDim, Value total, Value &maximum,
                           Value &sum, Value part, Value partMaximum, Value partSum) {
  Value next = b.maxf(partMaximum, maximum);
  Value keep = emitExp(b, b.subf(maximum, next)), add = emitExp(b, b.subf(partMaximum, next));
  auto merge = [&](Value old, Value more, VectorType type) {
    return b.fma(old, b.splat(keep, type), b.mulf(more, b.splat(add, type)));
  };
  b.forColumns(headDim, [&](Value d, int64_t lanes) {
    VectorType type = b.vf(lanes);
    Value place = b.at(total, d, 4);
    b.store(merge(b.load(type, place), b.load(type, b.at(part, d, 4)), type), place);
  });
  sum = merge(sum, partSum, b.vf());
  maximum = next;
}

namespace {

class AttentionEmitter {
public:
  AttentionEmitter(KernelBuilder &b, const AttentionSpec &spec)
      : b(b), spec(spec), group(groupSize(spec)), elements(b, spec.kvType, spec.headDim) {
    const TargetDescription &target = b.getTarget();
    rows = target.attentionRows;
    if (spec.chunks) // No row for none: each computes what its head needs.
      for (rows = std::min(rows, group); group % rows; --rows)
        ;
    vectors = std::max<int64_t>(target.attentionRows * target.attentionVectors / rows, 1);
    blocks = std::clamp<int64_t>(kScoreChains / rows, 1, 4);
  }

  /// Whole rows.
  void emit() {
    Value batch = b.arg(5), seq = b.arg(6);
    Value perHead = b.mul(seq, group);
    Value tiles = b.div(b.add(perHead, rows - 1), rows);
    allocate();
    totals = b.stack(rows * spec.headDim * 4);
    outputs = b.stack(rows * spec.headDim * 4);
    outputBytes = spec.headDim * 4;
    Value pairs = b.mul(batch, spec.kvHeads), work = b.mul(tiles, pairs);
    b.forClaimed(b.arg(3), work, [&](Value item) {
      item = b.sub(b.sub(work, b.index(1)), item); // the last ones see most keys
      Value pair = b.rem(item, pairs);
      Value sequence = b.div(pair, spec.kvHeads), head = b.rem(pair, spec.kvHeads);
      emitTile(sequence, head, b.div(item, pairs), seq);
    });
  }

  /// The chunks of the rows of one token each.
  void emitChunks() {
    const int64_t tiles = spec.heads / rows;
    Value batch = b.arg(5);
    allocate();
    outputBytes = spec.chunks * attentionChunkBytes(spec.headDim);
    Value most = b.forEach(b.index(0), batch, 1, b.index(0), [&](Value i, ValueRange carried) {
                    return KernelBuilder::Values{b.max(carried[0], locateChunks(i).second)};
                  }).front();
    b.forClaimed(b.arg(3), b.mul(b.mul(most, tiles), batch), [&](Value item) {
      Value sequence = b.rem(item, batch), rest = b.div(item, batch);
      Value tile = b.rem(rest, tiles), chunk = b.div(rest, tiles);
      auto [first, count] = locateChunks(sequence);
      b.ifThen(b.less(chunk, count), [&, first = first] {
        Value head = b.mul(tile, rows);
        Value part = b.add(b.mul(b.add(b.mul(sequence, spec.heads), head), spec.chunks), chunk);
        emitPart(sequence, b.div(head, group), b.rem(head, group), b.add(first, chunk),
                 b.at(b.arg(1), part, attentionChunkBytes(spec.headDim)));
      });
    });
  }

private:
  /// The first chunk that a sequence's only token sees, and how many.
  std::pair<Value, Value> locateChunks(Value sequence) {
    QueryRow row = locateRow(b, spec, sequence, b.index(0), b.index(1), b.index(0));
    Value first = b.div(row.first, kAttentionChunk), last = b.div(row.last, kAttentionChunk);
    return {first, b.add(b.sub(last, first), 1)};
  }

  void allocate() {
    queries = b.stack(rows * spec.headDim * 4);
    weights = b.stack(rows * kAttentionChunk * 4);
  }

  /// Finds the rows from number `first` on, and copies their queries together.
  KvPlanes beginTile(Value sequenceNumber, Value head, Value seq, Value first) {
    SequenceAddress sequence(b, b.arg(2), sequenceNumber);
    tileRows.clear();
    for (int64_t r = 0; r < rows; ++r)
      tileRows.push_back(locateRow(b, spec, sequenceNumber, head, seq, b.add(first, r)));
    for (int64_t r = 0; r < rows; ++r)
      b.forColumns(spec.headDim, [&](Value d, int64_t lanes) {
        Value query = b.load(b.vf(lanes), b.at(tileRows[r].query, d, 4));
        b.store(query, b.at(queries, b.add(d, r * spec.headDim), 4));
      });
    return KvPlanes(b, sequence.slot(b.arg(4)), head);
  }

  void emitTile(Value sequence, Value head, Value tile, Value seq) {
    KvPlanes planes = beginTile(sequence, head, seq, b.mul(tile, rows));
    clear(totals, spec.headDim * 4);
    Value begin = b.div(tileRows.front().first, kAttentionChunk);
    Value end = b.add(b.div(tileRows.back().last, kAttentionChunk), 1);
    KernelBuilder::Values state = initialState();
    state = b.forEach(begin, end, 1, state, [&](Value chunk, ValueRange carried) {
      KernelBuilder::Values found = emitChunk(planes, chunk), next(carried);
      for (int64_t r = 0; r < rows; ++r) {
        Value total = b.at(totals, r * spec.headDim * 4);
        Value part = b.at(outputs, r * spec.headDim * 4);
        emitMergeChunk(b, spec.headDim, total, next[r], next[rows + r], part, found[r],
                       found[rows + r]);
      }
      return next;
    });
    for (int64_t r = 0; r < rows; ++r)
      emitQuotient(b, spec.headDim, b.at(totals, r * spec.headDim * 4), state[rows + r],
                   tileRows[r].out);
  }

  /// One chunk of a tile of one token's rows, whose results go to `part` and following.
  void emitPart(Value sequence, Value head, Value first, Value chunk, Value part) {
    KvPlanes planes = beginTile(sequence, head, b.index(1), first);
    outputs = b.at(part, kPartOutputs);
    KernelBuilder::Values found = emitChunk(planes, chunk);
    for (int64_t r = 0; r < rows; ++r) {
      b.store(found[r], part, r * outputBytes);
      b.store(found[rows + r], part, r * outputBytes + kPartSum);
    }
  }

  void clear(Value buffer, int64_t rowBytes) {
    for (int64_t r = 0; r < rows; ++r)
      emitZeros(b, spec.headDim, b.at(buffer, r * rowBytes));
  }

  /// Maxima, then sums, of rows that have seen no key.
  KernelBuilder::Values initialState() {
    KernelBuilder::Values state(rows, b.constant(b.f32(), kNoKey));
    state.append(rows, b.constant(b.vf(), 0.0));
    return state;
  }

  /// The tile's keys within one chunk: fills the outputs and returns maxima, then sums.
  KernelBuilder::Values emitChunk(const KvPlanes &planes, Value chunk) {
    Value start = b.mul(chunk, kAttentionChunk), ring = b.rem(start, planes.capacity);
    Value first = b.sub(b.max(tileRows.front().first, start), start);
    Value end = b.min(b.sub(b.add(tileRows.back().last, 1), start), b.index(kAttentionChunk));
    IndexRange range = {b.div(first, kLanes), b.div(b.add(end, kLanes - 1), kLanes)};
    KernelBuilder::Values maxima =
        emitScores(b.at(planes.k, ring, elements.positionBytes()), start, range);
    KernelBuilder::Values state = emitWeights(range, maxima);
    clear(outputs, outputBytes);
    // Values beyond the tile's keys may not have been written yet: 0 * NaN would not be neutral.
    Value values = b.at(planes.v, ring, elements.positionBytes());
    b.forEach(first, end, kValueKeys,
              [&](Value key) { emitValues(values, {key, b.min(b.add(key, kValueKeys), end)}); });
    return state;
  }

  Value weightAddress(Value block, int64_t row) {
    return b.at(weights, block, kLanes * 4, row * kAttentionChunk * 4);
  }

  /// Leaves the final scores of blocks of 16 keys, which begin at position `start`, where weights
  /// will be, and returns the maxima of the rows' lanes.
  KernelBuilder::Values emitScores(Value keys, Value start, IndexRange range) {
    KernelBuilder::Values maxima(rows, b.constant(b.vf(), kNoKey));
    Value begin = range.begin;
    for (int64_t step : {blocks, int64_t(1)}) {
      Value stop = b.add(begin, b.mul(b.div(b.sub(range.end, begin), step), step));
      maxima = b.forEach(begin, stop, step, maxima, [&](Value block, ValueRange carried) {
        KernelBuilder::Values next(carried);
        SmallVector<Value> products = emitProducts(keys, block, step);
        for (int64_t i = 0; i < step; ++i)
          for (int64_t r = 0; r < rows; ++r) {
            Value number = b.add(block, i), base = b.add(start, b.mul(number, kLanes));
            Value score = emitMasked(b, spec, products[i * rows + r], tileRows[r], base);
            next[r] = b.maxf(score, next[r]);
            b.store(score, weightAddress(number, r));
          }
        return next;
      });
      begin = stop;
      if (blocks == 1)
        break;
    }
    return maxima;
  }

  /// q.k of `count` blocks x rows.
  SmallVector<Value> emitProducts(Value keys, Value block, int64_t count) {
    const int64_t blockBytes = elements.blockBytes(), column = kLanes * elements.elementBytes();
    Value first = b.at(keys, block, blockBytes);
    auto step = [&](Value d, int64_t features, MutableArrayRef<Value> sums) {
      Value query = b.at(queries, d, 4), key = b.at(first, d, column);
      SmallVector<Value> scales;
      for (int64_t i = 0; i < count; ++i)
        scales.push_back(elements.keyScales(first, d, i * blockBytes));
      for (int64_t f = 0; f < features; ++f)
        for (int64_t i = 0; i < count; ++i) {
          Value k = elements.load(kLanes, key, i * blockBytes + f * column, scales[i]);
          for (int64_t r = 0; r < rows; ++r) {
            Value q = b.loadSplat(b.vf(), query, (r * spec.headDim + f) * 4);
            sums[i * rows + r] = b.fma(q, k, sums[i * rows + r]);
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

  /// Makes weights of the scores, and returns each row's maximum, then the sums of its lanes.
  KernelBuilder::Values emitWeights(IndexRange range, ArrayRef<Value> maxima) {
    KernelBuilder::Values state;
    for (Value lanes : maxima)
      state.push_back(emitMax(b, lanes));
    SmallVector<Value> sums(rows, b.constant(b.vf(), 0.0));
    state.append(b.forEach(range.begin, range.end, 1, sums, [&](Value block, ValueRange carried) {
      KernelBuilder::Values next(carried);
      for (int64_t r = 0; r < rows; ++r) {
        Value address = weightAddress(block, r);
        Value weight = emitExp(b, b.subf(b.load(b.vf(), address), b.splat(state[r], b.vf())));
        next[r] = b.addf(next[r], weight);
        b.store(weight, address);
      }
      return next;
    }));
    return state;
  }

  /// Adds the weighted values of a range of keys to the outputs.
  void emitValues(Value values, IndexRange keys) {
    const int64_t step = vectors * kLanes, full = spec.headDim / step * step;
    if (full)
      b.forEach(b.index(0), b.index(full), step, [&](Value d) {
        emitAccumulate(values, d, SmallVector<int64_t>(vectors, kLanes), keys);
      });
    SmallVector<int64_t> rest;
    for (int64_t d = full; d < spec.headDim; d += kLanes)
      rest.push_back(std::min(kLanes, spec.headDim - d));
    if (!rest.empty())
      emitAccumulate(values, b.index(full), rest, keys);
  }

  /// outputs[r][d…] += sum over keys j of weights[r][j] * V[j][d…]
  void emitAccumulate(Value values, Value d, ArrayRef<int64_t> lanes, IndexRange keys) {
    auto address = [&](int64_t r) { return b.at(outputs, d, 4, r * outputBytes); };
    SmallVector<Value> sums;
    for (int64_t r = 0; r < rows; ++r)
      for (auto [i, n] : llvm::enumerate(lanes))
        sums.push_back(b.load(b.vf(n), address(r), i * kLanes * 4));
    const int64_t bytes = elements.elementBytes();
    sums = b.forEach(keys.begin, keys.end, 1, sums, [&](Value j, ValueRange carried) {
      KernelBuilder::Values next(carried);
      Value row = b.at(values, j, elements.positionBytes()), weight = b.at(weights, j, 4);
      Value column = b.at(row, d, bytes);
      SmallVector<Value> v;
      for (auto [i, n] : llvm::enumerate(lanes)) {
        Value scale = elements.valueScale(row, b.add(d, i * kLanes));
        scale = scale ? b.splat(scale, b.vf(n)) : scale;
        v.push_back(elements.load(n, column, i * kLanes * bytes, scale));
      }
      for (int64_t r = 0; r < rows; ++r) {
        Value p = b.load(b.f32(), weight, r * kAttentionChunk * 4);
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

  KernelBuilder &b;
  const AttentionSpec &spec;
  int64_t group;
  KvElements elements;
  int64_t rows = 0, vectors = 0, blocks = 0;
  Value queries;           ///< [rows][headDim], on the stack like the next two
  Value weights;           ///< [rows][kAttentionChunk], scores before
  Value totals;            ///< [rows][headDim], all chunks so far
  Value outputs;           ///< rows of one chunk
  int64_t outputBytes = 0; ///< from one row of them to the next
  SmallVector<QueryRow> tileRows;
};

} // namespace

void rlx::emitAttention(KernelBuilder &b, const AttentionSpec &spec) {
  if (spec.chunks)
    return AttentionEmitter(b, spec).emitChunks();
  if (!spec.tiled)
    return AttentionEmitter(b, spec).emit();
  b.ifElse(
      b.less(b.index(RLX_EXACT_TOKENS), b.mul(b.arg(5), b.arg(6))),
      [&] { emitTiledAttention(b, spec); }, [&] { AttentionEmitter(b, spec).emit(); });
}

void rlx::emitAttentionMerge(KernelBuilder &b, const AttentionSpec &spec) {
  const int64_t partBytes = attentionChunkBytes(spec.headDim);
  b.forRows(b.mul(b.arg(3), spec.heads), [&](Value item) {
    Value sequence = b.div(item, spec.heads), head = b.rem(item, spec.heads);
    Value last = SequenceAddress(b, b.arg(2), sequence).past();
    Value first = firstSeen(b, spec, last);
    Value chunks = b.sub(b.div(last, kAttentionChunk), b.div(first, kAttentionChunk));
    Value parts = b.at(b.arg(0), item, spec.chunks * partBytes);
    Value row = b.at(b.arg(1), sequence, spec.outStride * 4);
    Value out = b.at(row, head, spec.headDim * 4);
    emitZeros(b, spec.headDim, out);
    KernelBuilder::Values state = {b.constant(b.f32(), kNoKey), b.constant(b.vf(), 0.0)};
    state = b.forEach(b.index(0), b.add(chunks, 1), 1, state, [&](Value chunk, ValueRange old) {
      KernelBuilder::Values next(old);
      Value part = b.at(parts, chunk, partBytes);
      emitMergeChunk(b, spec.headDim, out, next[0], next[1], b.at(part, kPartOutputs),
                     b.load(b.f32(), part), b.load(b.vf(), part, kPartSum));
      return next;
    });
    emitQuotient(b, spec.headDim, out, state[1], out);
  });
}
