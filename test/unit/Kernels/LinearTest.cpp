//===- LinearTest.cpp - Tests of linear kernels ---------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every weight format against a sum in double over the prepared activations; tiles of
// tokens and threads against one token on one thread, bit for bit.
//
//===----------------------------------------------------------------------===//
#include "TestWeights.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

class LinearKernel : public KernelTest {
protected:
  struct Case {
    WeightFormat format;
    int64_t k, n;
    bool geglu = false, cap = false, residual = false;
    bool singleRow = false; ///< single rows go through the kernel that knows only one
    bool generic = false;
    bool tiled = false;
    int64_t tiledRows = 129;
  };

  ActivationFormat activationOf(const Case &c) const {
    return c.generic ? ActivationFormat::F32 : activationFormat(c.format, target());
  }

  static LinearSpec specOf(const Case &c, bool singleRow = false) {
    LinearSpec spec;
    spec.format = c.format;
    spec.k = c.k;
    spec.n = c.n;
    spec.geglu = c.geglu;
    spec.singleRow = singleRow;
    spec.generic = c.generic;
    if (c.cap)
      spec.cap = 3.0;
    spec.residual = c.residual;
    spec.outStride = c.n + 3; // Rows of a wider buffer.
    return spec;
  }

  /// Preparation and product, with or without the matrix unit.
  std::pair<PrepareSpec, LinearSpec> stepOf(const Case &c, bool tiled) const {
    PrepareSpec prepare;
    prepare.format = activationOf(c);
    prepare.k = c.k;
    prepare.tiled = tiled;
    LinearSpec spec = specOf(c);
    spec.tiled = tiled;
    spec.inStride = preparedRowBytes(prepare.format, c.k) / 4;
    return {prepare, spec};
  }

  /// Activations as the kernel multiplies them, decoded from the prepared rows.
  static std::vector<double> decode(const Buffer<uint8_t> &prepared, ActivationFormat format,
                                    int64_t rows, int64_t k) {
    std::vector<double> values;
    for (int64_t row = 0; row < rows; ++row) {
      const uint8_t *bytes = prepared.data() + row * preparedRowBytes(format, k);
      auto at = [&](auto zero, int64_t offset) {
        std::memcpy(&zero, bytes + offset, sizeof(zero));
        return zero;
      };
      for (int64_t i = 0; i < k; ++i) {
        if (format == ActivationFormat::F32)
          values.push_back(at(float(), i * 4));
        else if (format == ActivationFormat::BF16)
          values.push_back(bf16ToFloat(at(uint16_t(), i * 2)));
        else
          values.push_back(double(at(int8_t(), i)) * at(float(), k + i / 32 * 4));
      }
    }
    return values;
  }

  static double gelu(double x) {
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }

  /// Output (row, column) and the sum of magnitudes that bounds its rounding.
  static std::pair<double, double> reference(const Case &c, const TestWeights &w, const double *a,
                                             int64_t column) {
    auto dot = [&](int64_t row) {
      double sum = 0, size = 0;
      for (int64_t i = 0; i < c.k; ++i) {
        sum += a[i] * w.values[row * c.k + i];
        size += std::abs(a[i] * w.magnitudes[row * c.k + i]);
      }
      return std::make_pair(sum, size);
    };
    auto [value, size] = dot(c.geglu ? column / 16 * 32 + column % 16 : column);
    if (c.geglu) {
      auto [up, upSize] = dot(column / 16 * 32 + 16 + column % 16);
      size = 1.2 * size * std::abs(up) + std::abs(gelu(value)) * upSize;
      value = gelu(value) * up;
    }
    if (c.cap)
      value = 3.0 * std::tanh(value / 3.0);
    return {value, size};
  }

  /// "native" and the baselines cover all formats; the other targets those that they multiply with
  /// an instruction of their own.
  std::vector<WeightFormat> formats() const {
    bool all = GetParam() == "native" || GetParam() == "generic" || GetParam() == "aarch64";
    std::vector<WeightFormat> formats;
    for (unsigned i = 0; i < kWeightFormatCount; ++i) {
      auto format = static_cast<WeightFormat>(i);
      bool own = target().bf16Dot ? format == WeightFormat::BF16 : isQuantized(format);
      if (all || own)
        formats.push_back(format);
    }
    return formats;
  }

