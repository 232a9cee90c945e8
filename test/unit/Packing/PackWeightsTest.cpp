//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Packs small weights and reads every element back where the layout puts it.

#include "rlx/Packing/PackWeights.h"
#include "rlx/Import/Dequantize.h"
#include "rlx/Packing/Quantize.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/SHA256.h"
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace rlx;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;

namespace {

class PackWeightsTest : public testing::Test {
protected:
  const Tensor *addF32(const std::string &name, int64_t rows, int64_t columns) {
    std::vector<float> values(rows * columns);
    std::normal_distribution<float> normal;
    for (float &value : values)
      value = normal(engine);
    llvm::cantFail(source.addTensor(name, {rows, columns}, values));
    return source.find(name);
  }

  const Tensor *addBlocks(const std::string &name, DType type, int64_t rows, int64_t columns) {
    const DTypeInfo &info = getDTypeInfo(type);
    std::vector<uint8_t> bytes(rows * columns / info.blockElements * info.blockBytes);
    for (uint8_t &byte : bytes)
      byte = static_cast<uint8_t>(engine());
    llvm::cantFail(source.addTensor(name, type, {rows, columns}, bytes));
    return source.find(name);
  }

  static WeightRecipe recipe(WeightFormat format, llvm::ArrayRef<const Tensor *> sources,
                             Combine combine = Combine::None) {
    WeightRecipe result;
    result.sources.append(sources.begin(), sources.end());
    result.combine = combine;
    result.format = format;
    result.columns = result.sourceColumns = sources.front()->shape.back();
    for (const Tensor *tensor : sources)
      result.rows += tensor->numRows();
    result.size =
        packedBytes(result.layout, format, llvm::alignTo(result.rows, kPanelRows), result.columns);
    return result;
  }

  std::vector<uint8_t> pack(llvm::ArrayRef<WeightRecipe> recipes, PackOptions options = {}) {
    std::vector<uint8_t> bytes;
    options.threads = options.threads ? options.threads : 1;
    packed = llvm::cantFail(packWeights(recipes, options, [&](llvm::ArrayRef<uint8_t> part) {
      bytes.insert(bytes.end(), part.begin(), part.end());
      return llvm::Error::success();
    }));
    return bytes;
  }

  static float element(const Tensor *tensor, int64_t row, int64_t column) {
    std::vector<float> values(tensor->shape.back());
    dequantizeRow(tensor->type, tensor->bytes.slice(row * tensor->rowBytes(), tensor->rowBytes()),
                  values);
    return values[column];
  }

  std::mt19937 engine{7};
  InMemoryWeightSource source;
  PackedWeights packed;
};

} // namespace

// Norms of rows as the packed weight holds them, and of what a coarser type loses.
TEST_F(PackWeightsTest, ResidualNorms) {
  const Tensor *tensor = addF32("t", 40, 512);
  WeightRecipe norms = recipe(WeightFormat::F32, {tensor});
  norms.transforms.push_back({WeightTransform::Convert, 0, DType::Q8_0});
  norms.transforms.push_back({WeightTransform::ResidualNorms, 0, DType::Q4_0});
  norms.layout = WeightLayout::Row;
  norms.columns = 2;
  norms.size = 40 * 2 * 4;
  for (unsigned threads : {1u, 3u}) {
    PackOptions options;
    options.threads = threads;
    options.batchBytes = 3 * 512 * 4; // several batches
    std::vector<uint8_t> bytes = pack({norms}, options);
    ASSERT_EQ(bytes.size(), norms.size);
    for (int64_t row = 0; row < 40; ++row) {
      std::vector<float> values(512), rounded(512);
      for (int64_t i = 0; i < 512; ++i)
        values[i] = element(tensor, row, i);
      BlockRow blocks;
      quantizeRow(WeightFormat::Q8_0, values, blocks);
      blocks.values(values);
      quantizeRow(WeightFormat::Q4_0, values, blocks);
      blocks.values(rounded);
      double residual = 0, own = 0;
      for (int64_t i = 0; i < 512; ++i) {
        residual += std::pow(double(values[i]) - rounded[i], 2);
        own += std::pow(double(values[i]), 2);
      }
      float stored[2];
      std::memcpy(stored, &bytes[row * 8], 8);
      for (auto [number, expected] : {std::pair(stored[0], residual), {stored[1], own}}) {
        EXPECT_GE(number, std::sqrt(expected));
        EXPECT_LE(number, std::sqrt(expected) * (1 + 0x1p-22));
      }
    }
  }
}

