//===- PanelWriter.cpp - Rows into panels ---------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Writes the layouts of rlx/Packing/Layouts.h.
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

/// The codes of a row, cut into the planes of the format.
static void writeCodes(const BlockRow &row, uint64_t lane, uint8_t *panel) {
  const BlockFormat &format = blockFormat(row.format);
  for (const CodePlane &plane : codePlanes(format))
    for (size_t first = 0; first < row.codes.size(); first += kQuantBlock) {
      uint8_t *unit = panel + first / format.scaleColumns * format.unitBytes();
      uint8_t *block =
          unit + format.codeBytes(first % format.scaleColumns) + plane.blockByte + lane * 4;
      for (unsigned k = 0; k < kQuantBlock; ++k) {
        unsigned bits = row.codes[first + k] >> plane.low & plane.mask();
        block[plane.vector(k / 4) * 64 + k % 4] |= static_cast<uint8_t>(bits << plane.shift(k / 4));
      }
    }
}

static void writeScales(const BlockRow &row, uint64_t lane, uint8_t *panel) {
  const BlockFormat &format = blockFormat(row.format);
  for (size_t i = 0; i < row.d.size(); ++i) {
    uint8_t *record = panel + i * format.unitBytes() + format.codeBytes(format.scaleColumns);
    endian::write16le(record + lane * 2, row.d[i]);
    if (format.minima)
      endian::write16le(record + kPanelRows * 2 + lane * 2, row.m[i]);
    if (!format.integerScales)
      continue;
    for (unsigned group = 0; group < format.groups(); ++group) {
      uint8_t *integers = record + format.headBytes() + group * format.groupBytes() + lane;
      *integers = static_cast<uint8_t>(row.scales[i * format.groups() + group]);
      if (format.minima)
        integers[kPanelRows] = row.minima[i * format.groups() + group];
    }
  }
}

SquaredError rlx::writePanel(WeightFormat format, const RowReader &reader, uint64_t panel,
                             RowBuffer &buffer, llvm::MutableArrayRef<uint8_t> bytes) {
  SquaredError errors;
  for (uint64_t row = 0; row < kPanelRows; ++row) {
    reader.read(panel * kPanelRows + row, buffer);
    switch (format) {
    case WeightFormat::F32:
      writeF32(buffer.values, row, bytes.data());
      break;
    case WeightFormat::F16:
      writeF16(buffer.values, row, bytes.data());
      break;
    case WeightFormat::BF16:
      writeBF16(buffer.values, row, bytes.data());
      break;
    default:
      writeCodes(buffer.blocks, row, bytes.data());
      writeScales(buffer.blocks, row, bytes.data());
    }
    errors.error += buffer.errors.error;
    errors.values += buffer.errors.values;
  }
  return errors;
}