  /// The depth of a number of blocks; 32 for each in formats without.
  static int64_t depth(WeightFormat format, int64_t blocks) {
    return blocks * (isQuantized(format) ? blockFormat(format).scaleColumns : 32);
  }

  void check(const std::vector<Case> &cases, const std::vector<int64_t> &rowCounts);
  void checkCase(KernelModule &module, const Case &c, const std::vector<int64_t> &rowCounts);
  void checkTiled(KernelModule &module, const Case &c);
};

void LinearKernel::check(const std::vector<Case> &cases, const std::vector<int64_t> &rowCounts) {
  KernelModule module(target());
  for (const Case &c : cases) {
    if (c.tiled) {
      for (bool tiled : {false, true}) {
        module.kernels().getPrepare(stepOf(c, tiled).first);
        module.kernels().getLinear(stepOf(c, tiled).second);
      }
      continue;
    }
    module.kernels().getLinear(specOf(c));
    module.kernels().getLinear(specOf(c, c.singleRow));
    PrepareSpec prepare;
    prepare.format = activationOf(c);
    prepare.k = c.k;
    module.kernels().getPrepare(prepare);
  }
  ASSERT_NO_FATAL_FAILURE(module.load());
  for (const Case &c : cases) {
    SCOPED_TRACE(weightFormatName(c.format).str() + " k=" + std::to_string(c.k) +
                 " n=" + std::to_string(c.n));
    c.tiled ? checkTiled(module, c) : checkCase(module, c, rowCounts);
  }
}

/// Rows that the matrix unit multiplies against sums in double of rounded operands; fewer or more
/// of them, and threads, bit for bit; and few rows against the kernel without tiles.
void LinearKernel::checkTiled(KernelModule &module, const Case &c) {
  TestWeights weights(c.format, c.geglu ? (c.n + 15) / 16 * 32 : c.n, c.k, 1 + c.k + c.n);
  weights.roundValuesToBF16();
  // Half a tile more than one, two tiles and their borders; few where they have the same bits.
  std::vector<int64_t> rowCounts = {c.tiledRows, 17, 32, 33};
  if (untiledRows(activationOf(c)) == 1)
    rowCounts.insert(rowCounts.end(), {16, 5, 2, 1});
  const int64_t maxRows = rowCounts.front();
  Buffer<float> in(randomFloats(maxRows * c.k, 7)), residual(randomFloats(maxRows * c.n, 9));
  ActivationFormat few = activationOf(c);
  auto compute = [&](int64_t rows, int64_t threads, bool tiled) {
    auto [prepare, spec] = stepOf(c, tiled);
    Buffer<uint8_t> prepared(rows > untiledRows(few)
                                 ? preparedBytes(ActivationFormat::BF16Tiles, c.k, rows)
                                 : rows * preparedRowBytes(few, c.k));
    module.run(module.kernels().getPrepare(prepare), threads, in.data(), prepared.data(), rows);
    Buffer<float> out(rows * spec.outStride - 3);
    Buffer<int64_t> counter(std::vector<int64_t>{0});
    mlir::func::FuncOp kernel = module.kernels().getLinear(spec);
    if (c.residual)
      module.run(kernel, threads, weights.packed.data(), prepared.data(), out.data(),
                 residual.data(), counter.data(), rows);
    else
      module.run(kernel, threads, weights.packed.data(), prepared.data(), out.data(),
                 counter.data(), rows);
    return out.copy();
  };
  auto expectSame = [](const std::vector<float> &some, const std::vector<float> &all) {
    // Columns that are not written are NaN.
    EXPECT_EQ(std::memcmp(some.data(), all.data(), some.size() * 4), 0);
  };
  for (int64_t rows : {int64_t(1), int64_t(RLX_EXACT_TOKENS)})
    expectSame(compute(rows, 2, true), compute(rows, 1, false));
  const int64_t stride = specOf(c).outStride;
  std::vector<float> all = compute(maxRows, 1, true);
  std::vector<double> a;
  for (size_t i = 0; i < in.size(); ++i)
    a.push_back(bf16ToFloat(floatToBF16(in[i])));
  for (int64_t row = 0; row < maxRows; ++row)
    for (int64_t column = 0; column < c.n; ++column) {
      auto [value, size] = reference(c, weights, &a[row * c.k], column);
      if (c.residual)
        value += residual[row * c.n + column];
      double bound = (c.k + 8) * 6e-8 * (size + std::abs(value)) + 1e-7;
      ASSERT_NEAR(all[row * stride + column], value, bound) << "row " << row << ", " << column;
    }
  for (int64_t rows : rowCounts) {
    SCOPED_TRACE(std::to_string(rows) + " rows");
    expectSame(compute(rows, 3, true), all);
  }
}

