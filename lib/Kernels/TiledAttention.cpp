//===- TiledAttention.cpp - Attention by the matrix unit ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A work item is many query rows that read one KV head: keys and values become bf16
// tiles once for all of them. A number of 16 bits is the sum of two bf16, high + low,
// so that a product is high * high + low * high + high * low; what is left out, low *
// low, is 2^-16 of it. Keys and values in f16 and bf16 are exact so, queries and weights
// are rounded to 16 bits.
//
// Chunks of keys are taken in ascending order, as Attention.cpp does, but rows keep
// their sums over all chunks: they are scaled where the maximum grows. To a row, a key
// or chunk that it does not see is exactly neutral here, too.
//
//===----------------------------------------------------------------------===//
#include "AttentionRows.h"
#include "Emitters.h"
#include "KvElements.h"
#include "MatrixUnit.h"
#include "Sequences.h"
#include "VectorMath.h"

using namespace mlir;
using namespace rlx;

static constexpr int64_t kSide = MatrixUnit::kSide, kRows = MatrixUnit::kTokens;

// Rows of a work item: the more, the fewer times are keys and values converted, as long as each
// thread has some items.
static constexpr int64_t kMostRows = 4 * kRows, kItemsPerThread = 4;

// What they may need: it should fit an L2 cache, and must what a step may take of its thread's
// stack (rlx/runtime/session.h).
static constexpr int64_t kStackBytes = 448 << 10;

/// Bytes of 16 rows, or of a panel of 16 columns, in tiles.
static constexpr int64_t tileBytes(int64_t depth) { return depth / kTileDepth * kTileBytes; }

namespace {

/// The most rows of a work item for features of one size.
static int64_t mostRows(int64_t headDim) {
  const int64_t panels = 2 * kSide * (tileBytes(headDim) + tileBytes(kAttentionChunk));
  const int64_t row = 2 * headDim * 4 + 2 * kAttentionChunk * 4 + kLanes * 4 + 4;
  return std::min(kMostRows, (kStackBytes - panels) / row / kRows * kRows);
}

/// A matrix whose elements are sums of two bf16, in the tiles of rows or of panels.
struct SplitTiles {
  Value high, low;
  int64_t depth; ///< the columns that are summed over

  static SplitTiles allocate(KernelBuilder &b, int64_t count, int64_t depth) {
    return {b.stack(count * tileBytes(depth)), b.stack(count * tileBytes(depth)), depth};
  }
  /// The same from the tile row or panel at `bytes` on.
  SplitTiles from(KernelBuilder &b, Value bytes) const {
    return {b.at(high, bytes, 1), b.at(low, bytes, 1), depth};
  }
};

/// The part of a chunk that the rows of a work item see.
struct ChunkPart {
  Value start;        ///< the chunk's position
  Value keys, values; ///< addresses
  IndexRange seen;    ///< keys within the chunk
  IndexRange tiles;   ///< the same in tiles of kTileDepth keys
};

class TiledAttentionEmitter {
public:
  TiledAttentionEmitter(KernelBuilder &b, const AttentionSpec &spec)
      : b(b), spec(spec), elements(b, spec.kvType, spec.headDim), unit(b),
        exact(spec.kvType == KvType::BF16), maxRows(mostRows(spec.headDim)) {}

  void emit() {
    allocate();
    Value batch = b.arg(5), seq = b.arg(6);
    Value perHead = b.mul(seq, groupSize(spec)), pairs = b.mul(batch, spec.kvHeads);
    Value share = b.div(b.mul(perHead, pairs), b.mul(b.threads(), kItemsPerThread));
    share = b.mul(b.add(b.div(share, kRows), 1), kRows);
    Value most = b.min(share, b.index(maxRows));
    Value items = b.div(b.sub(b.add(perHead, most), b.index(1)), most), work = b.mul(items, pairs);
    unit.configure(b.index(kRows));
    b.forClaimed(b.arg(3), work, [&](Value item) {
      item = b.sub(b.sub(work, b.index(1)), item); // the last ones see most keys
      Value pair = b.rem(item, pairs);
      sequence = b.div(pair, spec.kvHeads);
      head = b.rem(pair, spec.kvHeads);
      firstRow = b.mul(b.div(item, pairs), most);
      rowCount = b.min(most, b.sub(perHead, firstRow));
      emitRows();
    });
    unit.release();
  }

private:
  void allocate() {
    queries = SplitTiles::allocate(b, maxRows / kTileRows, spec.headDim);
    weights = SplitTiles::allocate(b, maxRows / kTileRows, kAttentionChunk);
    keyPanels = SplitTiles::allocate(b, kSide, spec.headDim);
    valuePanels = SplitTiles::allocate(b, kSide, kAttentionChunk);
    scores = b.stack(maxRows * kAttentionChunk * 4);
    totals = b.stack(maxRows * spec.headDim * 4);
    maxima = b.stack(maxRows * 4);
    sums = b.stack(maxRows * kLanes * 4);
  }

