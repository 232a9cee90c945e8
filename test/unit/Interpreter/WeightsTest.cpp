//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Rows of weights: sources put together, transforms applied, 8-bit products.

#include "InterpreterFixture.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {
class Weights : public InterpreterFixture {
protected:
  std::string sourceOf(const std::string &name, const std::string &type) {
    return "#rlx.source<file = \"m\", tensor = \"" + name + "\", offset = 0, type = " + type + ">";
  }
  /// Parses a module with the weight @w.
  void declare(const std::string &rest) { parse("rlx.weight @w : " + rest); }

  /// Row `row` of @w, empty (with `error` set) on failure.
  std::vector<float> row(int64_t row, size_t size) {
    SourceWeights weights(source);
    std::vector<float> values(size);
    if (llvm::Error failed = weights.readRow(module->lookupSymbol<WeightOp>("w"), row, values)) {
      error = llvm::toString(std::move(failed));
      values.clear();
    }
    return values;
  }
};
} // namespace

TEST_F(Weights, ConcatTakesRowsInTurn) {
  addWeight("a", {2, 1}, {1, 2});
  addWeight("b", {1, 1}, {3});
  addWeight("c", {2, 1}, {4, 5});
  declare("tensor<5x1xf32> from [" + sourceOf("a", "tensor<2x1xf32>") + ", " +
          sourceOf("b", "tensor<1x1xf32>") + ", " + sourceOf("c", "tensor<2x1xf32>") +
          "] combine concat");
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(row(i, 1), std::vector<float>({float(i + 1)}));
  EXPECT_TRUE(row(5, 1).empty());
  EXPECT_EQ(error, "weight 'w': row 2 is out of range");
}

TEST_F(Weights, InterleaveTakesPanelsInTurn) {
  std::vector<float> gate(20), up(20);
  for (int i = 0; i < 20; ++i)
    gate[i] = i, up[i] = 100 + i;
  addWeight("gate", {20, 1}, gate);
  addWeight("up", {20, 1}, up);
  declare("tensor<40x1xf32> from [" + sourceOf("gate", "tensor<20x1xf32>") + ", " +
          sourceOf("up", "tensor<20x1xf32>") + "] combine interleave");
  for (auto [index, value] :
       {std::pair(0, 0), {15, 15}, {16, 100}, {31, 115}, {32, 16}, {35, 19}, {36, 116}, {39, 119}})
    EXPECT_EQ(row(index, 1), std::vector<float>({float(value)})) << index;
}

TEST_F(Weights, TransformsApplyInOrder) {
  addWeight("v", {2}, {0.001f, -0.5f});
  std::string from = "from [" + sourceOf("v", "tensor<2xf32>") + "] transforms [";
  declare("tensor<2xf32> " + from + "#rlx.add_scalar<1.0 : f32>]");
  EXPECT_EQ(row(0, 2), std::vector<float>({1.001f, 0.5f}));
  declare("tensor<2xbf16> " + from + "#rlx.add_scalar<1.0 : f32>, #rlx.convert<bf16>]");
  EXPECT_EQ(row(0, 2), std::vector<float>({1.0f, 0.5f}));
  declare("tensor<2xf32> " + from + "#rlx.convert<f16>, #rlx.add_scalar<1.0 : f32>]");
  EXPECT_EQ(row(0, 2), std::vector<float>({1.0f + 0x1.064p-10f, 0.5f}));
}

TEST_F(Weights, QuantisesByTheFormatsDefinition) {
  std::vector<float> values(32);
  for (int i = 0; i < 32; ++i)
    values[i] = (i - 16) * 0.5f; // the largest magnitude is -8
  addWeight("m", {1, 32}, values);
  std::string from = " from [" + sourceOf("m", "tensor<1x32xf32>") + "] transforms [";
  declare("tensor<1x32x!rlx.quant<\"q4_0\">>" + from + "#rlx.convert<!rlx.quant<\"q4_0\">>]");
  std::vector<float> got = row(0, 32);
  EXPECT_EQ(got[0], -8); // d = 1, q = -8
  EXPECT_EQ(got[3], -6); // -6.5 + 8.5 = 2, q = -6
  EXPECT_EQ(got[31], 7);
  declare("tensor<1x32x!rlx.quant<\"q8_0\">>" + from + "#rlx.convert<!rlx.quant<\"q8_0\">>]");
  BlockRow blocks;
  SourceWeights weights(source);
  ASSERT_FALSE(bool(weights.readBlocks(module->lookupSymbol<WeightOp>("w"), 0, blocks)));
  EXPECT_EQ(blocks.quant(0), -127);
  EXPECT_EQ(blocks.quant(17), 8); // 0.5 / (8 / 127) = 7.9375
  EXPECT_NEAR(blocks.scale(0), 8.0 / 127, 8.0 / 127 / 2048);
}

TEST_F(Weights, NamesWhatIsMissing) {
  declare("tensor<2xf32> from [" + sourceOf("absent", "tensor<2xf32>") + "]");
  EXPECT_TRUE(row(0, 2).empty());
  EXPECT_EQ(error, "weight 'w': expected a tensor named 'absent' in <memory>");
  addWeight("other", {3}, {1, 2, 3});
  declare("tensor<2xf32> from [" + sourceOf("other", "tensor<2xf32>") + "]");
  EXPECT_TRUE(row(0, 2).empty());
  EXPECT_EQ(error, "weight 'w': tensor 'other' of <memory> is not what the module was made from");
}

/// With quantizeActivations a product is that of the rounded input.
TEST_F(Weights, EightBitProducts) {
  std::vector<float> weights(32, 0.0f), input(32, 0.0f);
  weights[0] = 127, weights[1] = 2;
  input[0] = 1, input[1] = 0.003f; // 0.003 * 127 = 0.381 rounds to 0
  addWeight("m", {1, 32}, weights);
  declare("tensor<1x32x!rlx.quant<\"q8_0\">> from [" + sourceOf("m", "tensor<1x32xf32>") +
          "] transforms [#rlx.convert<!rlx.quant<\"q8_0\">>]\n"
          "func.func @f(%x: tensor<1x1x32xf32>) -> tensor<1x1x1xf32> {\n"
          "%y = rlx.linear %x, @w : tensor<1x1x32xf32> -> tensor<1x1x1xf32>\n"
          "return %y : tensor<1x1x1xf32>\n}");
  Array x{{1, 1, 32}, std::vector<double>(input.begin(), input.end())};
  InterpreterOptions rounded;
  rounded.quantizeActivations = true;
  expectNear(call({x})[0], {127 + 2 * double(0.003f)});
  expectNear(call({x}, rounded)[0], {127}, 1e-5);
}

TEST_F(Weights, SingleArithmeticRoundsEverySum) {
  addWeight("m", {1, 3}, {1, 1, 1});
  declare("tensor<1x3xf32> from [" + sourceOf("m", "tensor<1x3xf32>") +
          "]\nfunc.func @f(%x: tensor<1x1x3xf32>) -> tensor<1x1x1xf32> {\n"
          "%y = rlx.linear %x, @w : tensor<1x1x3xf32> -> tensor<1x1x1xf32>\n"
          "return %y : tensor<1x1x1xf32>\n}");
  Array x{{1, 1, 3}, {16777216, 1, 1}};
  InterpreterOptions single;
  single.arithmetic = InterpreterOptions::Arithmetic::Single;
  EXPECT_EQ(call({x})[0].values[0], 16777218);
  EXPECT_EQ(call({x}, single)[0].values[0], 16777216); // each 1 is lost
}
