//===- TiledLinear.cpp - Matrix products by the matrix unit ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two tiles of tokens times two panels at a time, accumulated in tile registers. A block
// of tokens and a chunk of columns make activations that stay in a cache; where one
// chunk is not all of K, several pairs of panels take a chunk before the next one, and
// their sums wait in memory. Quantised panels become bf16 once for each block of tokens.
// Each output's sums run through K in order, so that neither the number of tokens nor
// that of threads changes its bits.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "MatrixUnit.h"
#include "RowConverter.h"
#include "WeightPrefetch.h"
#include "WeightReader.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace rlx;

static constexpr int64_t kSide = MatrixUnit::kSide, kTokens = MatrixUnit::kTokens;

// Activations that every pair of panels reads again: most of an L2 cache.
static constexpr int64_t kActivationBytes = 5 << 18;
static constexpr int64_t kMaxTokenBlock = 512;
// Columns that are unpacked at a time.
static constexpr int64_t kMaxChunk = 2048;
// Sums of pairs of panels that take one chunk after another.
static constexpr int64_t kSumBytes = 256 << 10;

namespace {

class TiledLinearEmitter {
public:
  TiledLinearEmitter(KernelBuilder &b, const LinearSpec &spec)
      : b(b), spec(spec), panels(ceilDiv(spec.n, kLanes) * (spec.geglu ? 2 : 1)),
        reader(createWeightReader(spec.format, spec.k, b.getTarget())), unit(b),
        rowBytes(preparedRowBytes(ActivationFormat::BF16Tiles, spec.k)),
        paddedK(llvm::alignTo(spec.k, kTileDepth)),
        direct(spec.format == WeightFormat::BF16 && paddedK == spec.k) {
    chunk = llvm::alignTo(ceilDiv(paddedK, ceilDiv(paddedK, kMaxChunk)), kTileDepth);
    int64_t fits = kActivationBytes / (rowBytes / paddedK * chunk) / kTokens * kTokens;
    maxBlock = std::min(fits, kMaxTokenBlock);
    blockSumBytes = (isOneChunk() ? kTokens : maxBlock) * kSide * kTileRowBytes;
    group = isOneChunk() ? 1 : kSumBytes / blockSumBytes;
  }

  void emit() {
    rows = b.arg(spec.residual ? 5 : 4);
    if (!direct)
      unpacked = b.stack(kSide * chunk * kTileRowBytes / 2);
    sums = b.stack(group * blockSumBytes);
    unit.configure(b.index(kTokens));
    const int64_t pairs = ceilDiv(panels, kSide);
    // As few blocks as hold all tokens, of about the same length.
    Value blocks = b.max(b.div(b.add(rows, maxBlock - 1), maxBlock), b.index(1));
    Value tiles = b.div(b.add(rows, kTokens - 1), kTokens);
    Value block = b.mul(b.div(b.sub(b.add(tiles, blocks), b.index(1)), blocks), kTokens);
    Value counter = b.arg(spec.residual ? 4 : 3);
    // Few pairs at the end of the work would not be worth reading all chunks for.
    b.forClaimedBlocks(counter, rows, block, pairs, ceilDiv(group, 2),
                       [&](IndexRange claimed, IndexRange tokens) {
                         b.forEach(claimed.begin, claimed.end, group, [&](Value pair) {
                           emitGroup({pair, b.min(b.add(pair, group), claimed.end)}, tokens);
                         });
                       });
    unit.release();
  }

private:
  bool isOneChunk() const { return chunk >= paddedK; }

  /// A pair of panels, or the last one alone.
  struct Pair {
    SmallVector<Value> addresses;
    Value panel; ///< number of the first
    bool tail;   ///< columns end within the last
  };

  /// Emits `body` for panels 2 * pair and 2 * pair + 1: twice where the last pair is another case.
  void forPair(Value pair, llvm::function_ref<void(const Pair &)> body) {
    const int64_t whole =
        spec.n % kLanes ? (panels - (spec.geglu ? 2 : 1)) / kSide : panels / kSide;
    auto emitPanels = [&](int64_t count, bool tail) {
      Pair found = {{}, b.mul(pair, kSide), tail};
      for (int64_t i = 0; i < std::min(count, panels); ++i)
        found.addresses.push_back(reader->panel(b, b.arg(0), b.add(found.panel, i)));
      body(found);
    };
    if (whole == ceilDiv(panels, kSide))
      return emitPanels(kSide, /*tail=*/false);
    // The last pair has one panel, or columns that end within it.
    int64_t left = panels - whole * kSide;
    if (whole == 0)
      return emitPanels(left, /*tail=*/true);
    b.ifElse(
        b.less(pair, b.index(whole)), [&] { emitPanels(kSide, /*tail=*/false); },
        [&] { emitPanels(left, /*tail=*/true); });
  }

