//===- Linear.cpp - Matrix products of prepared activations ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One loop nest for every weight format and every number of tokens: blocks of
// tokens, groups of panels, tiles of tokens, steps of K. Each output is one lane
// that runs through K in order, so that the tile's shape does not change its bits.
// Outputs that another product reads in blocks of 32 are converted once a block is
// complete. A matrix unit's tiles of bytes, where there is one, take the place of vectors
// in products of quantised weights with several tokens.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "MatrixUnit.h"
#include "RowConverter.h"
#include "WeightPrefetch.h"
#include "WeightReader.h"
#include "llvm/ADT/bit.h"
#include <limits>
#include <optional>

using namespace mlir;
using namespace rlx;

// Activations that the inner loops of one block of tokens read again and again: a part of an L2
// cache.
static constexpr int64_t kTokenBlockBytes = 512 << 10;

// Rows of prepared outputs that wait for the rest of their block.
static constexpr int64_t kMostOutputRows = 512;

// Panels that a thread claims at least where few of them are computed.
static constexpr int64_t kScreenedPanels = 64;

namespace {

/// A product of one weight.
class LinearEmitter {
public:
  LinearEmitter(KernelBuilder &b, const LinearSpec &spec)
      : b(b), spec(spec), unit(spec.geglu ? 2 : 1), units(ceilDiv(spec.n, kLanes)),
        unitsOfGroup(spec.prepared ? kQuantBlock / kLanes : 1),
        reader(createWeightReader(spec.format, spec.k, b.getTarget())),
        input(activationFormat(spec.format, b.getTarget())) {
    rowBytes = input == ActivationFormat::F32 ? spec.inStride * 4 : preparedRowBytes(input, spec.k);
    rows = b.arg(4 + spec.residual + spec.screened);
  }

  void emit() {
    if (spec.tiled)
      return b.ifElse(
          b.less(b.index(untiledRows(input)), rows), [&] { emitTiledLinear(b, spec); },
          [&] { emitUntiled(); });
    emitUntiled();
  }

private:
  void emitUntiled() {
    counter = b.arg(3 + spec.residual + spec.screened);
    if (spec.singleRow || (spec.tiled && untiledRows(input) == 1))
      return emitRow();
    b.ifElse(b.equal(rows, b.index(1)), [&] { emitRow(); }, [&] { emitRows(); });
  }

  // The work is claimed rather than divided: so a thread whose core is slower, or whose memory is
  // farther, holds none of the others back. Ranges are long: memory is fastest where each thread
  // reads few streams from end to end.

  /// One token, or none.
  void emitRow() {
    unsigned most = std::max<int64_t>(b.getTarget().rowStreams / unit, 1);
    auto emitAll = [&] {
      reserveOutputs(1);
      b.forClaimedRanges(counter, b.index(units / unitsOfGroup), 1, [&](IndexRange range) {
        emitGroups(most, {1}, range, {b.index(0), rows});
      });
    };
    if (!spec.screened)
      return emitAll();
    Value threshold = b.load(b.i32(), b.arg(3));
    Value all = b.constantInt(b.i32(), std::numeric_limits<int32_t>::min());
    b.ifElse(arith::CmpIOp::create(b, arith::CmpIPredicate::eq, threshold, all), emitAll,
             [&] { emitScreened(threshold); });
  }

  /// One token, panel by panel, of which few are expected to reach the threshold.
  void emitScreened(Value threshold) {
    const int64_t whole = spec.n / kLanes, last = spec.n % kLanes;
    auto drop = [&](Value panel, int64_t lanes) {
      Value none = b.constant(b.vf(lanes), -std::numeric_limits<double>::infinity());
      b.store(none, b.at(b.arg(2), panel, kLanes * 4));
    };
    b.forClaimedRanges(counter, b.index(units), kScreenedPanels, [&](IndexRange range) {
      b.forEach(range.begin, range.end, 1, [&](Value panel) {
        Value upper = b.load(b.i32(), b.at(b.arg(3), panel, 4, kScreenUppers));
        Value kept = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, upper, threshold);
        b.ifElse(
            kept, [&] { emitUnits(1, {1}, {panel, b.add(panel, 1)}, {b.index(0), rows}); },
            [&] {
              if (!last)
                return drop(panel, kLanes);
              b.ifElse(
                  b.equal(panel, b.index(whole)), [&] { drop(panel, last); },
                  [&] { drop(panel, kLanes); });
            });
      });
    });
  }

