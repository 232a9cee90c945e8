//===- TiledLinear.cpp - Matrix products by the matrix unit ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two tiles of tokens times two panels at a time, accumulated in tile registers over
// all of K. Quantised panels become bf16 once for each block of tokens. Each output's
// sums run through K in order, so that neither the number of tokens nor that of
// threads changes its bits.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "MatrixUnit.h"
#include "WeightPrefetch.h"
#include "WeightReader.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace rlx;

static constexpr int64_t kSide = MatrixUnit::kSide, kTokens = MatrixUnit::kTokens;

// Activations of one block of tokens, which every pair of panels reads again: most of an L2 cache.
static constexpr int64_t kTokenBlockBytes = 5 << 18;
static constexpr int64_t kMaxTokenBlock = 512;
// Columns of panels that are unpacked at a time.
static constexpr int64_t kMaxChunk = 2048;

namespace {

class TiledLinearEmitter {
public:
  TiledLinearEmitter(KernelBuilder &b, const LinearSpec &spec)
      : b(b), spec(spec), panels(ceilDiv(spec.n, kLanes) * (spec.geglu ? 2 : 1)),
        reader(createWeightReader(spec.format, spec.k, b.getTarget())), unit(b),
        rowBytes(preparedRowBytes(ActivationFormat::BF16Tiles, spec.k)),
        paddedK(llvm::alignTo(spec.k, kTileDepth)),
        direct(spec.format == WeightFormat::BF16 && paddedK == spec.k) {
    int64_t chunks = direct ? 1 : ceilDiv(paddedK, kMaxChunk);
    chunk = llvm::alignTo(ceilDiv(paddedK, chunks), kTileDepth);
    int64_t fits = kTokenBlockBytes / rowBytes / kTokens * kTokens;
    maxBlock = std::clamp(fits, kTokens, kMaxTokenBlock);
  }

  void emit() {
    rows = b.arg(spec.residual ? 5 : 4);
    if (!direct)
      unpacked = b.stack(kSide * chunk * kTileRowBytes / 2);
    sums = b.stack((isOneChunk() ? kTokens : maxBlock) * kSide * kTileRowBytes);
    unit.configure(b.index(kTokens));
    const int64_t pairs = ceilDiv(panels, kSide);
    // As few blocks as hold all tokens, of about the same length.
    Value blocks = b.max(b.div(b.add(rows, maxBlock - 1), maxBlock), b.index(1));
    Value tiles = b.div(b.add(rows, kTokens - 1), kTokens);
    Value block = b.mul(b.div(b.sub(b.add(tiles, blocks), b.index(1)), blocks), kTokens);
    Value counter = b.arg(spec.residual ? 4 : 3);
    b.forClaimedRanges(counter, b.mul(blocks, pairs), 1, [&](IndexRange range) {
      b.forEach(range.begin, range.end, 1, [&](Value item) {
        Value first = b.mul(b.div(item, pairs), block);
        IndexRange tokens = {first, b.min(b.add(first, block), rows)};
        emitPair(b.rem(item, pairs), tokens);
      });
    });
    unit.release();
  }

private:
  bool isOneChunk() const { return chunk >= paddedK; }