TEST_F(PackWeightsTest, F32PanelsAndPadding) {
  const Tensor *w = addF32("w", 19, 5);
  std::vector<uint8_t> bytes = pack(recipe(WeightFormat::F32, w));
  ASSERT_EQ(bytes.size(), 2u * 5 * 16 * 4);
  for (int64_t row = 0; row < 32; ++row)
    for (int64_t k = 0; k < 5; ++k) {
      float value =
          llvm::bit_cast<float>(read32le(&bytes[((row / 16 * 5 + k) * 16 + row % 16) * 4]));
      EXPECT_EQ(value, row < 19 ? element(w, row, k) : 0.0f) << row << ", " << k;
    }
}

TEST_F(PackWeightsTest, HalvesArePackedByColumnAndBfloatsByPairs) {
  const Tensor *w = addF32("w", 16, 7);
  std::vector<uint8_t> f16 = pack(recipe(WeightFormat::F16, w));
  std::vector<uint8_t> bf16 = pack(recipe(WeightFormat::BF16, w));
  ASSERT_EQ(f16.size(), 7u * 16 * 2);
  ASSERT_EQ(bf16.size(), 8u * 16 * 2); // an odd K takes a zero column
  for (int64_t row = 0; row < 16; ++row)
    for (int64_t k = 0; k < 8; ++k) {
      if (k < 7)
        EXPECT_EQ(read16le(&f16[(k * 16 + row) * 2]), floatToHalf(element(w, row, k)));
      EXPECT_EQ(read16le(&bf16[((k / 2 * 16 + row) * 2 + k % 2) * 2]),
                k < 7 ? floatToBfloat16(element(w, row, k)) : 0);
    }
}

/// The code of an element of a unit of 16 rows, from its planes.
static unsigned packedCode(const uint8_t *unit, unsigned bits, uint64_t row, uint64_t column) {
  const uint8_t *plane = unit + column / 32 * 64 * bits;
  uint64_t group = column % 32 / 4;
  unsigned code = 0, low = 0;
  for (unsigned p : {8, 4, 2, 1})
    if (bits & p) {
      uint8_t byte = plane[group % p * 64 + row % 16 * 4 + column % 4];
      code |= (byte >> (group / p * p) & ((1u << p) - 1)) << low;
      low += p;
      plane += 64 * p;
    }
  return code;
}