  /// Pairs of panels for a block of tokens.
  void emitGroup(IndexRange pairs, IndexRange tokens) {
    if (isOneChunk())
      return forPair(pairs.begin, [&](const Pair &pair) {
        Sources sources = unpack(pair.addresses, b.index(0));
        emitTokens(
            sources, {b.index(0), b.index(paddedK)}, tokens, [&](Value) { return sums; },
            [&](Value token, Value count) { emitEpilogues(pair, token, count, sums); });
      });
    Value count = b.sub(tokens.end, tokens.begin);
    auto forPairs = [&](llvm::function_ref<void(const Pair &, Value)> body) {
      b.forEach(pairs.begin, pairs.end, 1, [&](Value number) {
        Value sumsOfPair = b.at(sums, b.sub(number, pairs.begin), blockSumBytes);
        forPair(number, [&](const Pair &pair) { body(pair, sumsOfPair); });
      });
    };
    clearSums(b.sub(pairs.end, pairs.begin), count);
    b.forEach(b.index(0), b.index(paddedK), chunk, [&](Value k) {
      Value end = b.min(b.add(k, chunk), b.index(paddedK));
      forPairs([&](const Pair &pair, Value to) {
        emitTokens(
            unpack(pair.addresses, k), {k, end}, tokens,
            [&](Value token) {
              return b.at(to, b.sub(token, tokens.begin), kSide * kTileRowBytes);
            },
            [](Value, Value) {});
      });
    });
    forPairs([&](const Pair &pair, Value from) { emitEpilogues(pair, tokens.begin, count, from); });
  }

  void clearSums(Value pairs, Value tokens) {
    Value zeros = b.constant(b.vf(kSide * kLanes), 0.0);
    b.forEach(b.index(0), pairs, 1, [&](Value pair) {
      Value to = b.at(sums, pair, blockSumBytes);
      b.forEach(b.index(0), tokens, 1,
                [&](Value i) { b.store(zeros, b.at(to, i, kSide * kTileRowBytes)); });
    });
  }

  /// Where the tiles of panels are from some column on.
  using Sources = SmallVector<Value>;

  /// Makes tiles of a chunk of columns.
  Sources unpack(ArrayRef<Value> addresses, Value k) {
    if (direct)
      return Sources(addresses);
    Sources sources;
    for (Value address : addresses) {
      Value to = b.at(unpacked, int64_t(sources.size()) * chunk * kTileRowBytes / 2);
      sources.push_back(to);
      Value full = b.index(spec.k / kTileDepth * kTileDepth);
      b.forEach(k, b.min(b.add(k, chunk), full), kTileDepth, [&](Value position) {
        Value out = b.at(to, b.sub(position, k), kTileRowBytes / 2);
        prefetchColumns(b, spec, address, position, kTileDepth, b.getTarget().prefetchBytes);
        reader->emitTile(b, address, position, kTileDepth, out);
      });
      if (spec.k % kTileDepth)
        b.ifThen(b.less(full, b.add(k, chunk)), [&] {
          Value out = b.at(to, b.sub(full, k), kTileRowBytes / 2);
          reader->emitTile(b, address, full, spec.k % kTileDepth, out);
        });
    }
    return sources;
  }

