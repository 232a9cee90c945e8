//===- TestWeights.cpp - Random packed weights for tests ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Packs element by element, straight from the layout's definition.
//
//===----------------------------------------------------------------------===//
#include "TestWeights.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

static uint16_t convert(float value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool inexact;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &inexact);
  return number.bitcastToAPInt().getZExtValue();
}

static float widen(uint16_t bits, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(semantics, llvm::APInt(16, bits));
  bool inexact;
  number.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  return number.convertToFloat();
}

float rlx::test::halfToFloat(uint16_t bits) { return widen(bits, llvm::APFloat::IEEEhalf()); }
uint16_t rlx::test::floatToHalf(float v) { return convert(v, llvm::APFloat::IEEEhalf()); }
float rlx::test::bf16ToFloat(uint16_t bits) { return widen(bits, llvm::APFloat::BFloat()); }
uint16_t rlx::test::floatToBF16(float v) { return convert(v, llvm::APFloat::BFloat()); }

template <typename T> static void put(Buffer<uint8_t> &buffer, size_t index, T value) {
  std::memcpy(&buffer[index * sizeof(T)], &value, sizeof(T));
}

namespace {
/// Packs the padded matrix; values beyond n stay zero.
struct Packer {
  Buffer<uint8_t> &out;
  std::vector<float> &values, &magnitudes;
  int64_t n, k;
  std::mt19937 generator;

  void packDense(WeightFormat format) {
    std::normal_distribution<float> normal(0, 0.05f);
    for (int64_t row = 0; row < n; ++row)
      for (int64_t i = 0; i < k; ++i) {
        float value = normal(generator);
        size_t index = (row / 16 * k + i) * 16 + row % 16;
        if (format == WeightFormat::F32) {
          put(out, index, value);
        } else if (format == WeightFormat::F16) {
          put(out, index, floatToHalf(value));
          value = halfToFloat(floatToHalf(value));
        } else {
          int64_t pairs = (k + 1) / 2;
          put(out, ((row / 16 * pairs + i / 2) * 16 + row % 16) * 2 + i % 2, floatToBF16(value));
          value = bf16ToFloat(floatToBF16(value));
        }
        values[row * k + i] = value;
        magnitudes[row * k + i] = std::abs(value);
      }
  }

  int random(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }

  uint16_t randomHalf() {
    return floatToHalf(std::uniform_real_distribution<float>(-0.002f, 0.002f)(generator));
  }

  void packBlocks(WeightFormat weightFormat) {
    const BlockFormat &format = blockFormat(weightFormat);
    size_t codeBytes = format.scaleColumns / 32 * 64 * format.bits;
    for (int64_t row = 0; row < n; ++row)
      for (int64_t first = 0; first < k; first += format.scaleColumns) {
        size_t index = (row / 16 * k + first) / format.scaleColumns;
        size_t unit = index * (codeBytes + format.recordBytes());
        packUnit(format, row, first, unit, unit + codeBytes);
      }
  }

  /// The columns that share d, whose codes lie from byte `unit` on and scales from `record` on.
  void packUnit(const BlockFormat &format, int64_t row, int64_t first, size_t unit, size_t record) {
    uint16_t d = randomHalf(), m = randomHalf();
    put(out, record / 2 + row % 16, d);
    if (format.minima)
      put(out, record / 2 + 16 + row % 16, m);
    for (unsigned group = 0; group < format.groups(); ++group) {
      float scale = halfToFloat(d), summand = format.minima ? halfToFloat(m) : 0.0f;
      if (format.integerScales) {
        // As wide as the files' scales are: s8 in q6_k, else 6 bits.
        int s = format.minima ? random(0, 63) : random(format.bits == 6 ? -128 : -32, 31);
        size_t integers = record + format.headBytes() + group * format.groupBytes() + row % 16;
        out[integers] = static_cast<uint8_t>(s);
        scale *= float(s);
        if (format.minima) {
          int minimum = random(0, 63);
          out[integers + 16] = static_cast<uint8_t>(minimum);
          summand *= -float(minimum);
        }
      }
      for (unsigned i = 0; i < format.groupColumns; ++i) {
        int64_t column = first + group * format.groupColumns + i;
        int code = random(0, (1 << format.bits) - 1);
        packCode(format.bits, unit, row, column - first, code);
        float product = scale * float(format.codebook ? kCodebook[code] : code - format.offset);
        values[row * k + column] = format.minima ? product + summand : product;
        magnitudes[row * k + column] = std::abs(product) + std::abs(summand);
      }
    }
  }

  void packCode(unsigned bits, size_t unit, int64_t row, int64_t column, int code) {
    uint8_t *plane = &out[unit + column / 32 * 64 * bits];
    unsigned group = column % 32 / 4;
    for (unsigned p : {8, 4, 2, 1})
      if (bits & p) {
        unsigned part = unsigned(code) & ((1u << p) - 1);
        plane[group % p * 64 + row % 16 * 4 + column % 4] |= part << (p * (group / p));
        plane += 64 * p;
        code >>= p;
      }
  }
};
} // namespace

TestWeights::TestWeights(WeightFormat format, int64_t n, int64_t k, uint32_t seed)
    : packed(packedWeightBytes(format, n, k)), values(n * k), magnitudes(n * k), n(n), k(k) {
  std::memset(packed.data(), 0, packed.size());
  Packer packer{packed, values, magnitudes, n, k, std::mt19937(seed)};
  if (isQuantized(format))
    packer.packBlocks(format);
  else
    packer.packDense(format);
}

void TestWeights::roundValuesToBF16() {
  for (float &value : values)
    value = bf16ToFloat(floatToBF16(value));
}
