//===- RowKernelsTest.cpp - Tests of norms, preparation and row kernels ---===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels that treat each row, or each element, alone.
//
//===----------------------------------------------------------------------===//
#include "TestWeights.h"
#include "rlx/runtime/abi.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

class RowKernel : public KernelTest {
protected:
  /// x * rsqrt(mean(x^2) + eps) * gain in double.
  static std::vector<double> norm(const float *x, const float *gain, int64_t n, double eps,
                                  bool onePlus) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i)
      sum += double(x[i]) * x[i];
    std::vector<double> result;
    for (int64_t i = 0; i < n; ++i)
      result.push_back(x[i] / std::sqrt(sum / n + eps) * (gain[i] + (onePlus ? 1.0 : 0.0)));
    return result;
  }
};

} // namespace

TEST_P(RowKernel, RmsNorm) {
  KernelModule module(target());
  std::vector<RmsNormSpec> specs(4);
  specs[0].columns = 1152;
  specs[1].columns = 72; // Fewer columns than accumulators, and a tail.
  specs[1].gain = NormGain::OnePlus;
  specs[2].columns = 83;
  specs[2].residual = true;
  specs[2].eps = 1e-2;
  specs[3].columns = 64; // Heads in rows of a wider buffer.
  specs[3].groups = 3;
  specs[3].inStride = 200;
  specs[3].outStride = 193;
  for (const RmsNormSpec &spec : specs)
    module.kernels().getRmsNorm(spec);
  ASSERT_NO_FATAL_FAILURE(module.load());
  for (const RmsNormSpec &spec : specs) {
    int64_t rows = 5, columns = spec.columns * spec.groups;
    int64_t inStride = spec.inStride ? spec.inStride : columns;
    int64_t outStride = spec.outStride ? spec.outStride : columns;
    Buffer<float> x(randomFloats(rows * inStride, 1)), gain(randomFloats(spec.columns, 2));
    Buffer<float> residual(randomFloats(rows * columns, 3)), out(rows * outStride);
    mlir::func::FuncOp kernel = module.kernels().getRmsNorm(spec);
    if (spec.residual)
      module.run(kernel, 2, x.data(), gain.data(), out.data(), residual.data(), rows);
    else
      module.run(kernel, 2, x.data(), gain.data(), out.data(), rows);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        int64_t first = column / spec.columns * spec.columns;
        double expected = norm(&x[row * inStride + first], gain.data(), spec.columns, spec.eps,
                               spec.gain == NormGain::OnePlus)[column - first];
        if (spec.residual)
          expected += residual[row * columns + column];
        EXPECT_NEAR(out[row * outStride + column], expected, 1e-6 * (1 + std::abs(expected)));
      }
  }
}

/// The integers of a prepared row against `expected`, and their sums.
static void checkPrepared(const uint8_t *row, const std::vector<double> &expected,
                          ActivationFormat format) {
  bool halves = format == ActivationFormat::Int8Halves || format == ActivationFormat::ScaledHalves;
  bool scaled = format == ActivationFormat::Scaled || format == ActivationFormat::ScaledHalves;
  int64_t k = expected.size(), columns = halves ? 16 : 32;
  for (int64_t block = 0; block < k / 32; ++block) {
    float scale;
    std::memcpy(&scale, row + k + block * 4, 4);
    double largest = 0;
    for (int64_t i = block * 32; i < block * 32 + 32; ++i) {
      auto q = int8_t(row[i]);
      largest = std::max(largest, std::abs(expected[i]));
      EXPECT_GE(q, -127);
      EXPECT_NEAR(q * double(scale), expected[i], 0.5001 * scale + 1e-12);
    }
    EXPECT_NEAR(scale, largest / 127, 1e-6 * largest);
  }
  for (int64_t group = 0; group < k / columns; ++group) {
    int32_t total = 0, sum;
    float scale, scaledSum;
    for (int64_t i = group * columns; i < (group + 1) * columns; ++i)
      total += int8_t(row[i]);
    std::memcpy(&scale, row + k + group * columns / 32 * 4, 4);
    std::memcpy(&sum, row + k + k / 8 + group * 4, 4);
    std::memcpy(&scaledSum, row + k + k / 8 + group * 4, 4);
    if (scaled)
      EXPECT_EQ(scaledSum, float(total) * scale);
    else
      EXPECT_EQ(sum, total);
  }
}