void LinearKernel::checkCase(KernelModule &module, const Case &c,
                             const std::vector<int64_t> &rowCounts) {
  // Padding between gate and up panels needs rows of its own.
  TestWeights weights(c.format, c.geglu ? (c.n + 15) / 16 * 32 : c.n, c.k, 1 + c.k + c.n);
  int64_t maxRows = *std::max_element(rowCounts.begin(), rowCounts.end());
  Buffer<float> in(randomFloats(maxRows * c.k, 7));
  ActivationFormat format = activationOf(c);
  Buffer<uint8_t> prepared(maxRows * preparedRowBytes(format, c.k));
  PrepareSpec prepare;
  prepare.format = format;
  prepare.k = c.k;
  LinearSpec spec = specOf(c);
  // f32 rows are dense in a prepared buffer only if it has the stride of the spec.
  if (format == ActivationFormat::F32)
    std::memcpy(prepared.data(), in.data(), in.size() * 4);
  else
    module.run(module.kernels().getPrepare(prepare), 1, in.data(), prepared.data(), maxRows);
  std::vector<double> decoded;
  if (format == ActivationFormat::F32)
    decoded.assign(in.data(), in.data() + in.size());
  else
    decoded = decode(prepared, format, maxRows, c.k);

  Buffer<float> residual(randomFloats(maxRows * c.n, 9));
  auto compute = [&](int64_t rows, int64_t first, int64_t threads, bool singleRow) {
    Buffer<float> out(rows * spec.outStride - 3);
    Buffer<int64_t> counter(std::vector<int64_t>{0});
    int64_t rowBytes = format == ActivationFormat::F32 ? c.k * 4 : preparedRowBytes(format, c.k);
    uint8_t *a = prepared.data() + first * rowBytes;
    mlir::func::FuncOp kernel = module.kernels().getLinear(specOf(c, singleRow));
    if (c.residual)
      module.run(kernel, threads, weights.packed.data(), a, out.data(),
                 residual.data() + first * c.n, counter.data(), rows);
    else
      module.run(kernel, threads, weights.packed.data(), a, out.data(), counter.data(), rows);
    return out.copy();
  };

  std::vector<std::vector<float>> single;
  for (int64_t row = 0; row < maxRows; ++row) {
    single.push_back(compute(1, row, 1, c.singleRow));
    for (int64_t column = 0; column < c.n; ++column) {
      auto [value, size] = reference(c, weights, &decoded[row * c.k], column);
      if (c.residual)
        value += residual[row * c.n + column];
      // n roundings of partial sums, each below the sum of magnitudes.
      double bound = (c.k + 8) * 6e-8 * (size + std::abs(value)) + 1e-7;
      ASSERT_NEAR(single[row][column], value, bound) << "row " << row << " column " << column;
    }
  }
  for (int64_t rows : rowCounts)
    for (int64_t threads : {1, 3}) {
      std::vector<float> out = compute(rows, 0, threads, false);
      for (int64_t row = 0; row < rows; ++row) {
        ASSERT_EQ(std::memcmp(&out[row * spec.outStride], single[row].data(), c.n * 4), 0)
            << "row " << row << " of " << rows << ", " << threads << " threads";
        if (row + 1 < rows) {
          uint32_t beyond;
          std::memcpy(&beyond, &out[row * spec.outStride + c.n], 4);
          ASSERT_EQ(beyond, 0xffffffffu) << "writes beyond its columns";
        }
      }
    }
}