  /// Adds the products of columns `k` for all tokens to the sums that `to` finds; `then` is told
  /// which tokens are done.
  void emitTokens(ArrayRef<Value> sources, IndexRange k, IndexRange tokens,
                  llvm::function_ref<Value(Value)> to,
                  llvm::function_ref<void(Value, Value)> then) {
    Value count = b.sub(tokens.end, tokens.begin);
    Value full = b.sub(tokens.end, b.rem(count, kTokens));
    b.forEach(tokens.begin, full, kTokens, [&](Value token) {
      emitTiles(sources, k, token, kSide, to(token), /*ahead=*/0);
      then(token, b.index(kTokens));
    });
    b.ifThen(b.less(full, tokens.end), [&] {
      Value left = b.sub(tokens.end, full);
      unit.configure(left);
      // Of few tokens these are the only ones, and the weights come from memory.
      int64_t ahead = direct ? b.getTarget().prefetchBytes : 0;
      b.ifElse(
          b.less(b.index(kTileRows), left),
          [&] { emitTiles(sources, k, full, kSide, to(full), ahead); },
          [&] { emitTiles(sources, k, full, 1, to(full), ahead); });
      then(full, left);
      unit.configure(b.index(kTokens));
    });
  }

  /// Products of `sides` tiles of tokens, asking for weights so many bytes ahead.
  void emitTiles(ArrayRef<Value> sources, IndexRange k, Value token, int64_t sides, Value to,
                 int64_t ahead) {
    auto forSums = [&](llvm::function_ref<void(int64_t, int64_t, Value)> body) {
      for (int64_t side = 0; side < sides; ++side)
        for (int64_t panel = 0; panel < int64_t(sources.size()); ++panel)
          body(side, panel, b.at(to, (side * kTileRows * kSide + panel) * kTileRowBytes));
    };
    forSums([&](int64_t side, int64_t panel, Value address) {
      isOneChunk() ? unit.clearSums(side, panel)
                   : unit.loadSums(side, panel, address, kSide * kTileRowBytes);
    });
    Value activations = b.at(b.arg(1), b.div(token, kTileRows), kTileRows * rowBytes);
    b.forEach(k.begin, k.end, kTileDepth, [&](Value position) {
      Value column = b.at(activations, position, kTileBytes / kTileDepth);
      Value within = direct ? position : b.sub(position, k.begin);
      for (int64_t side = 0; side < sides; ++side)
        unit.loadTokens(side, b.at(column, side * kTileRows * rowBytes));
      for (auto [panel, source] : llvm::enumerate(sources)) {
        if (ahead)
          prefetchColumns(b, spec, source, within, kTileDepth, ahead);
        unit.loadPanel(panel, b.at(source, within, kTileBytes / kTileDepth));
      }
      for (int64_t side = 0; side < sides; ++side)
        for (int64_t panel = 0; panel < int64_t(sources.size()); ++panel)
          unit.multiply(side, panel);
    });
    forSums([&](int64_t side, int64_t panel, Value address) {
      unit.storeSums(side, panel, address, kSide * kTileRowBytes);
    });
  }

  /// The epilogues of `count` tokens whose sums are at `from`.
  void emitEpilogues(const Pair &pair, Value token, Value count, Value from) {
    b.forEach(b.index(0), count, 1, [&](Value i) {
      Value sumsOfRow = b.at(from, i, kSide * kTileRowBytes);
      SmallVector<Value> values;
      for (size_t p = 0; p < pair.addresses.size(); ++p)
        values.push_back(b.load(b.vf(), sumsOfRow, p * kTileRowBytes));
      Value row = b.add(token, i);
      emitLinearEpilogue(b, spec, values, pair.panel, row, pair.tail,
                         [&](Value outputs, Value column) { store(outputs, row, column); });
    });
  }

  void store(Value outputs, Value row, Value column) {
    if (!spec.prepared)
      return storeOutputs(b, spec, outputs, row, column);
    auto load = [&](Value, int64_t) { return outputs; };
    RowConverter(b, ActivationFormat::BF16Tiles, spec.n, b.arg(2), row, load)
        .emitColumns(column, kLanes);
  }

  KernelBuilder &b;
  const LinearSpec &spec;
  int64_t panels; ///< of the weight
  std::unique_ptr<WeightReader> reader;
  MatrixUnit unit;
  int64_t rowBytes, paddedK;
  bool direct;             ///< the packed weights are tiles as they are
  int64_t chunk, maxBlock; ///< columns at a time, most tokens of a block
  int64_t blockSumBytes;   ///< of a pair of panels
  int64_t group;           ///< most pairs that take one chunk after another
  Value rows;
  Value unpacked, sums; ///< on the stack
};

} // namespace

void rlx::emitTiledLinear(KernelBuilder &b, const LinearSpec &spec) {
  TiledLinearEmitter(b, spec).emit();
}