TEST_P(RowKernel, PrepareQuantises) {
  KernelModule module(target());
  int64_t rows = 4, k = 96;
  std::vector<PrepareSpec> specs;
  for (ActivationFormat format : {ActivationFormat::Int8, ActivationFormat::Int8Halves,
                                  ActivationFormat::Scaled, ActivationFormat::ScaledHalves})
    for (bool norm : {false, true}) {
      PrepareSpec spec;
      spec.format = format;
      spec.k = k;
      spec.norm = norm;
      specs.push_back(spec);
      module.kernels().getPrepare(spec);
    }
  ASSERT_NO_FATAL_FAILURE(module.load());
  std::vector<float> values = randomFloats(rows * k, 3);
  std::fill(values.begin() + 32, values.begin() + 64, 0.0f); // A block of zeros.
  Buffer<float> x(values), gain(randomFloats(k, 4));
  for (const PrepareSpec &spec : specs) {
    int64_t bytes = preparedRowBytes(spec.format, k);
    Buffer<uint8_t> out(rows * bytes);
    if (spec.norm)
      module.run(module.kernels().getPrepare(spec), 2, x.data(), gain.data(), out.data(), rows);
    else
      module.run(module.kernels().getPrepare(spec), 2, x.data(), out.data(), rows);
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<double> expected(&x[row * k], &x[row * k] + k);
      if (spec.norm)
        expected = norm(&x[row * k], gain.data(), k, spec.eps, false);
      checkPrepared(&out[row * bytes], expected, spec.format);
    }
  }
}

TEST_P(RowKernel, PrepareRoundsToBF16) {
  KernelModule module(target());
  PrepareSpec spec;
  spec.format = ActivationFormat::BF16;
  spec.k = 37; // Odd: padded by a zero.
  module.kernels().getPrepare(spec);
  ASSERT_NO_FATAL_FAILURE(module.load());
  std::vector<float> values = randomFloats(2 * 37, 5);
  uint32_t special[] = {0x3f808000, 0x3f818000, 0x7fffffff, 0x7f800000, 0x80000000, 0x7f7fffff};
  std::memcpy(values.data(), special, sizeof(special)); // Ties, NaN, infinity, -0, the largest.
  Buffer<float> x(values);
  Buffer<uint8_t> out(2 * preparedRowBytes(spec.format, 37));
  module.run(module.kernels().getPrepare(spec), 1, x.data(), out.data(), int64_t(2));
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t i = 0; i < 38; ++i) {
      uint16_t bits;
      std::memcpy(&bits, &out[row * preparedRowBytes(spec.format, 37) + i * 2], 2);
      if (i < 37 && std::isnan(values[row * 37 + i]))
        EXPECT_TRUE(std::isnan(bf16ToFloat(bits)));
      else
        EXPECT_EQ(bits, i < 37 ? floatToBF16(values[row * 37 + i]) : 0);
    }
}

TEST_P(RowKernel, PrepareMakesTilesOfBF16) {
  KernelModule module(target());
  const int64_t rows = 18, k = 40; // two tiles of rows, the second of columns padded
  PrepareSpec spec;
  spec.format = ActivationFormat::BF16Tiles;
  spec.k = k;
  module.kernels().getPrepare(spec);
  ASSERT_NO_FATAL_FAILURE(module.load());
  Buffer<float> x(randomFloats(rows * k, 6));
  Buffer<uint16_t> out(preparedBytes(spec.format, k, rows) / 2);
  ASSERT_EQ(out.size(), 2u * 2 * 16 * 32);
  module.run(module.kernels().getPrepare(spec), 2, x.data(), out.data(), rows);
  for (int64_t row = 0; row < 32; ++row)
    for (int64_t i = 0; i < 64; ++i) {
      uint16_t bits = out[(row / 16 * 2 + i / 32) * 512 + row % 16 * 32 + i % 32];
      uint16_t expected = i < k ? floatToBF16(x[std::min(row, rows - 1) * k + i]) : 0;
      EXPECT_EQ(bits, row < rows ? expected : 0xffff) << row << " " << i;
    }
}

TEST_P(RowKernel, PrepareNormsToF32) {
  KernelModule module(target());
  PrepareSpec spec;
  spec.k = 40; // A row is 160 bytes, a prepared row 192.
  spec.norm = true;
  module.kernels().getPrepare(spec);
  ASSERT_NO_FATAL_FAILURE(module.load());
  Buffer<float> x(randomFloats(80, 6)), gain(randomFloats(40, 7)), out(2 * 48);
  module.run(module.kernels().getPrepare(spec), 1, x.data(), gain.data(), out.data(), int64_t(2));
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t i = 0; i < 40; ++i)
      EXPECT_NEAR(out[row * 48 + i], norm(&x[row * 40], gain.data(), 40, spec.eps, false)[i], 4e-6);
}

