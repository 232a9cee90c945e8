//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Specialisation, fusion and a session's options never change the output: every
// set of variants gives the generic one's bits, on both sides of every bucket edge
// and past the last.

#include "Support.h"

#include <algorithm>
#include <set>

using namespace rlx;
using namespace rlx::test;

/// Prefills `ids`, decodes three more tokens; the logits after each call.
static std::vector<float> trajectory(Session &session, Span<const int32_t> ids) {
  EXPECT_TRUE(session.clear().ok());
  std::vector<float> all;
  auto add = [&](const Status &status) {
    EXPECT_TRUE(status.ok()) << status.message();
    std::vector<float> row = lastLogits(session);
    all.insert(all.end(), row.begin(), row.end());
  };
  add(session.prefill(ids));
  for (int32_t token : {11, 12, 13})
    add(session.stepForced(token).status());
  return all;
}

namespace {
/// A model, and the same one compiled or run otherwise.
struct Pair {
  std::string plain, other;
};
void PrintTo(const Pair &pair, std::ostream *os) { *os << pair.other; }

std::string pairName(const ::testing::TestParamInfo<Pair> &info) {
  std::string name = info.param.other;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class Ladder : public ::testing::TestWithParam<Pair> {};
class Fusion : public ::testing::TestWithParam<Pair> {};
class Variants : public ::testing::TestWithParam<std::string> {};
class Options : public ::testing::TestWithParam<std::string> {};
} // namespace

INSTANTIATE_TEST_SUITE_P(
    Models, Ladder,
    ::testing::Values(
        Pair{"gemma1-f32", "gemma1-f32"}, Pair{"gemma1-f32", "gemma1-prefill-buckets"},
        Pair{"gemma1-f32", "gemma1-decode-buckets"}, Pair{"gemma1-f32", "gemma1-all-buckets"},
        Pair{"gemma2-f32", "gemma2-f32"}, Pair{"gemma2-f32", "gemma2-prefill-buckets"},
        Pair{"gemma2-f32", "gemma2-decode-buckets"}, Pair{"gemma2-f32", "gemma2-all-buckets"},
        Pair{"gemma3-f32", "gemma3-f32"}, Pair{"gemma3-f32", "gemma3-prefill-buckets"},
        Pair{"gemma3-f32", "gemma3-decode-buckets"}, Pair{"gemma3-f32", "gemma3-all-buckets"},
        Pair{"gemma1-q4_0", "gemma1-q4_0-all-buckets"},
        Pair{"gemma2-bf16", "gemma2-bf16-all-buckets"},
        Pair{"gguf-gemma3-Q4_K_M", "gguf-gemma3-Q4_K_M-all-buckets"}),
    pairName);

/// Both sides of every edge of the ladders, and past the last: of prefills 8 … 64,
/// of caches 16 … 128.
static constexpr size_t kLengths[] = {1,  7,  8,  9,  15,  16,  17,  31, 32,
                                      33, 63, 64, 65, 127, 128, 129, 200};

TEST_P(Ladder, EqualsGenericOnBothSidesOfEachEdge) {
  Model dynamic = openModel(GetParam().plain), model = openModel(GetParam().other);
  SessionOptions generic;
  generic.variant = "generic";
  Session reference = newSession(dynamic, generic), session = newSession(model);
  std::set<std::string> used;
  for (size_t length : kLengths) {
    std::vector<int32_t> ids = someIds(model, length);
    ASSERT_TRUE(sameBits(trajectory(session, ids), trajectory(reference, ids)))
        << length << " tokens";
    RLX_ASSERT_OK(session.clear());
    RLX_ASSERT_OK(session.prefill(ids));
    used.insert(session.lastVariant());
    RLX_ASSERT_OK(session.stepForced(5));
    used.insert(session.lastVariant());
  }
  // No variant is there for nothing.
  EXPECT_EQ(used.size(), model.variants().size());
}

INSTANTIATE_TEST_SUITE_P(Models, Variants,
                         ::testing::Values("gemma1-all-buckets", "gemma2-all-buckets",
                                           "gemma3-all-buckets", "gemma2-bf16-all-buckets"),
                         testName);

TEST_P(Variants, TheNarrowestIsUsedAndEachCanBeForced) {
  Model model = openModel(GetParam());
  ASSERT_GT(model.variants().size(), 4u);
  Session session = newSession(model);
  std::vector<int32_t> ids = someIds(model, 9);
  RLX_ASSERT_OK(session.prefill(ids));
  const std::string used = session.lastVariant();
  uint64_t narrowest = UINT64_MAX;
  std::string expected;
  for (const rlx_variant_t &variant : model.variants())
    if (variant.role == RLX_ROLE_PREFILL && variant.seq_min <= 9 && variant.seq_max >= 9 &&
        variant.past_min == 0 && variant.seq_max < narrowest) {
      narrowest = variant.seq_max;
      expected = variant.name;
    }
  EXPECT_EQ(used, expected);
  std::vector<float> reference = lastLogits(session);
  for (const rlx_variant_t &variant : model.variants()) {
    if (variant.seq_max < 9 || variant.past_min > 0)
      continue;
    RLX_ASSERT_OK(session.clear());
    RLX_ASSERT_OK(session.setVariant(variant.name));
    RLX_ASSERT_OK(session.prefill(ids));
    EXPECT_EQ(session.lastVariant(), variant.name);
    EXPECT_TRUE(sameBits(lastLogits(session), reference)) << variant.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Fusion,
                         ::testing::Values(Pair{"gemma1-f32", "gemma1-unfused"},
                                           Pair{"gemma2-f32", "gemma2-unfused"},
                                           Pair{"gemma3-f32", "gemma3-unfused"},
                                           Pair{"gemma1-q4_0", "gemma1-q4_0-unfused"},
                                           Pair{"gemma1-q4_0", "gemma1-q4_0-one"},
                                           Pair{"gemma2-bf16", "gemma2-bf16-unfused"},
                                           Pair{"gemma2-bf16", "gemma2-bf16-one"},
                                           Pair{"gguf-gemma3-Q4_K_M", "gguf-gemma3-Q4_K_M-unfused"},
                                           Pair{"gguf-gemma3-Q4_K_M", "gguf-gemma3-Q4_K_M-one"}),
                         pairName);

TEST_P(Fusion, ChangesNoBit) {
  Model fused = openModel(GetParam().plain), other = openModel(GetParam().other);
  Session a = newSession(fused), b = newSession(other);
  for (size_t length : {1, 9, 64, 100}) {
    std::vector<int32_t> ids = someIds(fused, length);
    ASSERT_TRUE(sameBits(trajectory(a, ids), trajectory(b, ids))) << length << " tokens";
    for (uint32_t layer = 0; layer < fused.layerCount(); ++layer) {
      auto inA = a.kv(layer, length + 2), inB = b.kv(layer, length + 2);
      RLX_ASSERT_OK(inA);
      RLX_ASSERT_OK(inB);
      EXPECT_TRUE(sameBits(inA->k, inB->k)) << "layer " << layer;
      EXPECT_TRUE(sameBits(inA->v, inB->v)) << "layer " << layer;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Options,
                         ::testing::Values("gemma1-f32", "gemma2-f32", "gemma3-f32", "gemma2-bf16",
                                           "gemma3-q8_0", "gemma3-kv-q8_0",
                                           "gemma1-q4_0-all-buckets", "gguf-gemma2-Q2_K",
                                           "gguf-gemma3-IQ4_XS"),
                         testName);

/// How a session caches and cuts into steps is its own affair.
TEST_P(Options, OfASessionChangeNoBit) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids = someIds(model, 150);
  Session plain = newSession(model);
  std::vector<float> expected = trajectory(plain, ids);
  for (auto [chunk, context] : {std::pair(1, 0), {3, 0}, {17, 160}, {64, 153}, {100, 400}}) {
    SessionOptions options;
    options.chunk = uint64_t(chunk);
    options.maxContext = uint64_t(context);
    Session session = newSession(model, options);
    EXPECT_TRUE(sameBits(trajectory(session, ids), expected)) << chunk << " " << context;
  }
}