  QueryRow locate(Value row) {
    return locateRow(b, spec, sequence, head, b.arg(6), b.add(firstRow, row));
  }
  void forRows(llvm::function_ref<void(Value)> body) { b.forEach(b.index(0), rowCount, 1, body); }
  /// Both tiles of rows from `row` on. The last ones may lie past the end: nobody reads their sums.
  void forTilePairs(llvm::function_ref<void(Value)> body) {
    b.forEach(b.index(0), rowCount, kRows, body);
  }

  void emitRows() {
    forRows([&](Value row) { beginRow(row); });
    KvPlanes planes(b, SequenceAddress(b, b.arg(2), sequence).slot(b.arg(4)), head);
    Value first = locate(b.index(0)).first, last = locate(b.sub(rowCount, b.index(1))).last;
    Value begin = b.div(first, kAttentionChunk), end = b.add(b.div(last, kAttentionChunk), 1);
    b.forEach(begin, end, 1, [&](Value chunk) {
      ChunkPart part = locateChunk(planes, chunk, first, last);
      emitScores(part);
      forRows([&](Value row) { emitWeights(part, row); });
      emitValues(part);
    });
    forRows([&](Value row) {
      Value sum = b.load(b.vf(), b.at(sums, row, kLanes * 4));
      emitQuotient(b, spec.headDim, totalOf(row), sum, locate(row).out);
    });
  }

  void beginRow(Value row) {
    Value query = locate(row).query;
    b.forColumns(spec.headDim, [&](Value d, int64_t) {
      storeOfRow(queries, row, d, b.load(b.vf(), b.at(query, d, 4)));
    });
    emitZeros(b, spec.headDim, totalOf(row));
    b.store(b.constant(b.f32(), kNoKey), b.at(maxima, row, 4));
    b.store(b.constant(b.vf(), 0.0), b.at(sums, row, kLanes * 4));
  }

  ChunkPart locateChunk(const KvPlanes &planes, Value chunk, Value first, Value last) {
    ChunkPart part;
    part.start = b.mul(chunk, kAttentionChunk);
    Value ring = b.rem(part.start, planes.capacity);
    part.keys = b.at(planes.k, ring, elements.positionBytes());
    part.values = b.at(planes.v, ring, elements.positionBytes());
    part.seen = {b.sub(b.max(first, part.start), part.start),
                 b.min(b.sub(b.add(last, 1), part.start), b.index(kAttentionChunk))};
    part.tiles = {b.div(part.seen.begin, kTileDepth),
                  b.div(b.add(part.seen.end, kTileDepth - 1), kTileDepth)};
    return part;
  }

  Value totalOf(Value row) { return b.at(totals, row, spec.headDim * 4); }

  //===-- Tiles -----------------------------------------------------------===//

  /// 16 columns of a row, each rounded to the sum of two bf16.
  void storeOfRow(const SplitTiles &tiles, Value row, Value column, Value x) {
    auto place = [&](Value from) {
      Value tile = b.at(from, b.div(row, kTileRows), tileBytes(tiles.depth));
      tile = b.at(tile, b.div(column, kTileDepth), kTileBytes);
      return b.at(b.at(tile, b.rem(row, kTileRows), kTileRowBytes), b.rem(column, kTileDepth), 2);
    };
    VectorType narrow = b.vec(b.getBF16Type());
    Value high = arith::TruncFOp::create(b, narrow, x);
    b.store(high, place(tiles.high));
    Value rest = b.subf(x, arith::ExtFOp::create(b, b.vf(), high));
    b.store(arith::TruncFOp::create(b, narrow, rest), place(tiles.low));
  }

