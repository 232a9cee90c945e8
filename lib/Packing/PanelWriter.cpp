//===- PanelWriter.cpp - Rows into panels ---------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// One function for each format of rlx/Packing/Layouts.h.
//===----------------------------------------------------------------------===//
#include "PanelWriter.h"
#include "rlx/Import/Dequantize.h"
#include "llvm/Support/Endian.h"

using namespace rlx;
namespace endian = llvm::support::endian;

static void writeF32(llvm::ArrayRef<float> values, uint64_t row, uint8_t *panel) {
  for (size_t k = 0; k < values.size(); ++k)
    endian::write32le(panel + (k * kPanelRows + row) * 4, llvm::bit_cast<uint32_t>(values[k]));
}

static void writeF16(llvm::ArrayRef<float> values, uint64_t row, uint8_t *panel) {
  for (size_t k = 0; k < values.size(); ++k)
    endian::write16le(panel + (k * kPanelRows + row) * 2, floatToHalf(values[k]));
}

static void writeBF16(llvm::ArrayRef<float> values, uint64_t row, uint8_t *panel) {
  for (size_t k = 0; k < values.size(); ++k)
    endian::write16le(panel + (k / 2 * kPanelRows + row) * 4 + k % 2 * 2,
                      floatToBfloat16(values[k]));
}

static void writeQ8_0(llvm::ArrayRef<int8_t> quants, uint64_t row, uint8_t *panel) {
  for (size_t k = 0; k < quants.size(); ++k)
    panel[(k / 4 * kPanelRows + row) * 4 + k % 4] = static_cast<uint8_t>(quants[k] + 128);
}

static void writeQ4_0(llvm::ArrayRef<int8_t> quants, uint64_t row, uint8_t *panel) {
  for (size_t begin = 0; begin < quants.size(); begin += kQuantBlock) {
    const int8_t *block = quants.data() + begin;
    uint8_t *out = panel + begin * kPanelRows / 2;
    for (size_t i = 0; i < kQuantBlock / 2; ++i)
      out[(i / 4 * kPanelRows + row) * 4 + i % 4] =
          static_cast<uint8_t>((block[i] + 8) | (block[i + 16] + 8) << 4);
  }
}

void rlx::writePanel(WeightFormat format, const RowReader &reader, uint64_t panel,
                     RowBuffer &buffer, llvm::MutableArrayRef<uint8_t> values,
                     llvm::MutableArrayRef<uint8_t> scales) {
  for (uint64_t row = 0; row < kPanelRows; ++row) {
    reader.read(panel * kPanelRows + row, buffer);
    switch (format) {
    case WeightFormat::F32:
      writeF32(buffer.values, row, values.data());
      break;
    case WeightFormat::F16:
      writeF16(buffer.values, row, values.data());
      break;
    case WeightFormat::BF16:
      writeBF16(buffer.values, row, values.data());
      break;
    case WeightFormat::Q8_0:
      writeQ8_0(buffer.quants, row, values.data());
      break;
    case WeightFormat::Q4_0:
      writeQ4_0(buffer.quants, row, values.data());
      break;
    }
    if (isQuantized(format))
      for (size_t block = 0; block < buffer.scales.size(); ++block)
        endian::write16le(scales.data() + (block * kPanelRows + row) * 2, buffer.scales[block]);
  }
}