/// What does not depend on the instruction that multiplies.
class LinearShape : public LinearKernel {};

} // namespace

TEST_P(LinearKernel, EveryFormatAndTail) {
  std::vector<Case> cases;
  for (WeightFormat format : formats())
    // Panels: a multiple of every tile; a remainder with a partial panel; one lane.
    for (auto [blocks, n] : {std::pair<int64_t, int64_t>{2, 128}, {1, 16 * 5 + 9}, {2, 1}})
      cases.push_back({format, depth(format, blocks), n});
  check(cases, {1, 2, 5, 13, 27});
}

TEST_P(LinearKernel, Tiles) {
  if (!target().tiles)
    GTEST_SKIP() << "no matrix unit";
  std::vector<Case> cases;
  for (unsigned i = 0; i < kWeightFormatCount; ++i) {
    auto format = static_cast<WeightFormat>(i);
    if (!canTile(format, target()))
      continue;
    // A pair of panels and an odd one that is partial.
    cases.push_back({format, depth(format, 1), 16 * 2 + 9});
  }
  cases.push_back({WeightFormat::Q4_0, 96, 1});
  cases.push_back({WeightFormat::Q6_K, 512, 64});
  cases.push_back({WeightFormat::BF16, 83, 40});
  cases.push_back({WeightFormat::BF16, 2100, 20}); // a chunk that is not full
  cases.push_back({WeightFormat::Q4_K, 256, 40, /*geglu=*/true});
  cases.push_back({WeightFormat::Q4_0, 64, 64, /*geglu=*/true, /*cap=*/true, /*residual=*/true});
  cases.push_back({WeightFormat::Q8_0, 6912, 72, false, /*cap=*/true, /*residual=*/true});
  // Two chunks of columns, two groups of pairs of panels.
  cases.push_back({WeightFormat::Q8_0, 2112, 168, false, false, /*residual=*/true});
  cases.push_back({WeightFormat::BF16, 2112, 16 * 11});
  for (Case &c : cases)
    c.tiled = true;
  // Two blocks of tokens.
  cases.push_back({WeightFormat::Q8_0, 2112, 17});
  cases.push_back({WeightFormat::Q4_0, 64, 48});
  for (Case &c : llvm::MutableArrayRef(cases).take_back(2)) {
    c.tiled = true;
    c.tiledRows = 700;
  }
  check(cases, {});
}

TEST_P(LinearShape, DenseFormatsWithOddDepth) {
  std::vector<Case> cases;
  for (WeightFormat format : formats())
    if (!isQuantized(format))
      for (int64_t k : {5, 83})
        cases.push_back({format, k, 40});
  check(cases, {1, 7, 12});
}

TEST_P(LinearKernel, RealDepths) {
  std::vector<Case> cases;
  for (WeightFormat format : formats())
    cases.push_back({format, depth(format, blockFormat(format).scaleColumns == 256 ? 9 : 36), 48});
  check(cases, {1, 25});
}

TEST_P(LinearShape, Epilogues) {
  std::vector<Case> cases;
  // Epilogues follow the format's part of a kernel; two formats differ enough.
  for (WeightFormat format : {WeightFormat::F32, WeightFormat::Q5_K}) {
    int64_t k = depth(format, 2);
    cases.push_back({format, k, 40, /*geglu=*/true});
    cases.push_back({format, k, 64, /*geglu=*/true, /*cap=*/true, /*residual=*/true});
    cases.push_back({format, k, 72, /*geglu=*/false, /*cap=*/true, /*residual=*/true});
  }
  check(cases, {1, 3, 14});
}

