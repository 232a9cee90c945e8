//===- BlockReader.cpp - Panels of quantised weights ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step is one block of 32 k, in parts that share a scale: exact integer sums of
// quants, then one fused multiply-add by the product of both scales, and one by the
// minimum where there is one. What differs from format to format is in the table of
// rlx/Target/WeightFormat.h.
//
//===----------------------------------------------------------------------===//
#include "MatrixUnit.h"
#include "WeightReader.h"

using namespace mlir;
using namespace rlx;

static constexpr int64_t kBlock = kQuantBlock;
static constexpr int64_t kVectorBytes = 4 * kLanes; // 16 rows x 4 k

namespace {

class BlockReader : public WeightReader {
public:
  BlockReader(WeightFormat weightFormat, int64_t k)
      : format(blockFormat(weightFormat)), planes(codePlanes(format)), k(k),
        parts(kBlock / format.groupColumns) {}

  int64_t stepSize() const override { return kBlock; }

  int64_t byteParts() const override { return parts; }

  Value panel(KernelBuilder &b, Value weights, Value panel) const override {
    return b.at(weights, panel, format.panelBytes(k));
  }

  void emitStep(KernelBuilder &b, const Tile &tile, Value position, int64_t count,
                MutableArrayRef<Value> accumulators) const override {
    tile.ahead(position, count);
    Factors factors = factorsOf(b, tile, position);
    for (int64_t part = 0; part < parts; ++part) {
      SmallVector<Value> integers;
      for (int64_t token = 0; token < tile.tokens; ++token)
        integers.append(tile.panels.size(),
                        startValue(b, factors.sums, token * tile.rowBytes + part * 4));
      multiplyGroups(b, tile, position, part, integers);
      loadPart(b, tile, position, part, factors);
      for (int64_t token = 0; token < tile.tokens; ++token) {
        size_t first = token * tile.panels.size();
        addProducts(b, factors, part, token * tile.rowBytes,
                    ArrayRef(integers).slice(first, tile.panels.size()),
                    accumulators.slice(first, tile.panels.size()));
      }
    }
  }

  void emitByteProducts(KernelBuilder &b, const Tile &tile, const ByteUnit &unit, Value position,
                        int64_t part) const override {
    SmallVector<Value> weights;
    for (auto [panel, address] : llvm::enumerate(tile.panels))
      weights.push_back(
          emitBytes(b, codeAddress(b, address, position), part, unit.weightsOf(panel)));
    unit.multiply(b.at(tile.activations, position, 1, part * kBlock / parts), tile.rowBytes,
                  weights);
  }

  void emitByteSums(KernelBuilder &b, const Tile &tile, const ByteUnit &unit, Value tokens,
                    Value position, int64_t part, Value accumulators) const override {
    const int64_t panels = tile.panels.size(), vectorBytes = 4 * kLanes;
    Factors factors = factorsOf(b, tile, position);
    loadPart(b, tile, position, part, factors);
    b.forEach(b.index(0), tokens, 1, [&](Value token) {
      Factors ofToken = factors;
      ofToken.scales = b.at(factors.scales, token, tile.rowBytes);
      ofToken.sums = b.at(factors.sums, token, tile.rowBytes);
      Value memory = b.at(accumulators, token, panels * vectorBytes);
      Value start = startValue(b, ofToken.sums, part * 4);
      SmallVector<Value> integers, sums;
      for (int64_t panel = 0; panel < panels; ++panel) {
        integers.push_back(arith::AddIOp::create(b, start, unit.sums(token, panel)));
        sums.push_back(b.load(b.vf(), memory, panel * vectorBytes));
      }
      addProducts(b, ofToken, part, 0, integers, sums);
      for (int64_t panel = 0; panel < panels; ++panel)
        b.store(sums[panel], memory, panel * vectorBytes);
    });
  }