TEST_P(RowKernel, EmbeddingGathersEveryFormat) {
  KernelModule module(target());
  std::vector<EmbeddingSpec> specs;
  for (unsigned i = 0; i < kWeightFormatCount; ++i) {
    auto format = static_cast<WeightFormat>(i);
    int64_t k = blockFormat(format).scaleColumns == 256 ? 512 : 160;
    specs.push_back({format, k, 12.5, k + 3});
    module.kernels().getEmbedding(specs.back());
  }
  ASSERT_NO_FATAL_FAILURE(module.load());
  Buffer<int32_t> ids({0, 36, 15, 16, 17, 0});
  Buffer<rlx_sequence_t> sequences({{&ids[0], 0, nullptr}, {&ids[3], 0, nullptr}});
  for (const EmbeddingSpec &spec : specs) {
    TestWeights weights(spec.format, 37, spec.k, 3);
    Buffer<float> out(6 * spec.outStride);
    module.run(module.kernels().getEmbedding(spec), 3, weights.packed.data(), out.data(),
               sequences.data(), int64_t(2), int64_t(3));
    for (int64_t row = 0; row < 6; ++row)
      for (int64_t i = 0; i < spec.k; ++i)
        ASSERT_EQ(out[row * spec.outStride + i], weights.values[ids[row] * spec.k + i] * 12.5f)
            << weightFormatName(spec.format).str() << " " << row << " " << i;
  }
}

TEST_P(RowKernel, Elementwise) {
  KernelModule module(target());
  const int64_t rows = 3, columns = 600; // Several parts of rows, and a tail.
  std::vector<ElementwiseSpec> specs;
  for (ElementwiseKind kind :
       {ElementwiseKind::Add, ElementwiseKind::Mul, ElementwiseKind::Scale, ElementwiseKind::Gelu,
        ElementwiseKind::GeGlu, ElementwiseKind::SoftCap, ElementwiseKind::Copy}) {
    specs.push_back({kind, columns, 1.75, columns + 5, columns + 6, columns + 7});
    module.kernels().getElementwise(specs.back());
  }
  ASSERT_NO_FATAL_FAILURE(module.load());
  auto expected = [](ElementwiseKind kind, double x, double y) {
    double gelu = 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    double all[] = {x + y, x * y, 1.75 * x, gelu, gelu * y, 1.75 * std::tanh(x / 1.75), x};
    return all[unsigned(kind)];
  };
  Buffer<float> x(randomFloats(rows * (columns + 5), 1, 2));
  Buffer<float> y(randomFloats(rows * (columns + 6), 2, 2));
  for (const ElementwiseSpec &spec : specs)
    for (int64_t threads : {1, 4}) {
      Buffer<float> out(rows * (columns + 7));
      mlir::func::FuncOp kernel = module.kernels().getElementwise(spec);
      if (kernel.getNumArguments() == 6)
        module.run(kernel, threads, x.data(), y.data(), out.data(), rows);
      else
        module.run(kernel, threads, x.data(), out.data(), rows);
      for (int64_t i = 0; i < rows * (columns + 7); ++i) {
        int64_t row = i / (columns + 7), column = i % (columns + 7);
        double value = expected(spec.kind, x[row * (columns + 5) + column % columns],
                                y[row * (columns + 6) + column % columns]);
        if (column < columns)
          ASSERT_NEAR(out[i], value, 4e-7 * (1 + std::abs(value))) << unsigned(spec.kind);
        else
          ASSERT_TRUE(std::isnan(out[i])) << "writes beyond its columns";
      }
    }
}

TEST_P(RowKernel, SelectRowsOfEachSequence) {
  KernelModule module(target());
  SelectRowsSpec spec{40, 43, 41};
  module.kernels().getSelectRows(spec);
  ASSERT_NO_FATAL_FAILURE(module.load());
  const int64_t batch = 2, seq = 5, first = 3;
  Buffer<float> in(randomFloats(batch * seq * 43, 1));
  for (int64_t count : {2, 1, 0}) {
    Buffer<float> out(batch * count * 41);
    module.run(module.kernels().getSelectRows(spec), 3, in.data(), out.data(), batch, seq, first,
               count);
    for (int64_t row = 0; row < batch * count; ++row)
      for (int64_t i = 0; i < 40; ++i)
        EXPECT_EQ(out[row * 41 + i], in[(row / count * seq + first + row % count) * 43 + i]);
  }
}

RLX_INSTANTIATE_KERNEL_TEST(RowKernel, nativeAndBaseline());