  /// Many tokens: all units for the first block of tokens, then for the next.
  void emitRows() {
    TileShape shape = b.getTarget().gemmTileFor(spec.format);
    if (b.getTarget().tiles && reader->byteParts()) {
      byteUnit.emplace(b, reader->stepSize() / reader->byteParts());
      byteSums = b.stack(ByteUnit::kTokens * ByteUnit::kPanels * kLanes * 4);
      shape = {ByteUnit::kTokens, ByteUnit::kPanels};
    }
    int64_t panels = llvm::alignTo(shape.panels, unit);
    // Full tiles, then powers of two.
    SmallVector<int64_t> ladder = {std::max<int64_t>(shape.tokens * shape.panels / panels, 1)};
    while (ladder.back() > 1)
      ladder.push_back(llvm::bit_floor<uint64_t>(ladder.back() - 1));
    int64_t fits = kTokenBlockBytes / rowBytes;
    if (spec.prepared)
      fits = std::min(fits, kMostOutputRows);
    int64_t block = std::max<int64_t>(fits / ladder[0], 1) * ladder[0];
    reserveOutputs(block);
    const int64_t least = ceilDiv(panels / unit, unitsOfGroup);
    b.forClaimedBlocks(counter, rows, b.index(block), units / unitsOfGroup, least,
                       [&](IndexRange groups, IndexRange tokens) {
                         emitGroups(panels / unit, ladder, groups, tokens);
                       });
    if (byteUnit)
      byteUnit->release();
    byteUnit.reset();
  }

  /// Memory for f32 outputs of a group.
  void reserveOutputs(int64_t tokens) {
    if (spec.prepared)
      outputs = b.stack(tokens * kQuantBlock * 4);
  }

  /// Groups of units: single ones, or as many as make a block of prepared outputs, which are
  /// converted once the group is complete for all tokens.
  void emitGroups(unsigned most, ArrayRef<int64_t> ladder, IndexRange range, IndexRange tokens) {
    if (!spec.prepared)
      return emitUnits(most, ladder, range, tokens);
    b.forEach(range.begin, range.end, 1, [&](Value group) {
      Value begin = b.mul(group, unitsOfGroup);
      firstToken = tokens.begin;
      firstColumn = b.mul(group, kQuantBlock);
      emitUnits(most, ladder, {begin, b.add(begin, unitsOfGroup)}, tokens);
      // Where the matrix unit multiplies these, few tokens come here.
      if (!spec.prepared->tiled || spec.tiled)
        return convertOutputs(spec.prepared->format, tokens);
      b.ifElse(
          b.less(b.index(untiledRows(spec.prepared->format)), rows),
          [&] { convertOutputs(ActivationFormat::BF16Tiles, tokens); },
          [&] { convertOutputs(spec.prepared->format, tokens); });
    });
  }

  void convertOutputs(ActivationFormat format, IndexRange tokens) {
    b.forEach(tokens.begin, tokens.end, 1, [&](Value token) {
      auto load = [&](Value column, int64_t lanes) {
        return b.load(b.vf(lanes), placeOfOutput(token, column));
      };
      RowConverter(b, format, spec.n, b.arg(2), token, load).emitColumns(firstColumn, kQuantBlock);
    });
  }

  /// In the memory for a group's outputs.
  Value placeOfOutput(Value token, Value column) {
    Value row = b.at(outputs, b.sub(token, firstToken), kQuantBlock * 4);
    return b.at(row, b.sub(column, firstColumn), 4);
  }

  void store(Value values, Value token, Value column) {
    if (spec.prepared)
      return b.store(values, placeOfOutput(token, column));
    storeOutputs(b, spec, values, token, column);
  }