  void emitTile(KernelBuilder &b, Value panel, Value position, int64_t, Value out) const override {
    ScaleAddress address = scaleAddress(b, panel, position);
    TileCodes codes(*this, b, codeAddress(b, panel, position));
    const int64_t groups = kBlock / 4 / parts;
    for (int64_t part = 0; part < parts; ++part) {
      // scale * (2^bits + code) + start: one multiply-add each. The start value is exact.
      Value scale = loadScale(b, address, part, b.index(0), kLanes);
      double excess = codes.excess() + format.offset;
      Value start = format.minima ? loadMinimum(b, address, part, b.index(0), kLanes)
                                  : b.mulf(scale, b.constant(b.vf(), -excess));
      Value factors[2], starts[2];
      for (int64_t half = 0; half < 2; ++half) {
        factors[half] = b.shuffle(scale, rowsOfHalf(half));
        starts[half] = b.shuffle(start, rowsOfHalf(half));
      }
      for (int64_t pair = part * groups * 2; pair < (part + 1) * groups * 2; ++pair) {
        Value halves[2];
        for (int64_t half = 0; half < 2; ++half) {
          Value code = codes.get(half, pair);
          if (format.minima)
            code = b.subf(code, b.constant(b.vf(), excess));
          halves[half] = b.fma(code, factors[half], starts[half]);
        }
        Value row = b.intrinsic("llvm.x86.avx512bf16.cvtne2ps2bf16.512",
                                b.vec(b.getBF16Type(), 2 * kLanes), {halves[1], halves[0]});
        b.store(row, out, pair * kTileRowBytes);
      }
    }
  }

  Value emitElement(KernelBuilder &b, Value panel, Value lane, Value position) const override {
    Value block = b.mul(b.div(position, kBlock), kBlock);
    Value within = b.rem(position, kBlock);
    ScaleAddress address = scaleAddress(b, panel, block);
    if (parts > 1) // the part is known at run time only
      address.integers =
          b.at(address.integers, b.div(within, format.groupColumns), format.groupBytes());
    Value code = loadCode(b, codeAddress(b, panel, block), lane, within);
    Value quant = arith::SIToFPOp::create(b, b.f32(), emitQuant(b, code));
    Value value = b.mulf(loadScale(b, address, 0, lane, 1), quant);
    return format.minima ? b.addf(value, loadMinimum(b, address, 0, lane, 1)) : value;
  }

private:
  /// What the integers of a block are multiplied by.
  struct Factors {
    Value scales, sums;                      ///< addresses: of the first token
    SmallVector<Value> weightScales, minima; ///< of the panels, for one part
  };

  Factors factorsOf(KernelBuilder &b, const Tile &tile, Value position) const {
    // A row's scales are 4 bytes a block, its sums 4 bytes a part.
    return {b.at(tile.activations, b.div(position, 8), 1, k),
            b.at(tile.activations, b.div(position, 8 / parts), 1, k + k / 8),
            {},
            {}};
  }

  void loadPart(KernelBuilder &b, const Tile &tile, Value position, int64_t part,
                Factors &factors) const {
    factors.weightScales.clear();
    factors.minima.clear();
    for (Value panel : tile.panels) {
      ScaleAddress address = scaleAddress(b, panel, position);
      factors.weightScales.push_back(loadScale(b, address, part, b.index(0), kLanes));
      factors.minima.push_back(loadMinimum(b, address, part, b.index(0), kLanes));
    }
  }

  /// Adds one token's integers, one for each panel, times their scales to its accumulators.
  void addProducts(KernelBuilder &b, const Factors &factors, int64_t part, int64_t tokenBytes,
                   ArrayRef<Value> integers, MutableArrayRef<Value> accumulators) const {
    Value scale = b.loadSplat(b.vf(), factors.scales, tokenBytes);
    Value scaledSum;
    if (format.minima)
      scaledSum = b.loadSplat(b.vf(), factors.sums, tokenBytes + part * 4);
    for (auto [panel, weightScale] : llvm::enumerate(factors.weightScales)) {
      Value sum = arith::SIToFPOp::create(b, b.vf(), integers[panel]);
      accumulators[panel] = b.fma(sum, b.mulf(weightScale, scale), accumulators[panel]);
      if (format.minima)
        accumulators[panel] = b.fma(factors.minima[panel], scaledSum, accumulators[panel]);
    }
  }