TEST_F(PackWeightsTest, StoredBlocksAreKeptBitForBit) {
  for (unsigned f = unsigned(WeightFormat::Q8_0); f < kWeightFormatCount; ++f) {
    auto format = static_cast<WeightFormat>(f);
    SCOPED_TRACE(weightFormatName(format).str());
    const BlockFormat &blocks = blockFormat(format);
    uint64_t columns = 3 * blocks.scaleColumns;
    const Tensor *w = addBlocks(weightFormatName(format).str(), dtypeOf(format), 20, columns);
    std::vector<uint8_t> bytes = pack(recipe(format, w));
    uint64_t codeBytes = blocks.scaleColumns / 32 * 64 * blocks.bits;
    uint64_t unitBytes = bytes.size() / 6;
    ASSERT_EQ(bytes.size(), 6 * (codeBytes + blocks.recordBytes()));
    ASSERT_EQ(panelBytes(format, columns), 3 * unitBytes);
    auto unit = [&](uint64_t row, uint64_t block) {
      return &bytes[(row / 16 * 3 + block) * unitBytes];
    };
    BlockRow stored;
    stored.resize(format, columns);
    for (uint64_t row = 0; row < 20; ++row) {
      unpackRow(w->type, w->bytes.slice(row * w->rowBytes(), w->rowBytes()), stored);
      for (uint64_t k = 0; k < columns; ++k)
        ASSERT_EQ(packedCode(unit(row, k / blocks.scaleColumns), blocks.bits, row,
                             k % blocks.scaleColumns),
                  stored.codes[k])
            << row << k;
      for (uint64_t block = 0; block < 3; ++block) {
        const uint8_t *record = unit(row, block) + codeBytes;
        EXPECT_EQ(read16le(record + row % 16 * 2), stored.d[block]);
        if (blocks.minima)
          EXPECT_EQ(read16le(record + 32 + row % 16 * 2), stored.m[block]);
        record += blocks.minima ? 64 : 32;
        for (uint64_t g = block * blocks.groups();
             blocks.integerScales && g < (block + 1) * blocks.groups(); ++g) {
          EXPECT_EQ(int8_t(record[row % 16]), stored.scales[g]);
          record += 16;
          if (!blocks.minima)
            continue;
          EXPECT_EQ(record[row % 16], stored.minima[g]);
          record += 16;
        }
      }
    }
    // Rows behind the end: quants of zero, scales of zero.
    EXPECT_EQ(packedCode(unit(21, 0), blocks.bits, 21, 5),
              blocks.codebook ? 0u : unsigned(blocks.offset));
    EXPECT_EQ(read16le(unit(21, 0) + codeBytes + 5 * 2), 0);
  }
}

TEST_F(PackWeightsTest, ReportsTheErrorOfQuantising) {
  const Tensor *w = addF32("w", 40, 256), *stored = addBlocks("b", DType::Q8_0, 16, 256);
  std::vector<std::pair<std::string, double>> errors;
  PackOptions options;
  options.threads = 3;
  options.quantized = [&](const WeightRecipe &weight, double error) {
    errors.push_back({weight.name, error});
  };
  std::vector<WeightRecipe> recipes = {recipe(WeightFormat::Q8_0, w), recipe(WeightFormat::Q4_K, w),
                                       recipe(WeightFormat::Q8_0, stored)};
  uint64_t offset = 0;
  for (auto [i, r] : llvm::enumerate(recipes)) {
    r.name = std::string(1, 'a' + i);
    r.offset = offset;
    offset = llvm::alignTo(offset + r.size, 64);
  }
  pack(recipes, options);
  // Steps of 1/127 and about 1/7.5 of some 2.2 standard deviations, over the root of 12.
  ASSERT_EQ(errors.size(), 2u) << "stored blocks have no error";
  EXPECT_EQ(errors[0].first, "a");
  EXPECT_NEAR(errors[0].second, 0.005, 0.002);
  EXPECT_EQ(errors[1].first, "b");
  EXPECT_NEAR(errors[1].second, 0.07, 0.03);
}

TEST_F(PackWeightsTest, QuantisingGivesTheQuantisersBlocks) {
  const Tensor *w = addF32("w", 16, 64);
  std::vector<uint8_t> bytes = pack(recipe(WeightFormat::Q8_0, w));
  std::vector<float> row(64);
  BlockRow blocks;
  dequantizeRow(w->type, w->bytes.slice(3 * w->rowBytes(), w->rowBytes()), row);
  quantizeRow(WeightFormat::Q8_0, row, blocks);
  const uint64_t unitBytes = 16 * 32 + 16 * 2;
  for (uint64_t k = 0; k < 64; ++k)
    EXPECT_EQ(packedCode(&bytes[k / 32 * unitBytes], 8, 3, k % 32), blocks.codes[k]);
  EXPECT_EQ(read16le(&bytes[unitBytes + 16 * 32 + 3 * 2]), blocks.d[1]);
}

