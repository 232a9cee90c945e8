//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Attention and the cache: which keys are seen, how they are weighed, and that
// the fused ops equal the ops that they replace.

#include "InterpreterFixture.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

std::string heads(const std::string &count, const std::string &rows = "SEQ") {
  return "tensor<?x?x" + count + "x2xf32, #rlx.dims<BATCH, " + rows + ", " + count + ", 2>>";
}

class AttentionOps : public InterpreterFixture {
protected:
  /// @f appends %k and %v to a slot, reads it and attends.
  void parseAttention(const std::string &slot, const std::string &options) {
    std::string q = heads("2"), n = heads("1"), h = heads("1", "PAST_SEQ + SEQ");
    parse("rlx.kv_slot @kv heads 1 head_dim 2 " + slot + "\n" + //
          "func.func @f(%q: " + q + ", %k: " + n + ", %v: " + n + ", %c: !rlx.kv_cache) -> (" + q +
          ", " + q + ", !rlx.kv_cache) {\n" + //
          "%c1 = rlx.kv_append %c, @kv, %k, %v : " + n + ", " + n +
          "\n%pk, %pv = rlx.kv_read %c1, @kv : " + h + ", " + h +
          "\n%a = rlx.attention %q, %pk, %pv mask causal " + options + " : " + q + ", " + h + ", " +
          h + " -> " + q + "\n%b = rlx.cached_attention %q, %c1, @kv mask causal " + options +
          " : " + q + " -> " + q + "\nreturn %a, %b, %c1 : " + q + ", " + q + ", !rlx.kv_cache\n}");
  }
};

// Two heads share the one KV head. The first query of each token is (1, 0), the
// second (0, 1), keys are (x, y), so that scores are x and y.
const Array kQuery{{1, 2, 2, 2}, {1, 0, 0, 1, 1, 0, 0, 1}};
const Array kKey{{1, 2, 1, 2}, {0.5, -1, 2, 0.25}};
const Array kValue{{1, 2, 1, 2}, {1, 10, 2, 20}};

double mix(double score0, double score1, double value0, double value1) {
  double a = std::exp(score0), b = std::exp(score1);
  return (a * value0 + b * value1) / (a + b);
}

} // namespace

TEST_F(AttentionOps, CausalGroupedHeads) {
  parseAttention("type f32", "scale 0.5");
  InterpreterCache cache(*module);
  auto results = call({kQuery, kKey, kValue, Array()}, {}, &cache);
  ASSERT_EQ(results.size(), 3u) << error;
  double expected[] = {1,
                       10,
                       1,
                       10, // the first token sees itself only
                       mix(0.25, 1, 1, 2),
                       mix(0.25, 1, 10, 20), //
                       mix(-0.5, 0.125, 1, 2),
                       mix(-0.5, 0.125, 10, 20)};
  expectNear(results[0], expected);
  expectNear(results[1], expected);
}

TEST_F(AttentionOps, CapComesBeforeSoftmax) {
  parseAttention("type f32", "scale 0.5 cap 0.5");
  InterpreterCache cache(*module);
  auto results = call({kQuery, kKey, kValue, Array()}, {}, &cache);
  ASSERT_EQ(results.size(), 3u) << error;
  EXPECT_NEAR(results[0].values[4], mix(0.5 * std::tanh(0.5), 0.5 * std::tanh(2.0), 1, 2), 1e-12);
}

TEST_F(AttentionOps, WindowCountsTheQueryItself) {
  parseAttention("type f32 window 2", "scale 0.5 window 2");
  InterpreterCache cache(*module);
  ASSERT_EQ(call({kQuery, kKey, kValue, Array()}, {}, &cache).size(), 3u) << error;
  cache.advance(2);
  Array query{{1, 1, 2, 2}, {1, 0, 0, 1}}, key{{1, 1, 1, 2}, {-2, 4}}, value{{1, 1, 1, 2}, {3, 30}};
  auto results = call({query, key, value, Array()}, {}, &cache);
  ASSERT_EQ(results.size(), 3u) << error;
  // Position 2 sees positions 1 and 2, not 0.
  double expected[] = {mix(1, -1, 2, 3), mix(1, -1, 20, 30), mix(0.125, 2, 2, 3),
                       mix(0.125, 2, 20, 30)};
  expectNear(results[0], expected);
  expectNear(results[1], expected);
}