  /// The codes of one block as rows of a tile take them: lane 2r + i of half h is column
  /// 2 * pair + i of row 8h + r.
  class TileCodes {
  public:
    TileCodes(const BlockReader &reader, KernelBuilder &b, Value address)
        : reader(reader), b(b),
          planes(reader.format.codebook ? SmallVector<CodePlane, 2>{{8, 0, 0}} : reader.planes) {
      for (const CodePlane &plane : planes)
        for (unsigned vector = 0; vector < plane.bits; ++vector) {
          Value vectorWords =
              reader.format.codebook
                  ? b.bitcast(reader.unpack(b, address, vector), b.vec(b.i32()))
                  : b.load(b.vec(b.i32()), address, plane.blockByte + vector * kVectorBytes);
          for (int64_t half = 0; half < 2; ++half)
            words.push_back(b.shuffle(vectorWords, rowsOfHalf(half)));
        }
    }

    /// What the numbers of `get` exceed codes by.
    double excess() const { return double(1u << bits()); }

    /// The codes of a pair of columns, plus excess(), as f32: the bits of a code are the highest of
    /// the mantissa, and the exponent that of 2^bits.
    Value get(int64_t half, int64_t pair) const {
      const unsigned lowest = 23 - bits(), exponent = 127 + bits();
      VectorType type = b.vec(b.i32());
      Value number = b.constantInt(type, int64_t(exponent) << 23);
      size_t first = 0; // of the plane's vectors
      for (const CodePlane &plane : planes) {
        const unsigned group = pair / 2;
        SmallVector<int32_t> turns;
        for (int64_t lane = 0; lane < kLanes; ++lane) {
          unsigned place = plane.shift(group) + 8 * (pair % 2 * 2 + lane % 2);
          turns.push_back((32 + lowest + plane.low - place) % 32);
        }
        Value word = words[first + plane.vector(group) * 2 + half];
        Value amounts =
            arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int32_t>(turns)));
        word = b.intrinsic("llvm.fshl.v16i32", type, {word, word, amounts});
        Value mask = b.constantInt(type, int64_t(plane.mask()) << (lowest + plane.low));
        number = arith::OrIOp::create(b, arith::AndIOp::create(b, word, mask), number);
        first += plane.bits * 2;
      }
      return b.bitcast(number, b.vf());
    }

  private:
    unsigned bits() const { return reader.format.codebook ? 8 : reader.format.bits; }