TEST_P(LinearShape, GenericKernels) {
  std::vector<Case> cases;
  for (WeightFormat format : formats()) {
    Case plain{format, depth(format, 2), 40};
    Case epilogues{format, depth(format, 1), 40, true, true, true};
    plain.generic = epilogues.generic = true;
    cases.insert(cases.end(), {plain, epilogues});
  }
  check(cases, {1, 3});
}

TEST_P(LinearShape, SingleRowEqualsGeneral) {
  check({{WeightFormat::Q4_0, 64, 100, false, false, false, /*singleRow=*/true}}, {1, 4});
}

TEST_P(LinearShape, BlocksOfTokens) {
  // Rows of 8640 bytes: 80 of them exceed one block of tokens.
  check({{WeightFormat::Q8_0, 6912, 32}}, {80});
}

TEST_P(LinearShape, FusedEqualsSeparateKernels) {
  const int64_t rows = 5, k = 64, n = 40, padded = 48;
  WeightFormat format = WeightFormat::Q4_0;
  KernelModule module(target());
  ActivationFormat activation = activationFormat(format, module.getTarget());
  LinearSpec fused, plain;
  fused.format = plain.format = format;
  fused.k = plain.k = k;
  fused.inStride = plain.inStride = preparedRowBytes(activation, k) / 4;
  fused.n = n;
  fused.geglu = fused.residual = true;
  fused.cap = 2.0;
  plain.n = 2 * padded; // Panels of gate and up in turn.
  PrepareSpec prepare, convert;
  prepare.format = convert.format = activation;
  prepare.k = convert.k = k;
  prepare.norm = true;
  RmsNormSpec norm;
  norm.columns = k;
  ElementwiseSpec geglu{ElementwiseKind::GeGlu, 16, 1, 2 * padded, 2 * padded, padded};
  ElementwiseSpec cap{ElementwiseKind::SoftCap, padded, 2.0};
  ElementwiseSpec add{ElementwiseKind::Add, n, 1, n, padded, n};
  KernelLibrary &kernels = module.kernels();
  kernels.getLinear(fused), kernels.getLinear(plain), kernels.getPrepare(prepare);
  kernels.getPrepare(convert), kernels.getRmsNorm(norm), kernels.getElementwise(geglu);
  kernels.getElementwise(cap), kernels.getElementwise(add);
  ASSERT_NO_FATAL_FAILURE(module.load());

  TestWeights weights(format, 2 * padded, k, 5);
  Buffer<float> x(randomFloats(rows * k, 1)), gain(randomFloats(k, 2));
  Buffer<float> residual(randomFloats(rows * n, 3));
  Buffer<uint8_t> prepared(rows * preparedRowBytes(activation, k));
  Buffer<float> out(rows * n);
  Buffer<int64_t> counters(std::vector<int64_t>{0, 0});
  module.run(kernels.getPrepare(prepare), 1, x.data(), gain.data(), prepared.data(), rows);
  module.run(kernels.getLinear(fused), 1, weights.packed.data(), prepared.data(), out.data(),
             residual.data(), counters.data(), rows);

  Buffer<float> normed(rows * k), both(rows * 2 * padded), gated(rows * padded);
  Buffer<float> expected(rows * n);
  module.run(kernels.getRmsNorm(norm), 1, x.data(), gain.data(), normed.data(), rows);
  module.run(kernels.getPrepare(convert), 1, normed.data(), prepared.data(), rows);
  module.run(kernels.getLinear(plain), 1, weights.packed.data(), prepared.data(), both.data(),
             counters.data() + 1, rows);
  for (int64_t panel = 0; panel < padded / 16; ++panel)
    module.run(kernels.getElementwise(geglu), 1, both.data() + panel * 32,
               both.data() + panel * 32 + 16, gated.data() + panel * 16, rows);
  module.run(kernels.getElementwise(cap), 1, gated.data(), gated.data(), rows);
  module.run(kernels.getElementwise(add), 1, residual.data(), gated.data(), expected.data(), rows);
  EXPECT_EQ(out.copy(), expected.copy());
}

RLX_INSTANTIATE_KERNEL_TEST(LinearKernel, runnableTargets());
RLX_INSTANTIATE_KERNEL_TEST(LinearShape, nativeAndBaseline());
