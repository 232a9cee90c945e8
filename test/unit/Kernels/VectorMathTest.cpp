//===- VectorMathTest.cpp - Accuracy of elementary functions --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Holds the bounds that VectorMath.h states against the C library in double, over
// values from every binade, and the special cases exactly.
//
//===----------------------------------------------------------------------===//
#include "VectorMath.h"
#include "KernelBuilder.h"
#include "KernelHarness.h"
#include <cmath>
#include <gmock/gmock.h>
#include <limits>

using namespace rlx;
using namespace rlx::test;
using mlir::Value;

namespace {

class VectorMath : public KernelTest {
protected:
  /// out[i] = function(in[i]).
  std::vector<float> apply(llvm::function_ref<Value(KernelBuilder &, Value)> function,
                           const std::vector<float> &in) {
    KernelModule module(target());
    mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(module.module().getBody());
    mlir::Type pointer = mlir::LLVM::LLVMPointerType::get(builder.getContext());
    mlir::Type index = builder.getIndexType();
    auto kernel = mlir::func::FuncOp::create(
        builder, builder.getUnknownLoc(), "apply",
        builder.getFunctionType({pointer, pointer, index, index, index}, {}));
    KernelBuilder b(kernel, module.getTarget());
    b.forEach(b.index(0), b.arg(2), kLanes, [&](Value i) {
      b.store(function(b, b.load(b.vf(), b.at(b.arg(0), i, 4))), b.at(b.arg(1), i, 4));
    });
    mlir::func::ReturnOp::create(b);
    module.load();
    std::vector<float> padded = in;
    padded.resize((in.size() + 15) / 16 * 16);
    Buffer<float> x(padded), out(padded.size());
    module.run("apply", 1, x.data(), out.data(), int64_t(out.size()));
    return std::vector<float>(out.data(), out.data() + in.size());
  }

  /// Magnitudes of every binade in [low, high], both signs.
  static std::vector<float> sweep(float low, float high) {
    std::vector<float> values;
    for (float x = low; x < high; x *= 1.00071f)
      values.insert(values.end(), {x, -x});
    return values;
  }

  /// |a - b| in units of the last place of b as a normal number.
  static double ulps(float a, double b) {
    int exponent = std::max(std::ilogb(b == 0 ? 1e-38 : b), -126);
    return std::abs(a - b) / std::ldexp(1.0, exponent - 23);
  }
};

} // namespace

static constexpr float kInfinity = std::numeric_limits<float>::infinity();
static constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST_P(VectorMath, ExpWithinTwoUlps) {
  std::vector<float> in = sweep(1e-8f, 87.2f);
  std::vector<float> out = apply(emitExp, in);
  for (size_t i = 0; i < in.size(); ++i)
    ASSERT_LE(ulps(out[i], std::exp(double(in[i]))), 2) << in[i];
}

TEST_P(VectorMath, ExpSpecialCases) {
  std::vector<float> out =
      apply(emitExp, {0.0f, -0.0f, -kInfinity, -3e38f, -87.4f, kNaN, 1000.0f, kInfinity});
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[1], 1);
  EXPECT_EQ(out[2], 0);
  EXPECT_EQ(out[3], 0);
  EXPECT_EQ(out[4], 0);
  EXPECT_TRUE(std::isnan(out[5]));
  EXPECT_GT(out[6], 2e38);
  EXPECT_EQ(out[6], out[7]);
}

TEST_P(VectorMath, TanhWithinThreeUlps) {
  std::vector<float> in = sweep(1e-20f, 100.0f);
  std::vector<float> out = apply(emitTanh, in);
  for (size_t i = 0; i < in.size(); ++i)
    ASSERT_LE(ulps(out[i], std::tanh(double(in[i]))), 3) << in[i];
  out = apply(emitTanh, {0.0f, -0.0f, kInfinity, -kInfinity, kNaN});
  EXPECT_EQ(out[0], 0);
  EXPECT_TRUE(std::signbit(out[1]));
  EXPECT_EQ(out[2], 1);
  EXPECT_EQ(out[3], -1);
  EXPECT_TRUE(std::isnan(out[4]));
}

TEST_P(VectorMath, GeluHasNoCancellation) {
  std::vector<float> in = sweep(1e-10f, 9.0f);
  std::vector<float> out = apply(emitGelu, in);
  for (size_t i = 0; i < in.size(); ++i) {
    double x = in[i], u = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    double expected = x / (1 + std::exp(-2 * u));
    // The rounding of u is magnified by |2u|, up to 60.
    ASSERT_NEAR(out[i], expected, std::abs(expected) * (4 + 2 * std::abs(u)) * 1.2e-7 + 1e-37)
        << in[i];
  }
  out = apply(emitGelu, {0.0f, -50.0f, 50.0f, kNaN});
  EXPECT_EQ(out[0], 0);
  EXPECT_NEAR(out[1], 0, 1e-36);
  EXPECT_EQ(out[2], 50);
  EXPECT_TRUE(std::isnan(out[3]));
}

TEST_P(VectorMath, ReductionsTakeEveryLane) {
  std::vector<float> in(16 * 16, -1.0f); // In vector i, lane i differs.
  for (int lane = 0; lane < 16; ++lane)
    in[lane * 17] = 5;
  auto splat = [](Value (*reduce)(KernelBuilder &, Value)) {
    return [reduce](KernelBuilder &b, Value x) { return b.splat(reduce(b, x), b.vf()); };
  };
  EXPECT_THAT(apply(splat(emitSum), in), testing::Each(-10.0f));
  EXPECT_THAT(apply(splat(emitMax), in), testing::Each(5.0f));
}

RLX_INSTANTIATE_KERNEL_TEST(VectorMath, nativeAndBaseline());