TEST_F(AttentionOps, CacheRoundsToTheSlotsType) {
  Array value{{1, 2, 1, 2}, {1.0009765625 + 0.0001, 0.1, 1, 1}};
  for (auto [type, expected] :
       {std::pair("f32", 1.0010765790939331), {"f16", 1.0009765625}, {"bf16", 1.0}}) {
    parseAttention(std::string("type ") + type, "scale 0.5");
    InterpreterCache cache(*module);
    ASSERT_EQ(call({kQuery, kKey, value, Array()}, {}, &cache).size(), 3u) << error;
    EXPECT_EQ(cache.value("kv", 0)[0], static_cast<float>(expected)) << type;
    InterpreterOptions exact;
    exact.roundCache = false;
    ASSERT_EQ(call({kQuery, kKey, value, Array()}, exact, &cache).size(), 3u) << error;
    EXPECT_EQ(cache.value("kv", 0)[0], static_cast<float>(value.values[0])) << type;
  }
}

// The scale of the block 127, 2.6, 0, … is 1, which f16 holds, so that elements become integers.
TEST_F(AttentionOps, CacheOfQ8_0KeepsCodesOfBlocks) {
  std::string wide = "tensor<?x?x1x32xf32, #rlx.dims<BATCH, SEQ, 1, 32>>";
  parse("rlx.kv_slot @kv heads 1 head_dim 32 type q8_0\nfunc.func @f(%k: " + wide +
        ", %c: !rlx.kv_cache) -> !rlx.kv_cache {\n%c1 = rlx.kv_append %c, @kv, %k, %k : " + wide +
        ", " + wide + "\nreturn %c1 : !rlx.kv_cache\n}");
  Array key{{1, 2, 1, 32}, std::vector<double>(64, 0.0)};
  key.values[0] = -127;
  key.values[1] = 2.6;
  key.values[32] = 1e-9; // too small for a scale
  InterpreterCache cache(*module);
  ASSERT_EQ(call({key, Array()}, {}, &cache).size(), 1u) << error;
  EXPECT_EQ(cache.key("kv", 0)[0], -127);
  EXPECT_EQ(cache.key("kv", 0)[1], 3);
  EXPECT_EQ(cache.value("kv", 0)[1], 3);
  EXPECT_EQ(cache.key("kv", 0)[2], 0);
  EXPECT_EQ(cache.key("kv", 1)[0], 0);
}

TEST_F(AttentionOps, SequencesOfABatchAreApart) {
  parseAttention("type f32", "scale 0.5");
  InterpreterCache cache(*module, 2);
  auto twice = [](const Array &x, double factor) {
    Array result = x;
    result.shape[0] = 2;
    for (double v : x.values)
      result.values.push_back(v * factor);
    return result;
  };
  auto results = call({twice(kQuery, 1), twice(kKey, 1), twice(kValue, 3), Array()}, {}, &cache);
  ASSERT_EQ(results.size(), 3u) << error;
  for (int i = 0; i < 8; ++i)
    EXPECT_NEAR(results[1].values[8 + i], 3 * results[1].values[i], 1e-12);
  EXPECT_EQ(cache.value("kv", 1, 1)[0], 6);
}

TEST_F(AttentionOps, RopeAppendRotatesKeysOnly) {
  std::string n = heads("1"), angles = "tensor<?x?x2x1xf32, #rlx.dims<BATCH, SEQ, 2, 1>>";
  parse("rlx.kv_slot @kv heads 1 head_dim 2 type f32\nfunc.func @f(%k: " + n + ", %v: " + n +
        ", %c: !rlx.kv_cache) -> !rlx.kv_cache {\n" + //
        "%p = rlx.positions %c : tensor<?x?xi64, #rlx.dims<BATCH, SEQ>>\n"
        "%a = rlx.rope_angles %p rope <base = 1.0e+04 : f64, dim = 2> : tensor<?x?xi64, "
        "#rlx.dims<BATCH, SEQ>> -> " +
        angles + "\n%c1 = rlx.rope_append %c, @kv, %k, %v, %a : " + n + ", " + n + ", " + angles +
        "\nreturn %c1 : !rlx.kv_cache\n}");
  InterpreterCache cache(*module);
  ASSERT_EQ(call({kKey, kValue, Array()}, {}, &cache).size(), 1u) << error;
  cache.advance(2);
  ASSERT_EQ(call({kKey, kValue, Array()}, {}, &cache).size(), 1u) << error;
  // Position 3: the second key of the second step.
  EXPECT_FLOAT_EQ(cache.key("kv", 3)[0], 2 * std::cos(3.0) - 0.25 * std::sin(3.0));
  EXPECT_FLOAT_EQ(cache.key("kv", 3)[1], 0.25 * std::cos(3.0) + 2 * std::sin(3.0));
  EXPECT_EQ(cache.value("kv", 3)[1], 20);
  cache.rewind(1);
  EXPECT_EQ(cache.pastLength(), 1);
}

TEST_F(AttentionOps, NeedsACache) {
  parseAttention("type f32", "scale 0.5");
  EXPECT_TRUE(call({kQuery, kKey, kValue, Array()}).empty());
  EXPECT_EQ(error, "expected a cache for a function that appends to one");
}
