//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Specialisation never changes the output: every set of variants gives the
// generic one's bits, on both sides of every bucket edge and past the last.

#include "Support.h"

using namespace rlx;
using namespace rlx::test;

class Buckets : public ::testing::TestWithParam<const char *> {};
INSTANTIATE_TEST_SUITE_P(Gemma, Buckets, ::testing::Values("1", "2", "3"),
                         [](const auto &info) { return info.param; });

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

TEST_P(Buckets, EveryLadderEqualsGenericOnBothSidesOfEachEdge) {
  std::string prefix = std::string("gemma") + GetParam();
  Model dynamic = openModel(prefix + "-f32");
  SessionOptions generic;
  generic.variant = "generic";
  Session reference = newSession(dynamic, generic);
  for (const char *suffix : {"-f32", "-prefill-buckets", "-decode-buckets", "-all-buckets"}) {
    SCOPED_TRACE(suffix);
    Model model = openModel(prefix + suffix);
    Session session = newSession(model);
    for (size_t length : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200}) {
      std::vector<int32_t> ids = someIds(model, length);
      ASSERT_TRUE(sameBits(trajectory(session, ids), trajectory(reference, ids)))
          << length << " tokens";
    }
  }
}

TEST_P(Buckets, TheNarrowestVariantIsUsedAndEachCanBeForced) {
  Model model = openModel(std::string("gemma") + GetParam() + "-all-buckets");
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

TEST_P(Buckets, FusionDoesNotChangeTokens) {
  std::string prefix = std::string("gemma") + GetParam();
  Model fused = openModel(prefix + "-f32"), unfused = openModel(prefix + "-unfused");
  Session a = newSession(fused), b = newSession(unfused);
  std::vector<int32_t> ids = someIds(fused, 30);
  RLX_ASSERT_OK(a.prefill(ids));
  RLX_ASSERT_OK(b.prefill(ids));
  GenerateOptions options;
  options.maxTokens = 40;
  options.ignoreEos = true;
  auto fromA = a.generate(options), fromB = b.generate(options);
  RLX_ASSERT_OK(fromA);
  RLX_ASSERT_OK(fromB);
  EXPECT_EQ(fromA->tokens, fromB->tokens);
}
