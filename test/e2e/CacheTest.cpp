//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The KV cache: what prefill and decode write, and that reading it changes
// nothing; with fusion on and off.

#include "Support.h"

using namespace rlx;
using namespace rlx::test;

class Cache : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Models, Cache,
                         ::testing::ValuesIn(withGgufModels(
                             {"gemma1-f32", "gemma1-unfused", "gemma2-f32", "gemma2-unfused",
                              "gemma3-f32", "gemma3-unfused", "gemma2-bf16", "gemma2-bf16-unfused",
                              "gemma3-f16", "gemma3-kv-q8_0", "gemma3-q8_0", "gemma1-q4_0",
                              "gemma1-q4_0-unfused", "gemma2-q4_k", "gguf-gemma3-Q4_K_M-unfused"})),
                         testName);

static KVRows rows(const Session &session, uint32_t layer, uint64_t position) {
  auto found = session.kv(layer, position);
  EXPECT_TRUE(found.ok()) << messageOf(found);
  return found.ok() ? *found : KVRows();
}

TEST_P(Cache, ExportLeavesPrefillLogitsUnchanged) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids = someIds(model, 20);
  Session plain = newSession(model), exported = newSession(model);
  RLX_ASSERT_OK(plain.prefill(ids));
  RLX_ASSERT_OK(exported.prefill(Span<const int32_t>(ids.data(), 12)));
  for (uint32_t layer = 0; layer < model.layerCount(); ++layer)
    for (uint64_t position = 0; position < 12; ++position)
      EXPECT_FALSE(rows(exported, layer, position).k.empty());
  RLX_ASSERT_OK(exported.prefill(Span<const int32_t>(ids.data() + 12, 8)));
  EXPECT_TRUE(sameBits(lastLogits(plain), lastLogits(exported)));
}

TEST_P(Cache, RowsOfAPrefixEqualThoseOfTheExtendedPrompt) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids = someIds(model, 33);
  Session prefix = newSession(model), extended = newSession(model);
  RLX_ASSERT_OK(prefix.prefill(Span<const int32_t>(ids.data(), 17)));
  RLX_ASSERT_OK(extended.prefill(ids));
  for (uint32_t layer = 0; layer < model.layerCount(); ++layer)
    for (uint64_t position = 0; position < 17; ++position) {
      KVRows a = rows(prefix, layer, position), b = rows(extended, layer, position);
      ASSERT_TRUE(sameBits(a.k, b.k)) << "layer " << layer << ", position " << position;
      ASSERT_TRUE(sameBits(a.v, b.v)) << "layer " << layer << ", position " << position;
    }
}

TEST_P(Cache, RowsThatDecodeWritesEqualPrefills) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids = someIds(model, 90); // past the windows
  Session prefilled = newSession(model), decoded = newSession(model);
  RLX_ASSERT_OK(prefilled.prefill(ids));
  RLX_ASSERT_OK(decoded.prefill(Span<const int32_t>(ids.data(), 1)));
  for (size_t i = 1; i < ids.size(); ++i)
    RLX_ASSERT_OK(decoded.stepForced(ids[i]));
  for (uint32_t layer = 0; layer < model.layerCount(); ++layer)
    for (uint64_t position = 0; position < ids.size(); ++position) {
      KVRows a = rows(prefilled, layer, position), b = rows(decoded, layer, position);
      ASSERT_TRUE(sameBits(a.k, b.k)) << "layer " << layer << ", position " << position;
      ASSERT_TRUE(sameBits(a.v, b.v)) << "layer " << layer << ", position " << position;
    }
}

// Layer 0's values depend on the token alone; its keys are rotated.
TEST_P(Cache, ValuesOfLayer0AreIndependentOfPosition) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids(9, 77);
  Session session = newSession(model);
  RLX_ASSERT_OK(session.prefill(ids));
  KVRows first = rows(session, 0, 0);
  for (uint64_t position = 1; position < ids.size(); ++position) {
    KVRows row = rows(session, 0, position);
    EXPECT_TRUE(sameBits(first.v, row.v)) << "position " << position;
    EXPECT_FALSE(sameBits(first.k, row.k)) << "position " << position;
  }
}

TEST_P(Cache, LengthInvariantHoldsAfterEveryCall) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids = someIds(model, 10);
  Session session = newSession(model);
  auto expectLength = [&](size_t length) {
    EXPECT_EQ(session.pastLen(), length);
    EXPECT_EQ(session.tokens().size(), length);
  };
  expectLength(0);
  RLX_ASSERT_OK(session.prefill(ids));
  expectLength(10);
  RLX_ASSERT_OK(session.step());
  expectLength(11);
  RLX_ASSERT_OK(session.stepForced(5));
  expectLength(12);
  RLX_ASSERT_OK(session.forward(ids));
  expectLength(12);
  RLX_ASSERT_OK(session.rewind(4));
  expectLength(4);
  RLX_ASSERT_OK(session.prefill(ids));
  expectLength(14);
  EXPECT_FALSE(session.prefill(std::vector<int32_t>{-1}).ok());
  expectLength(14);
  RLX_ASSERT_OK(session.clear());
  expectLength(0);
}