    const BlockReader &reader;
    KernelBuilder &b;
    SmallVector<CodePlane, 2> planes;
    SmallVector<Value> words; ///< [plane's vector][half]: each row's word twice
  };

  /// The rows of half a tile row's lanes.
  static SmallVector<int64_t> rowsOfHalf(int64_t half) {
    SmallVector<int64_t> rows;
    for (int64_t lane = 0; lane < kLanes; ++lane)
      rows.push_back(half * kLanes / 2 + lane / 2);
    return rows;
  }

  /// Scales of a block: of its record, and of its first group.
  struct ScaleAddress {
    Value record, integers;
  };

  Value unitAddress(KernelBuilder &b, Value panel, Value position) const {
    return b.at(panel, b.div(position, format.scaleColumns), format.unitBytes());
  }

  /// The codes of the block that starts at `position`.
  Value codeAddress(KernelBuilder &b, Value panel, Value position) const {
    Value unit = unitAddress(b, panel, position);
    return b.at(unit, b.rem(position, format.scaleColumns), format.codeBytes(1));
  }

  ScaleAddress scaleAddress(KernelBuilder &b, Value panel, Value position) const {
    ScaleAddress address;
    address.record = b.at(unitAddress(b, panel, position), format.codeBytes(format.scaleColumns));
    if (format.integerScales) {
      Value group = b.div(b.rem(position, format.scaleColumns), format.groupColumns);
      address.integers = b.at(address.record, group, format.groupBytes(), format.headBytes());
    }
    return address;
  }

  Type lanesOf(KernelBuilder &b, Type element, int64_t lanes) const {
    return lanes == 1 ? element : b.vec(element, lanes);
  }

  /// f16 numbers of `lanes` rows from `lane` on, as f32.
  Value loadHalves(KernelBuilder &b, Value address, Value lane, int64_t lanes) const {
    Value halves = b.load(lanesOf(b, b.getF16Type(), lanes), b.at(address, lane, 2));
    return arith::ExtFOp::create(b, lanesOf(b, b.f32(), lanes), halves);
  }

  /// scale(k) of a part: exact, as the integer has 8 bits.
  Value loadScale(KernelBuilder &b, const ScaleAddress &address, int64_t part, Value lane,
                  int64_t lanes) const {
    Value scale = loadHalves(b, address.record, lane, lanes);
    if (!format.integerScales)
      return scale;
    Value bytes = b.load(lanesOf(b, b.getI8Type(), lanes), b.at(address.integers, lane, 1),
                         part * format.groupBytes());
    Value words = arith::ExtSIOp::create(b, lanesOf(b, b.i32(), lanes), bytes);
    return b.mulf(scale, arith::SIToFPOp::create(b, lanesOf(b, b.f32(), lanes), words));
  }

  /// What is added to each element of a part; null where there is nothing.
  Value loadMinimum(KernelBuilder &b, const ScaleAddress &address, int64_t part, Value lane,
                    int64_t lanes) const {
    if (!format.minima)
      return {};
    Value minimum = loadHalves(b, b.at(address.record, 2 * kLanes), lane, lanes);
    if (!format.integerScales)
      return minimum;
    Value bytes = b.load(lanesOf(b, b.getI8Type(), lanes), b.at(address.integers, lane, 1),
                         part * format.groupBytes() + kLanes);
    Value words = arith::ExtUIOp::create(b, lanesOf(b, b.i32(), lanes), bytes);
    Value factor = arith::SIToFPOp::create(b, lanesOf(b, b.f32(), lanes), words);
    return b.negf(b.mulf(minimum, factor));
  }

  bool isSigned(const TargetDescription &target) const {
    return format.offset == 128 && dot4WantsSigned(target);
  }

  /// Unsigned quants are too great by the offset, which the start value takes back.
  Value startValue(KernelBuilder &b, Value sums, int64_t offset) const {
    VectorType type = b.vec(b.i32());
    if (format.offset == 0 || isSigned(b.getTarget()))
      return b.constantInt(type, 0);
    Value sum = b.load(b.i32(), sums, offset);
    return b.splat(b.mul(sum, b.constantInt(b.i32(), -format.offset)), type);
  }

  void multiplyGroups(KernelBuilder &b, const Tile &tile, Value position, int64_t part,
                      MutableArrayRef<Value> integers) const {
    Value activations = b.at(tile.activations, position, 1);
    SmallVector<Value> quants;
    for (Value panel : tile.panels)
      quants.push_back(codeAddress(b, panel, position));
    int64_t groups = kBlock / 4 / parts;
    for (int64_t group = part * groups; group < (part + 1) * groups; ++group) {
      SmallVector<Value> weights;
      for (Value address : quants)
        weights.push_back(unpack(b, address, group));
      for (int64_t token = 0; token < tile.tokens; ++token) {
        Value word = b.load(b.i32(), activations, token * tile.rowBytes + group * 4);
        for (auto [panel, w] : llvm::enumerate(weights)) {
          Value &acc = integers[token * tile.panels.size() + panel];
          acc = emitDot4(b, acc, w, isSigned(b.getTarget()), word);
        }
      }
    }
  }

  /// The bytes of a part of a block as a matrix unit takes them: where they are, or unpacked to
  /// `memory`.
  Value emitBytes(KernelBuilder &b, Value codes, int64_t part, Value memory) const {
    const int64_t groups = kBlock / 4 / parts, first = part * groups;
    if (format.bits == 8)
      return b.at(codes, first * kVectorBytes);
    for (int64_t group = 0; group < groups; ++group)
      b.store(unpack(b, codes, first + group), memory, group * kVectorBytes);
    return memory;
  }

  /// Positions 4 * group … of a block as the bytes that the dot product takes.
  Value unpack(KernelBuilder &b, Value address, int64_t group) const {
    VectorType bytes = b.vec(b.getI8Type(), kVectorBytes), words = b.vec(b.i32());
    if (format.bits == 8) {
      Value raw = b.load(bytes, address, group * kVectorBytes);
      return isSigned(b.getTarget())
                 ? arith::XOrIOp::create(b, raw, b.constantInt(bytes, 0x80)).getResult()
                 : raw;
    }
    Value code;
    for (const CodePlane &plane : planes) {
      Value word = b.load(words, address, plane.blockByte + plane.vector(group) * kVectorBytes);
      int64_t right = int64_t(plane.shift(group)) - plane.low; // to the bits' place in the code
      if (right > 0)
        word = arith::ShRUIOp::create(b, word, b.constantInt(words, right));
      else if (right < 0)
        word = arith::ShLIOp::create(b, word, b.constantInt(words, -right));
      int64_t mask = int64_t(plane.mask()) << plane.low;
      word = arith::AndIOp::create(b, word, b.constantInt(words, 0x01010101 * mask));
      code = code ? arith::OrIOp::create(b, code, word).getResult() : word;
    }
    code = b.bitcast(code, bytes);
    return format.codebook ? emitLookup(b, codebook(b.getTarget()), code) : code;
  }

  /// The numbers that codes stand for, signed or too great by the offset.
  SmallVector<int8_t> codebook(const TargetDescription &target) const {
    SmallVector<int8_t> table(ArrayRef<int8_t>{kCodebook});
    if (!isSigned(target))
      for (int8_t &value : table)
        value = static_cast<int8_t>(value + format.offset);
    return table;
  }

  /// The code of one row's position `within` a block, as i32.
  Value loadCode(KernelBuilder &b, Value address, Value lane, Value within) const {
    Value group = b.div(within, 4), column = b.rem(within, 4);
    Value code;
    for (const CodePlane &plane : planes) {
      Value vector = b.at(address, b.rem(group, plane.bits), kVectorBytes, plane.blockByte);
      Value byte = b.load(b.getI8Type(), b.at(b.at(vector, lane, 4), column, 1));
      Value bits = arith::ExtUIOp::create(b, b.i32(), byte);
      Value shift = b.mul(b.div(group, plane.bits), plane.bits);
      bits = arith::ShRUIOp::create(b, bits, arith::IndexCastOp::create(b, b.i32(), shift));
      bits = arith::AndIOp::create(b, bits, b.constantInt(b.i32(), plane.mask()));
      bits = arith::ShLIOp::create(b, bits, b.constantInt(b.i32(), plane.low));
      code = code ? arith::OrIOp::create(b, code, bits).getResult() : bits;
    }
    return code;
  }

  /// The integer that a code stands for.
  Value emitQuant(KernelBuilder &b, Value code) const {
    if (!format.codebook)
      return arith::SubIOp::create(b, code, b.constantInt(b.i32(), format.offset));
    Value byte = arith::TruncIOp::create(b, b.getI8Type(), code);
    Value found = emitLookup(b, kCodebook, b.splat(byte, b.vec(b.getI8Type())));
    return arith::ExtSIOp::create(b, b.i32(), b.lane(found, 0));
  }

  const BlockFormat &format;
  SmallVector<CodePlane, 2> planes;
  int64_t k;
  int64_t parts; ///< of a block, that have a scale each
};

} // namespace

std::unique_ptr<WeightReader> rlx::createBlockReader(WeightFormat format, int64_t k) {
  return std::make_unique<BlockReader>(format, k);
}

std::unique_ptr<WeightReader> rlx::createWeightReader(WeightFormat format, int64_t k,
                                                      const TargetDescription &target) {
  if (isQuantized(format))
    return createBlockReader(format, k);
  return createDenseReader(format, k, target);
}
