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
  std::vector<float> &values;
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
      }
  }

  void packBlocks(bool nibbles) {
    int64_t panels = (n + 15) / 16, quantBytes = nibbles ? 8 : 16;
    size_t scales = (panels * k * quantBytes + 63) / 64 * 64 / 2;
    std::uniform_int_distribution<int> quants(nibbles ? -8 : -128, nibbles ? 7 : 127);
    std::uniform_real_distribution<float> scaleRange(-0.002f, 0.002f);
    if (!nibbles) // Padding rows hold q = 0.
      std::memset(out.data(), 0x80, panels * k * 16);
    else
      std::memset(out.data(), 0x88, panels * k * 8);
    for (int64_t row = 0; row < n; ++row)
      for (int64_t block = 0; block < k / 32; ++block) {
        size_t blockIndex = row / 16 * (k / 32) + block;
        uint16_t scale = floatToHalf(scaleRange(generator));
        put(out, scales + blockIndex * 16 + row % 16, scale);
        for (int64_t i = 0; i < 32; ++i) {
          int q = quants(generator);
          values[row * k + block * 32 + i] = halfToFloat(scale) * float(q);
          int64_t byte = nibbles ? i % 16 : i;
          uint8_t &target =
              out[blockIndex * 32 * quantBytes + byte / 4 * 64 + row % 16 * 4 + byte % 4];
          if (!nibbles)
            target = q + 128;
          else if (i < 16)
            target = (target & 0xf0) | (q + 8);
          else
            target = (target & 0x0f) | (q + 8) << 4;
        }
      }
  }
};
} // namespace

TestWeights::TestWeights(WeightFormat format, int64_t n, int64_t k, uint32_t seed)
    : packed(packedWeightBytes(format, n, k)), values(n * k), n(n), k(k) {
  std::memset(packed.data(), 0, packed.size());
  Packer packer{packed, values, n, k, std::mt19937(seed)};
  if (format == WeightFormat::Q8_0 || format == WeightFormat::Q4_0)
    packer.packBlocks(format == WeightFormat::Q4_0);
  else
    packer.packDense(format);
}
