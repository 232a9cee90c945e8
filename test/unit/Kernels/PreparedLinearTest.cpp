//===- PreparedLinearTest.cpp - Products that prepare the next one --------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product that writes what the next one reads, against the two kernels that write
// rows of f32 and prepare them: the same bytes.
//
//===----------------------------------------------------------------------===//
#include "KernelHarness.h"
#include "TestWeights.h"
#include "llvm/Support/MathExtras.h"

using namespace rlx;
using namespace rlx::test;

namespace {

class PreparedLinear : public KernelTest {
protected:
  struct Case {
    WeightFormat format;
    PreparedFormat prepared;
    bool tiled = false; ///< the product itself
    bool singleRow = false;
    int64_t k = 64, n = 160;
  };

  static LinearSpec productOf(const Case &c, bool prepared) {
    LinearSpec spec;
    spec.format = c.format;
    spec.k = c.k;
    spec.n = c.n;
    spec.geglu = true;
    spec.tiled = c.tiled;
    spec.singleRow = c.singleRow;
    if (prepared)
      spec.prepared = c.prepared;
    return spec;
  }

  PrepareSpec inputOf(const Case &c) const {
    PrepareSpec spec;
    spec.format = activationFormat(c.format, target());
    spec.k = c.k;
    spec.tiled = c.tiled;
    return spec;
  }

  static PrepareSpec outputOf(const Case &c) {
    PrepareSpec spec;
    spec.format = c.prepared.format;
    spec.k = c.n;
    spec.tiled = c.prepared.tiled;
    return spec;
  }

  static int64_t bytesOf(const PrepareSpec &spec, int64_t rows) {
    bool tiles = spec.tiled && rows > untiledRows(spec.format);
    return preparedBytes(tiles ? ActivationFormat::BF16Tiles : spec.format, spec.k, rows);
  }

  void check(const std::vector<Case> &cases);
  void checkRows(KernelModule &module, const Case &c, int64_t rows);
};

void PreparedLinear::check(const std::vector<Case> &cases) {
  KernelModule module(target());
  for (const Case &c : cases) {
    module.kernels().getPrepare(inputOf(c));
    module.kernels().getPrepare(outputOf(c));
    module.kernels().getLinear(productOf(c, false));
    module.kernels().getLinear(productOf(c, true));
  }
  ASSERT_NO_FATAL_FAILURE(module.load());
  for (const Case &c : cases)
    for (int64_t rows : {0, 1, 2, 13, 17, 45, 700}) {
      if (c.singleRow && rows > 1)
        continue;
      SCOPED_TRACE(weightFormatName(c.format).str() + " to format " +
                   std::to_string(int(c.prepared.format)) +
                   (c.prepared.tiled ? ", tiled, " : ", ") + std::to_string(rows) + " rows");
      checkRows(module, c, rows);
    }
}

void PreparedLinear::checkRows(KernelModule &module, const Case &c, int64_t rows) {
  TestWeights weights(c.format, c.n * 2, c.k, 3);
  Buffer<float> in(randomFloats(std::max<int64_t>(rows, 1) * c.k, 7));
  Buffer<uint8_t> activations(bytesOf(inputOf(c), std::max<int64_t>(rows, 1)));
  module.run(module.kernels().getPrepare(inputOf(c)), 1, in.data(), activations.data(), rows);
  auto multiply = [&](bool prepared, int64_t threads, auto *out) {
    Buffer<int64_t> counter(std::vector<int64_t>{0});
    module.run(module.kernels().getLinear(productOf(c, prepared)), threads, weights.packed.data(),
               activations.data(), out, counter.data(), rows);
  };
  Buffer<float> outputs(std::max<int64_t>(rows, 1) * c.n);
  multiply(false, 1, outputs.data());
  const int64_t bytes = bytesOf(outputOf(c), std::max<int64_t>(rows, 1));
  Buffer<uint8_t> expected(bytes);
  module.run(module.kernels().getPrepare(outputOf(c)), 1, outputs.data(), expected.data(), rows);
  for (int64_t threads : {1, 3}) {
    Buffer<uint8_t> found(bytes);
    multiply(true, threads, found.data());
    ASSERT_EQ(found.copy(), expected.copy()) << threads << " threads";
  }
}

} // namespace

TEST_P(PreparedLinear, EqualsTwoKernels) {
  std::vector<Case> cases;
  for (ActivationFormat format :
       {ActivationFormat::F32, ActivationFormat::BF16, ActivationFormat::Int8,
        ActivationFormat::Int8Halves, ActivationFormat::Scaled, ActivationFormat::ScaledHalves})
    cases.push_back({WeightFormat::Q8_0, {format}});
  cases.push_back({WeightFormat::BF16, {ActivationFormat::Int8}});
  cases.push_back({WeightFormat::Q4_0, {ActivationFormat::Int8}, false, /*singleRow=*/true});
  check(cases);
}

TEST_P(PreparedLinear, EqualsTwoKernelsInTiles) {
  if (!target().tiles)
    GTEST_SKIP() << "no matrix unit";
  std::vector<Case> cases;
  for (ActivationFormat format :
       {ActivationFormat::F32, ActivationFormat::BF16, ActivationFormat::Int8}) {
    const bool few = untiledRows(format) == 1;
    cases.push_back({WeightFormat::Q8_0, {format, /*tiled=*/true}, /*tiled=*/false});
    cases.push_back({few ? WeightFormat::BF16 : WeightFormat::Q8_0, {format, true}, true});
  }
  // Several chunks of columns.
  cases.push_back({WeightFormat::Q8_0, {ActivationFormat::Int8, true}, true, false, 2112, 96});
  check(cases);
}

RLX_INSTANTIATE_KERNEL_TEST(PreparedLinear, nativeAndBaseline());
