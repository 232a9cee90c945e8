//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Each op on numbers small enough to be worked out by hand.

#include "InterpreterFixture.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {
using Ops = InterpreterFixture;

std::string weightOp(const std::string &name, const std::string &type) {
  return "rlx.weight @" + name + " : " + type + " from [#rlx.source<file = \"m\", tensor = \"" +
         name + "\", offset = 0, type = " + type + ">]\n";
}

/// tensor<1xSEQx2xf32> and the like, symbolic in the second dimension.
std::string tensor(const std::string &sizes, const std::string &element = "f32") {
  std::string shape, dims = "BATCH, SEQ";
  for (char c : sizes)
    dims += std::string(", ") + c, shape += std::string("x") + c;
  return "tensor<?x?" + shape + "x" + element + ", #rlx.dims<" + dims + ">>";
}

/// func @f(%x, %y) that returns the value of `op`, of type `result`.
std::string function(const std::string &x, const std::string &op, const std::string &result) {
  return "func.func @f(%x: " + x + ", %y: " + x + ") -> " + result + " {\n %z = " + op +
         "\n return %z : " + result + "\n}";
}
} // namespace

TEST_F(Ops, Elementwise) {
  std::string t = tensor("2");
  Array x{{1, 2, 2}, {1, -2, 0.5, 3}}, y{{1, 2, 2}, {10, 20, 30, 40}};
  struct Case {
    std::string op;
    std::vector<double> expected;
  };
  const Case cases[] = {
      {"rlx.add %x, %y : " + t, {11, 18, 30.5, 43}},
      {"rlx.mul %x, %y : " + t, {10, -40, 15, 120}},
      {"rlx.scale %x by 4.0 : " + t, {4, -8, 2, 12}},
      // gelu(1) = (1 + tanh(0.7978845608 * 1.044715)) / 2, and so on.
      {"rlx.gelu %x : " + t, {0.8411919906, -0.0454023059, 0.3457140098, 2.9963626079}},
      {"rlx.geglu %x, %y : " + t, {8.411919906, -0.908046118, 10.371420295, 119.854504317}},
      {"rlx.softcap %x cap 2.0 : " + t,
       {2 * std::tanh(0.5), -2 * std::tanh(1.0), 2 * std::tanh(0.25), 2 * std::tanh(1.5)}},
  };
  for (const Case &c : cases) {
    SCOPED_TRACE(c.op);
    parse(function(t, c.op, t));
    auto results = call({x, y});
    ASSERT_EQ(results.size(), 1u) << error;
    expectNear(results[0], c.expected, 1e-7);
  }
}

TEST_F(Ops, Embedding) {
  addWeight("w", {3, 2}, {1, 2, 3, 4, 5, 6});
  std::string ids = tensor("", "i32");
  parse(weightOp("w", "tensor<3x2xf32>") +
        function(ids, "rlx.embedding %x, @w {scale = 2.0 : f32} : (" + ids + ") -> " + tensor("2"),
                 tensor("2")));
  Array x{{1, 2}, {2, 0}};
  expectNear(call({x, x})[0], {10, 12, 2, 4});
  Array bad{{1, 1}, {3}};
  EXPECT_TRUE(call({bad, bad}).empty());
  EXPECT_EQ(error, "expected a token id below 3 but got 3");
}

TEST_F(Ops, RmsNorm) {
  addWeight("g", {2}, {1, 3});
  std::string t = tensor("2");
  Array x{{1, 1, 2}, {3, 4}}, y{{1, 1, 2}, {100, 200}};
  // mean(x²) = 12.5, so that with eps 0.0625 nothing cancels by chance.
  double f = 1 / std::sqrt(12.5 + 0.0625);
  parse(weightOp("g", "tensor<2xf32>") +
        function(t, "rlx.rms_norm %x, @g gain plain eps 0.0625 : " + t + " -> " + t, t));
  expectNear(call({x, y})[0], {3 * f, 12 * f});
  parse(weightOp("g", "tensor<2xf32>") +
        function(t,
                 "rlx.rms_norm %x, @g gain one_plus eps 0.0625 residual(%y : " + t + ") : " + t +
                     " -> " + t,
                 t));
  expectNear(call({x, y})[0], {100 + 6 * f, 200 + 16 * f});
}

TEST_F(Ops, Linear) {
  addWeight("w", {3, 2}, {1, 2, 3, 4, 5, 6});
  addWeight("g", {2}, {1, 3});
  std::string head = weightOp("w", "tensor<3x2xf32>") + weightOp("g", "tensor<2xf32>");
  Array x{{1, 2, 2}, {1, 1, 10, -1}}, y{{1, 2, 3}, {1, 2, 3, 4, 5, 6}};
  parse(head + "func.func @f(%x: " + tensor("2") + ", %y: " + tensor("3") + ") -> (" + tensor("3") +
        ", " + tensor("3") + ", " + tensor("3") + ") {\n" + //
        "%a = rlx.linear %x, @w : " + tensor("2") + " -> " + tensor("3") +
        "\n%b = rlx.linear %x, @w cap 2.0 residual(%y : " + tensor("3") + ") : " + tensor("2") +
        " -> " + tensor("3") + //
        "\n%c = rlx.linear %x, @w norm(@g, 1.0) : " + tensor("2") + " -> " + tensor("3") +
        "\nreturn %a, %b, %c : " + tensor("3") + ", " + tensor("3") + ", " + tensor("3") + "\n}");
  auto results = call({x, y});
  ASSERT_EQ(results.size(), 3u) << error;
  const double products[] = {3, 7, 11, 8, 26, 44};
  expectNear(results[0], products);
  for (int i = 0; i < 6; ++i) // the cap comes before the residual
    EXPECT_NEAR(results[1].values[i], y.values[i] + 2 * std::tanh(products[i] / 2), 1e-12);
  double f0 = 1 / std::sqrt(1.0 + 1), f1 = 1 / std::sqrt(50.5 + 1);
  expectNear(results[2], {f0 + 6 * f0, 3 * f0 + 12 * f0, 5 * f0 + 18 * f0, 10 * f1 - 6 * f1,
                          30 * f1 - 12 * f1, 50 * f1 - 18 * f1});
}