  /// Panels 2 * pair and 2 * pair + 1 for a block of tokens.
  void emitPair(Value pair, IndexRange tokens) {
    const int64_t whole =
        spec.n % kLanes ? (panels - (spec.geglu ? 2 : 1)) / kSide : panels / kSide;
    auto emitPanels = [&](int64_t count, bool tail) {
      count = std::min(count, panels);
      Value first = b.mul(pair, kSide);
      SmallVector<Value> addresses;
      for (int64_t i = 0; i < count; ++i)
        addresses.push_back(reader->panel(b, b.arg(0), b.add(first, i)));
      emitChunks(addresses, first, tokens, tail);
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

  void emitChunks(ArrayRef<Value> addresses, Value panel, IndexRange tokens, bool tail) {
    if (isOneChunk()) {
      Sources sources = unpack(addresses, b.index(0));
      return emitTokens(sources, {b.index(0), b.index(paddedK)}, tokens,
                        [&](Value token, Value count) {
                          emitEpilogues(panel, addresses.size(), token, count, sums, tail);
                        });
    }
    Value count = b.sub(tokens.end, tokens.begin);
    VectorType row = b.vf(kSide * kLanes);
    b.forEach(b.index(0), count, 1, [&](Value i) {
      b.store(b.constant(row, 0.0), b.at(sums, i, kSide * kTileRowBytes));
    });
    b.forEach(b.index(0), b.index(paddedK), chunk, [&](Value k) {
      Sources sources = unpack(addresses, k);
      Value end = b.min(b.add(k, chunk), b.index(paddedK));
      emitTokens(sources, {k, end}, tokens, [](Value, Value) {});
    });
    emitEpilogues(panel, addresses.size(), tokens.begin, count, sums, tail);
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

  /// Adds the products of columns `k` for all tokens; `then` is told which are done.
  void emitTokens(ArrayRef<Value> sources, IndexRange k, IndexRange tokens,
                  llvm::function_ref<void(Value, Value)> then) {
    Value count = b.sub(tokens.end, tokens.begin);
    Value full = b.sub(tokens.end, b.rem(count, kTokens));
    auto to = [&](Value token) {
      return isOneChunk() ? sums : b.at(sums, b.sub(token, tokens.begin), kSide * kTileRowBytes);
    };
    b.forEach(tokens.begin, full, kTokens, [&](Value token) {
      emitTiles(sources, k, token, kSide, to(token));
      then(token, b.index(kTokens));
    });
    b.ifThen(b.less(full, tokens.end), [&] {
      Value left = b.sub(tokens.end, full);
      unit.configure(left);
      b.ifElse(
          b.less(b.index(kTileRows), left), [&] { emitTiles(sources, k, full, kSide, to(full)); },
          [&] { emitTiles(sources, k, full, 1, to(full)); });
      then(full, left);
      unit.configure(b.index(kTokens));
    });
  }

  /// Products of `sides` tiles of tokens.
  void emitTiles(ArrayRef<Value> sources, IndexRange k, Value token, int64_t sides, Value to) {
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
      for (auto [panel, source] : llvm::enumerate(sources))
        unit.loadPanel(panel, b.at(source, within, kTileBytes / kTileDepth));
      for (int64_t side = 0; side < sides; ++side)
        for (int64_t panel = 0; panel < int64_t(sources.size()); ++panel)
          unit.multiply(side, panel);
    });
    forSums([&](int64_t side, int64_t panel, Value address) {
      unit.storeSums(side, panel, address, kSide * kTileRowBytes);
    });
  }

  /// The epilogues of `count` tokens whose sums are at `from`.
  void emitEpilogues(Value panel, int64_t count, Value token, Value tokens, Value from, bool tail) {
    b.forEach(b.index(0), tokens, 1, [&](Value i) {
      Value row = b.at(from, i, kSide * kTileRowBytes);
      SmallVector<Value> values;
      for (int64_t p = 0; p < count; ++p)
        values.push_back(b.load(b.vf(), row, p * kTileRowBytes));
      emitLinearEpilogue(b, spec, values, panel, b.add(token, i), tail);
    });
  }

  KernelBuilder &b;
  const LinearSpec &spec;
  int64_t panels; ///< of the weight
  std::unique_ptr<WeightReader> reader;
  MatrixUnit unit;
  int64_t rowBytes, paddedK;
  bool direct;             ///< the packed weights are tiles as they are
  int64_t chunk, maxBlock; ///< columns unpacked at a time, most tokens of a block
  Value rows;
  Value unpacked, sums; ///< on the stack
};

} // namespace

void rlx::emitTiledLinear(KernelBuilder &b, const LinearSpec &spec) {
  TiledLinearEmitter(b, spec).emit();
}