  /// Rows 2 * pair and 2 * pair + 1 of a panel, cut to the sums of two bf16.
  void storeOfPanel(const SplitTiles &tiles, int64_t panel, Value pair, Value even, Value odd) {
    auto store = [&](Value pairs, Value to) {
      b.store(pairs, b.at(to, pair, kTileRowBytes, panel * tileBytes(tiles.depth)));
    };
    Value high = emitToBF16Pairs(b, even, odd);
    store(high, tiles.high);
    if (exact)
      return;
    auto [highEven, highOdd] = emitFromBF16Pairs(b, high);
    store(emitToBF16Pairs(b, b.subf(even, highEven), b.subf(odd, highOdd)), tiles.low);
  }

  /// Adds to the unit's sums the products of both tiles of rows at `rows` with both panels, over
  /// some of the tiles in which their columns lie.
  void emitProducts(const SplitTiles &rows, const SplitTiles &panels, IndexRange tiles) {
    b.forEach(tiles.begin, tiles.end, 1, [&](Value tile) {
      auto place = [&](Value half, int64_t depth, int64_t i) {
        return b.at(half, tile, kTileBytes, i * tileBytes(depth));
      };
      auto loadRows = [&](Value half) {
        for (int64_t side = 0; side < kSide; ++side)
          unit.loadTokens(side, place(half, rows.depth, side));
      };
      auto loadPanels = [&](Value half) {
        for (int64_t panel = 0; panel < kSide; ++panel)
          unit.loadPanel(panel, place(half, panels.depth, panel));
      };
      auto multiply = [&] {
        for (int64_t side = 0; side < kSide; ++side)
          for (int64_t panel = 0; panel < kSide; ++panel)
            unit.multiply(side, panel);
      };
      loadRows(rows.low);
      loadPanels(panels.high);
      multiply();
      loadRows(rows.high);
      multiply();
      if (exact)
        return;
      loadPanels(panels.low);
      multiply();
    });
  }

  void forSums(llvm::function_ref<void(int64_t, int64_t)> body) {
    for (int64_t side = 0; side < kSide; ++side)
      for (int64_t panel = 0; panel < kSide; ++panel)
        body(side, panel);
  }

  //===-- Steps of a chunk ------------------------------------------------===//

  /// scores[row][key] = q.k
  void emitScores(const ChunkPart &part) {
    b.forEach(part.tiles.begin, part.tiles.end, 1, [&](Value tile) {
      for (int64_t panel = 0; panel < kSide; ++panel)
        convertKeys(part, b.add(b.mul(tile, kSide), panel), panel);
      forTilePairs([&](Value row) {
        forSums([&](int64_t side, int64_t panel) { unit.clearSums(side, panel); });
        Value rows = b.mul(b.div(row, kTileRows), tileBytes(spec.headDim));
        emitProducts(queries.from(b, rows), keyPanels,
                     {b.index(0), b.index(spec.headDim / kTileDepth)});
        Value to = b.at(b.at(scores, row, kAttentionChunk * 4), tile, kTileDepth * 4);
        forSums([&](int64_t side, int64_t panel) {
          int64_t offset = (side * kTileRows * kAttentionChunk + panel * kLanes) * 4;
          unit.storeSums(side, panel, b.at(to, offset), kAttentionChunk * 4);
        });
      });
    });
  }

  void convertKeys(const ChunkPart &part, Value number, int64_t panel) {
    const int64_t column = kLanes * elements.elementBytes();
    Value block = b.at(part.keys, number, elements.blockBytes());
    b.forEach(b.index(0), b.index(spec.headDim), kTileDepth, [&](Value d) {
      Value scales = elements.keyScales(block, d, 0), first = b.div(d, 2);
      b.forEach(first, b.add(first, kTileDepth / 2), 1, [&](Value pair) {
        Value from = b.at(block, pair, 2 * column);
        storeOfPanel(keyPanels, panel, pair, elements.load(kLanes, from, 0, scales),
                     elements.load(kLanes, from, column, scales));
      });
    });
  }

