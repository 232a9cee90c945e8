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
    std::vector<uint8_t> bytes(rows * columns / 32 * getDTypeInfo(type).blockBytes);
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
    result.columns = sources.front()->shape.back();
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

TEST_F(PackWeightsTest, StoredBlocksAreKeptBitForBit) {
  for (DType type : {DType::Q8_0, DType::Q4_0}) {
    const Tensor *w = addBlocks(getDTypeInfo(type).name.str(), type, 20, 96);
    WeightFormat format = type == DType::Q8_0 ? WeightFormat::Q8_0 : WeightFormat::Q4_0;
    std::vector<uint8_t> bytes = pack(recipe(format, w));
    uint64_t panel = panelBytes(format, 96), scales = 2 * panel;
    ASSERT_EQ(bytes.size(), scales + 2 * panelScaleBytes(format, 96));
    for (int64_t row = 0; row < 20; ++row)
      for (int64_t block = 0; block < 3; ++block) {
        const uint8_t *stored =
            w->bytes.data() + row * w->rowBytes() + block * getDTypeInfo(type).blockBytes;
        uint64_t lane = row % 16;
        EXPECT_EQ(read16le(stored),
                  read16le(&bytes[scales + ((row / 16 * 3 + block) * 16 + lane) * 2]));
        if (type == DType::Q8_0)
          for (uint64_t k = 0; k < 32; ++k)
            EXPECT_EQ(uint8_t(stored[2 + k] + 128),
                      bytes[row / 16 * panel + ((block * 8 + k / 4) * 16 + lane) * 4 + k % 4]);
        else // the stored byte itself
          for (uint64_t i = 0; i < 16; ++i)
            EXPECT_EQ(stored[2 + i],
                      bytes[row / 16 * panel + ((block * 4 + i / 4) * 16 + lane) * 4 + i % 4]);
      }
    // Rows behind the end: quants of zero, scales of zero.
    EXPECT_EQ(bytes[panel + 5 * 4], type == DType::Q8_0 ? 128 : 0x88);
    EXPECT_EQ(read16le(&bytes[scales + (3 * 16 + 5) * 2]), 0);
  }
}

TEST_F(PackWeightsTest, QuantisingGivesTheQuantisersBlocks) {
  const Tensor *w = addF32("w", 16, 64);
  std::vector<uint8_t> bytes = pack(recipe(WeightFormat::Q8_0, w));
  std::vector<float> row(64);
  std::vector<int8_t> quants(64);
  std::vector<uint16_t> scales(2);
  dequantizeRow(w->type, w->bytes.slice(3 * w->rowBytes(), w->rowBytes()), row);
  quantizeRowQ8_0(row, quants, scales);
  for (uint64_t k = 0; k < 64; ++k)
    EXPECT_EQ(bytes[(k / 4 * 16 + 3) * 4 + k % 4], uint8_t(quants[k] + 128));
  EXPECT_EQ(read16le(&bytes[16 * 64 + (16 + 3) * 2]), scales[1]);
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