/// 40 rows: gate and up interleave as 16 + 16, then 4 + 4.
TEST_F(Ops, LinearGegluReadsPanels) {
  std::vector<float> rows(40);
  for (int i = 0; i < 40; ++i)
    rows[i] = i;
  addWeight("w", {40, 1}, rows);
  parse(weightOp("w", "tensor<40x1xf32>") +
        "func.func @f(%x: tensor<1x1x1xf32>) -> tensor<1x1x20xf32> {\n"
        "%z = rlx.linear %x, @w geglu : tensor<1x1x1xf32> -> tensor<1x1x20xf32>\n"
        "return %z : tensor<1x1x20xf32>\n}");
  auto results = call({Array{{1, 1, 1}, {1}}});
  ASSERT_EQ(results.size(), 1u) << error;
  auto gelu = [](double x) {
    return x / 2 * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
  };
  EXPECT_NEAR(results[0].values[1], gelu(1) * 17, 1e-9);
  EXPECT_NEAR(results[0].values[15], gelu(15) * 31, 1e-9);
  EXPECT_NEAR(results[0].values[16], gelu(32) * 36, 1e-9);
  EXPECT_NEAR(results[0].values[19], gelu(35) * 39, 1e-9);
}

TEST_F(Ops, Views) {
  std::string t = tensor("6");
  parse("func.func @f(%x: " + t + ", %begin: index) -> (" + tensor("2") + ", " + tensor("4") +
        ", " + tensor("22") + ", " + tensor("12") + ", " + tensor("4") +
        ", tensor<?x?x6xf32, #rlx.dims<BATCH, OUT, 6>>) {\n" + //
        "%a, %b = rlx.split %x : " + t + " -> " + tensor("2") + ", " + tensor("4") +
        "\n%h, %k = rlx.split_heads %x : " + t + " -> " + tensor("22") + ", " + tensor("12") +
        "\n%m = rlx.merge_heads %h : " + tensor("22") + " -> " + tensor("4") +
        "\n%s = rlx.select_rows %x from %begin : " + t +
        " -> tensor<?x?x6xf32, #rlx.dims<BATCH, OUT, 6>>" + //
        "\nreturn %a, %b, %h, %k, %m, %s : " + tensor("2") + ", " + tensor("4") + ", " +
        tensor("22") + ", " + tensor("12") + ", " + tensor("4") +
        ", tensor<?x?x6xf32, #rlx.dims<BATCH, OUT, 6>>\n}");
  Array x{{1, 2, 6}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
  auto results = call({x, Array{{}, {1}}}, {}, nullptr, 1);
  ASSERT_EQ(results.size(), 6u) << error;
  expectNear(results[0], {0, 1, 6, 7});
  expectNear(results[1], {2, 3, 4, 5, 8, 9, 10, 11});
  expectNear(results[2], {0, 1, 2, 3, 6, 7, 8, 9});
  expectNear(results[3], {4, 5, 10, 11});
  expectNear(results[4], {0, 1, 2, 3, 6, 7, 8, 9});
  expectNear(results[5], {6, 7, 8, 9, 10, 11});
  EXPECT_TRUE(call({x, Array{{}, {2}}}, {}, nullptr, 1).empty());
  EXPECT_EQ(error, "expected rows within the step's 2 but got 1 from 2 on");
}

TEST_F(Ops, RopeRotatesPartOfAHead) {
  parse("func.func @f(%p: " + tensor("", "i64") + ", %x: " + tensor("16") + ") -> " + tensor("16") +
        " {\n" + //
        "%a = rlx.rope_angles %p rope <base = 1.0e+04 : f64, dim = 4> : " + tensor("", "i64") +
        " -> " + tensor("22") + "\n%y = rlx.rope %x, %a : " + tensor("16") + ", " + tensor("22") +
        " -> " + tensor("16") + "\nreturn %y : " + tensor("16") + "\n}");
  // Frequencies are 1 and 10000^(-1/2) = 0.01.
  auto results = call({Array{{1, 1}, {3}}, Array{{1, 1, 1, 6}, {1, 2, 3, 4, 5, 6}}});
  ASSERT_EQ(results.size(), 1u) << error;
  double c0 = std::cos(3.0), s0 = std::sin(3.0), c1 = std::cos(0.03), s1 = std::sin(0.03);
  expectNear(results[0], {c0 - 3 * s0, 2 * c1 - 4 * s1, 3 * c0 + s0, 4 * c1 + 2 * s1, 5, 6});
}

TEST_F(Ops, RopeAnglesAreExactFarOut) {
  parse(function(tensor("", "i64"),
                 "rlx.rope_angles %x rope <base = 1.0e+06 : f64, dim = 2> : " + tensor("", "i64") +
                     " -> " + tensor("21"),
                 tensor("21")));
  Array position{{1, 1}, {131071}};
  // cos and sin of 131071 rad, computed with 50 digits.
  expectNear(call({position, position})[0], {-0.81798349938794909, -0.57524168375478938}, 1e-9);
}