TEST_F(PackWeightsTest, CombinesSources) {
  const Tensor *a = addF32("a", 20, 2), *b = addF32("b", 20, 2);
  std::vector<uint8_t> concat = pack(recipe(WeightFormat::F32, {a, b}, Combine::Concat));
  WeightRecipe mixed = recipe(WeightFormat::F32, {a, b}, Combine::Interleave);
  mixed.size = packedBytes(mixed.layout, mixed.format, 64, 2);
  std::vector<uint8_t> interleaved = pack(mixed);
  ASSERT_EQ(concat.size(), 48u * 2 * 4);
  ASSERT_EQ(interleaved.size(), 64u * 2 * 4);
  auto at = [](llvm::ArrayRef<uint8_t> bytes, uint64_t row, uint64_t k) {
    return llvm::bit_cast<float>(read32le(&bytes[((row / 16 * 2 + k) * 16 + row % 16) * 4]));
  };
  for (int64_t row = 0; row < 20; ++row) {
    EXPECT_EQ(at(concat, row, 1), element(a, row, 1));
    EXPECT_EQ(at(concat, 20 + row, 1), element(b, row, 1));
    int64_t base = row / 16 * 32 + row % 16;
    EXPECT_EQ(at(interleaved, base, 0), element(a, row, 0));
    EXPECT_EQ(at(interleaved, base + 16, 0), element(b, row, 0));
  }
  EXPECT_EQ(at(interleaved, 32 + 4, 0), 0.0f); // behind the rows of a
}

TEST_F(PackWeightsTest, TransformsRunInOrder) {
  llvm::cantFail(source.addTensor("g", {3}, {0.5f, 1.0f / 3, -1.0f}));
  WeightRecipe gain = recipe(WeightFormat::F32, source.find("g"));
  gain.layout = WeightLayout::Row;
  gain.rows = 1;
  gain.transforms = {{WeightTransform::Convert, 0.0f, DType::BF16},
                     {WeightTransform::AddScalar, 1.0f, DType::F32}};
  std::vector<uint8_t> bytes = pack(gain);
  ASSERT_EQ(bytes.size(), 12u);
  EXPECT_EQ(llvm::bit_cast<float>(read32le(&bytes[0])), 1.5f);
  EXPECT_EQ(llvm::bit_cast<float>(read32le(&bytes[4])),
            1.0f + bfloat16ToFloat(floatToBfloat16(1.0f / 3)));
  EXPECT_EQ(llvm::bit_cast<float>(read32le(&bytes[8])), 0.0f);
}

TEST_F(PackWeightsTest, BytesDoNotDependOnThreadsOrBatches) {
  std::vector<WeightRecipe> recipes = {recipe(WeightFormat::Q4_0, addF32("a", 200, 64)),
                                       recipe(WeightFormat::BF16, addF32("b", 100, 33))};
  recipes[1].offset = llvm::alignTo(recipes[0].size, 64) + 64;
  std::vector<uint8_t> expected = pack(recipes);
  EXPECT_EQ(expected.size(), recipes[1].offset + recipes[1].size);
  EXPECT_EQ(packed.bytes, expected.size());
  EXPECT_EQ(packed.sha256, llvm::SHA256::hash(expected));
  for (unsigned threads : {1u, 2u, 3u})
    for (size_t batch : {size_t(1), size_t(3000), size_t(1) << 20}) {
      PackOptions options;
      options.threads = threads;
      options.batchBytes = batch;
      EXPECT_EQ(pack(recipes, options), expected) << threads << " threads, " << batch;
    }
}

TEST_F(PackWeightsTest, ReportsProgressAndStopsAtAnError) {
  WeightRecipe a = recipe(WeightFormat::F32, addF32("a", 64, 8));
  uint64_t last = 0;
  std::vector<std::string> released;
  PackOptions options;
  options.progress = [&](uint64_t done, uint64_t total) {
    EXPECT_LE(last, done);
    EXPECT_EQ(total, a.size);
    last = done;
  };
  options.release = [&](const Tensor &tensor) { released.push_back(tensor.name); };
  pack(a, options);
  EXPECT_EQ(last, a.size);
  EXPECT_EQ(released, std::vector<std::string>{"a"});

  llvm::Expected<PackedWeights> failed = packWeights(
      a, {}, [](llvm::ArrayRef<uint8_t>) { return llvm::createStringError("the disk is full"); });
  ASSERT_FALSE(bool(failed));
  EXPECT_EQ(llvm::toString(failed.takeError()), "the disk is full");
}