  /// Units of panels (one, or a gate and its up), up to `most` of them side by side, for a range of
  /// tokens.
  void emitUnits(unsigned most, ArrayRef<int64_t> ladder, IndexRange range, IndexRange tokens) {
    const int64_t whole = spec.n / kLanes;
    auto emitGroup = [&](Value begin, unsigned count) {
      Value panel = b.mul(begin, unit);
      SmallVector<Value> addresses;
      for (int64_t i = 0; i < count * unit; ++i)
        addresses.push_back(reader->panel(b, b.arg(0), b.add(panel, i)));
      emitTokens(addresses, panel, ladder, tokens.begin, tokens.end);
    };
    Value begin = range.begin, end = b.min(range.end, b.index(whole));
    for (unsigned count = std::min<int64_t>(most, whole); count > 0; count /= 2) {
      Value stop = b.add(begin, b.mul(b.div(b.sub(end, begin), count), count));
      b.forEach(begin, stop, count, [&](Value group) { emitGroup(group, count); });
      begin = stop;
    }
    if (whole == units)
      return;
    // The last panel's columns end within it.
    b.ifThen(b.equal(range.end, b.index(units)), [&] {
      tail = true;
      emitGroup(b.index(whole), 1);
      tail = false;
    });
  }

  /// A tile of tokens among those over the same panels. Nothing is shared where there is one token.
  struct Pass {
    const SharedPrefetch *prefetch = nullptr;
    Value number;
  };

  void emitTokens(ArrayRef<Value> panels, Value panel, ArrayRef<int64_t> ladder, Value first,
                  Value last) {
    if (byteUnit)
      return b.forEach(first, last, ByteUnit::kTokens, [&](Value token) {
        emitByteTile(panels, panel, token, b.min(b.sub(last, token), b.index(ByteUnit::kTokens)));
      });
    if (ladder.size() == 1)
      return b.forEach(first, last, 1, [&](Value token) { emitTile(panels, panel, token, 1, {}); });
    SmallVector<Value> ends, passes = {b.index(0)}; // of the ladder's steps; before each
    Value begin = first;
    for (int64_t tokens : ladder) {
      Value count = b.div(b.sub(last, begin), tokens);
      ends.push_back(begin = b.add(begin, b.mul(count, tokens)));
      passes.push_back(b.add(passes.back(), count));
    }
    SharedPrefetch prefetch(b, spec, passes.back());
    begin = first;
    for (size_t i = 0; i < ladder.size(); ++i) {
      b.forEach(begin, ends[i], ladder[i], [&](Value token) {
        Value number = b.add(passes[i], b.div(b.sub(token, begin), ladder[i]));
        emitTile(panels, panel, token, ladder[i], {&prefetch, number});
      });
      begin = ends[i];
    }
  }

  void emitTile(ArrayRef<Value> panels, Value panel, Value token, int64_t tokens, Pass pass) {
    SmallVector<Value> sums;
    if (tokens == 1 && b.getTarget().rowStreams == 1) // one panel after another
      for (Value address : panels)
        sums.append(emitProduct(address, token, 1, pass));
    else
      sums = emitProduct(panels, token, tokens, pass);
    for (int64_t i = 0; i < tokens; ++i) {
      Value row = b.add(token, i);
      emitLinearEpilogue(b, spec, ArrayRef(sums).slice(i * panels.size(), panels.size()), panel,
                         row, tail,
                         [&](Value values, Value column) { store(values, row, column); });
    }
  }