  /// Makes weights of a row's scores, and scales what it has if there is a new maximum.
  void emitWeights(const ChunkPart &part, Value row) {
    QueryRow query = locate(row);
    Value rowScores = b.at(scores, row, kAttentionChunk * 4);
    Value begin = b.mul(part.tiles.begin, kTileDepth), end = b.mul(part.tiles.end, kTileDepth);
    Value none = b.constant(b.vf(), kNoKey);
    Value lanes = b.forEach(begin, end, kLanes, {none}, [&](Value key, ValueRange carried) {
                     Value place = b.at(rowScores, key, 4);
                     Value score =
                         emitMasked(b, spec, b.load(b.vf(), place), query, b.add(part.start, key));
                     b.store(score, place);
                     return KernelBuilder::Values{b.maxf(score, carried[0])};
                   }).front();
    Value maximum = b.at(maxima, row, 4), sum = b.at(sums, row, kLanes * 4);
    Value before = b.load(b.f32(), maximum), now = b.maxf(emitMax(b, lanes), before);
    Value grows = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, before, now);
    b.ifThen(grows, [&] {
      Value keep = b.splat(emitExp(b, b.subf(before, now)), b.vf());
      auto scale = [&](Value place) { b.store(b.mulf(b.load(b.vf(), place), keep), place); };
      b.forColumns(spec.headDim, [&](Value d, int64_t) { scale(b.at(totalOf(row), d, 4)); });
      scale(sum);
      b.store(now, maximum);
    });
    Value total = b.load(b.vf(), sum);
    total = b.forEach(begin, end, kLanes, {total}, [&](Value key, ValueRange carried) {
               Value score = b.load(b.vf(), b.at(rowScores, key, 4));
               Value weight = emitExp(b, b.subf(score, b.splat(now, b.vf())));
               storeOfRow(weights, row, key, weight);
               return KernelBuilder::Values{b.addf(carried[0], weight)};
             }).front();
    b.store(total, sum);
  }

  /// totals[row][d] += sum over keys j of weights[row][j] * V[j][d]
  void emitValues(const ChunkPart &part) {
    b.forEach(b.index(0), b.index(spec.headDim), kSide * kLanes, [&](Value d) {
      b.forEach(b.mul(part.tiles.begin, kTileRows), b.mul(part.tiles.end, kTileRows), 1,
                [&](Value pair) { convertValues(part, d, pair); });
      forTilePairs([&](Value row) {
        Value to = b.at(totalOf(row), d, 4);
        auto place = [&](int64_t side, int64_t panel) {
          return b.at(to, (side * kTileRows * spec.headDim + panel * kLanes) * 4);
        };
        forSums([&](int64_t side, int64_t panel) {
          unit.loadSums(side, panel, place(side, panel), spec.headDim * 4);
        });
        Value rows = b.mul(b.div(row, kTileRows), tileBytes(kAttentionChunk));
        emitProducts(weights.from(b, rows), valuePanels, part.tiles);
        forSums([&](int64_t side, int64_t panel) {
          unit.storeSums(side, panel, place(side, panel), spec.headDim * 4);
        });
      });
    });
  }

  /// Values that no row sees may not have been written yet: 0 * NaN would not be neutral.
  void convertValues(const ChunkPart &part, Value d, Value pair) {
    const int64_t bytes = elements.elementBytes();
    Value columns[2][kSide];
    for (int64_t i = 0; i < 2; ++i) {
      Value key = b.add(b.mul(pair, 2), i), row = b.at(part.values, key, elements.positionBytes());
      Value seen = b.less(b.sub(key, part.seen.begin), b.sub(part.seen.end, part.seen.begin));
      Value scale = elements.valueScale(row, d);
      scale = scale ? b.splat(scale, b.vf()) : scale;
      for (int64_t panel = 0; panel < kSide; ++panel) {
        Value x = elements.load(kLanes, b.at(row, d, bytes), panel * kLanes * bytes, scale);
        columns[i][panel] = arith::SelectOp::create(b, seen, x, b.constant(b.vf(), 0.0));
      }
    }
    for (int64_t panel = 0; panel < kSide; ++panel)
      storeOfPanel(valuePanels, panel, pair, columns[0][panel], columns[1][panel]);
  }

  KernelBuilder &b;
  const AttentionSpec &spec;
  KvElements elements;
  MatrixUnit unit;
  bool exact;      ///< keys and values are bf16: nothing is left for their second half
  int64_t maxRows; ///< of a work item
  // On the stack:
  SplitTiles queries{}, weights{};       ///< tiles of rows
  SplitTiles keyPanels{}, valuePanels{}; ///< of kTileDepth keys, of as many features
  Value scores;                          ///< [maxRows][kAttentionChunk]
  Value totals;                          ///< [maxRows][headDim]
  Value maxima, sums;                    ///< of each row; a sum has kLanes parts
  // Of the work item:
  Value sequence, head, firstRow, rowCount;
};

} // namespace

void rlx::emitTiledAttention(KernelBuilder &b, const AttentionSpec &spec) {
  TiledAttentionEmitter(b, spec).emit();
}