  /// A tile of any number of tokens, whose bytes the matrix unit multiplies.
  void emitByteTile(ArrayRef<Value> panels, Value panel, Value token, Value tokens) {
    const int64_t sumBytes = panels.size() * kLanes * 4;
    Tile tile;
    tile.panels.assign(panels.begin(), panels.end());
    tile.activations = b.at(b.arg(1), token, rowBytes);
    tile.rowBytes = rowBytes;
    tile.ahead = [&](Value k, int64_t count) { prefetch(panels, k, count, {}); };
    byteUnit->configure(tokens);
    Value zeros = b.constant(b.vf(panels.size() * kLanes), 0.0);
    b.forEach(b.index(0), tokens, 1, [&](Value i) { b.store(zeros, b.at(byteSums, i, sumBytes)); });
    // The unit multiplies what comes next while the sums before are used; at the end, once more
    // what came last.
    const int64_t step = reader->stepSize(), parts = reader->byteParts();
    auto multiply = [&](Value k, int64_t part) {
      reader->emitByteProducts(b, tile, *byteUnit, k, part);
    };
    multiply(b.index(0), 0);
    byteUnit->store(panels.size());
    b.forEach(b.index(0), b.index(spec.k), step, [&](Value k) {
      tile.ahead(k, step);
      for (int64_t part = 0; part < parts; ++part) {
        if (part + 1 < parts)
          multiply(k, part + 1);
        else
          multiply(b.min(b.add(k, step), b.index(spec.k - step)), 0);
        reader->emitByteSums(b, tile, *byteUnit, tokens, k, part, byteSums);
        byteUnit->store(panels.size());
      }
    });
    b.forEach(b.index(0), tokens, 1, [&](Value i) {
      SmallVector<Value> sums;
      for (size_t p = 0; p < panels.size(); ++p)
        sums.push_back(b.load(b.vf(), b.at(byteSums, i, sumBytes), p * kLanes * 4));
      Value row = b.add(token, i);
      emitLinearEpilogue(b, spec, sums, panel, row, tail,
                         [&](Value values, Value column) { store(values, row, column); });
    });
  }

  /// The products of panels with tokens, token by token.
  SmallVector<Value> emitProduct(ArrayRef<Value> panels, Value token, int64_t tokens, Pass pass) {
    Tile tile;
    tile.panels.assign(panels.begin(), panels.end());
    tile.activations = b.at(b.arg(1), token, rowBytes);
    tile.rowBytes = rowBytes;
    tile.tokens = tokens;
    SmallVector<Value> sums(tile.accumulators(), b.constant(b.vf(), 0.0));
    tile.ahead = [&](Value k, int64_t count) { prefetch(panels, k, count, pass); };
    int64_t step = reader->stepSize(), full = spec.k / step * step;
    if (full)
      sums = b.forEach(b.index(0), b.index(full), step, sums, [&](Value k, ValueRange carried) {
        KernelBuilder::Values next(carried);
        reader->emitStep(b, tile, k, step, next);
        return next;
      });
    tile.ahead = Tile().ahead; // nothing for the few columns that are left
    if (full != spec.k)
      reader->emitStep(b, tile, b.index(full), spec.k - full, sums);
    return sums;
  }

  /// Asks for weights that follow columns k … k + count - 1: at some distance in the streams of one
  /// token, or the same positions of the panels that come next.
  void prefetch(ArrayRef<Value> panels, Value k, int64_t count, Pass pass) {
    int64_t distance = b.getTarget().prefetchBytes;
    int64_t panelBytes = packedWeightBytes(spec.format, kLanes, spec.k);
    int64_t groupBytes = panels.size() * panelBytes;
    if (pass.prefetch)
      return pass.prefetch->emitStep(panels, pass.number, k, count, groupBytes);
    if (!distance)
      return;
    // Behind a panel's end comes the next one, which is read at the same time as this one: what
    // will be read then is in the next group.
    Value last = b.index(spec.k - 1 - distance * spec.k / panelBytes);
    Value skipped =
        arith::SelectOp::create(b, b.less(last, k), b.index(groupBytes - panelBytes), b.index(0));
    for (Value panel : panels)
      prefetchColumns(b, spec, b.at(panel, skipped, 1), k, count, distance);
  }

  KernelBuilder &b;
  const LinearSpec &spec;
  int64_t unit;  ///< panels that make one panel of outputs: gate and up alternate
  int64_t units; ///< of the weight
  int64_t unitsOfGroup;
  std::unique_ptr<WeightReader> reader;
  ActivationFormat input; ///< of rows that are not in tiles
  int64_t rowBytes = 0;
  Value rows, counter;
  std::optional<ByteUnit> byteUnit; ///< of products with several tokens
  Value byteSums;                   ///< of a tile, on the stack
  Value outputs;                    ///< of a group, f32, on the stack
  Value firstToken, firstColumn;    ///< of them
  bool tail = false;                ///< emitting the panel whose last columns are missing
};

} // namespace

void rlx::emitLinear(KernelBuilder &b, const LinearSpec &spec) { LinearEmitter(b, spec).emit(); }
