//===-- CacheTest.cpp - rewind, kv and guard pages -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The KV cache: what it holds, rewinding within and beyond a ring's slack, and
// that every buffer may end at a guard page.
//===----------------------------------------------------------------------===//
#include "FakeReference.h"
#include "half.h"
#include "kv_cache.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace rlx;
using namespace rlx::test;

TEST(Rewind, ToEveryPositionAndOn) {
  Model model = openFake();
  std::vector<int32_t> ids = fakeIds(80), tail = fakeIds(30, 7);
  for (uint64_t position = 1; position <= ids.size(); ++position) {
    Session session = makeSession(model);
    EXPECT_OK(session.prefill(ids));
    EXPECT_OK(session.rewind(position));
    EXPECT_EQ(session.pastLen(), position);
    std::vector<int32_t> expected(ids.begin(), ids.begin() + position);
    EXPECT_EQ(session.tokens(), expected);
    if (position < ids.size())
      EXPECT_ERROR(session.logits().status(), InvalidState, "after a rewind");
    EXPECT_OK(session.prefill(tail));
    expected.insert(expected.end(), tail.begin(), tail.end());
    EXPECT_EQ(logitsOf(session), fakeReference(expected).row(expected.size() - 1))
        << "rewound to " << position;
  }
}

TEST(Rewind, WithinTheSlackRecomputesNothing) {
  Session session = makeSession(openFake());
  EXPECT_OK(session.prefill(fakeIds(150)));
  uint64_t before = fake_step_count();
  // Slot 1's ring holds 128 positions, 8 of which position 150 - 120 still needs.
  EXPECT_OK(session.rewind(150 - 120));
  EXPECT_EQ(fake_step_count(), before);
  EXPECT_OK(session.rewind(150 - 121));
  EXPECT_GT(fake_step_count(), before);
}

TEST(Rewind, TwiceCountsWhatTheRingLost) {
  std::vector<int32_t> ids = fakeIds(100);
  Session session = makeSession(openFake());
  EXPECT_OK(session.prefill(ids));
  EXPECT_OK(session.rewind(80));
  EXPECT_OK(session.stepForced(3).status());
  EXPECT_OK(session.rewind(70));
  EXPECT_OK(session.stepForced(4).status());
  std::vector<int32_t> expected(ids.begin(), ids.begin() + 70);
  expected.push_back(4);
  EXPECT_EQ(logitsOf(session), fakeReference(expected).row(70));
}

TEST(Rewind, ToTheEndKeepsTheLogits) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(20);
  EXPECT_OK(session.rewind(0));
  EXPECT_OK(session.prefill(ids));
  EXPECT_OK(session.rewind(20));
  EXPECT_EQ(logitsOf(session), fakeReference(ids).row(19));
  EXPECT_ERROR(session.rewind(21), InvalidArgument, "at most 20");
  EXPECT_EQ(session.tokens(), ids);
  EXPECT_OK(session.rewind(0));
  EXPECT_EQ(session.pastLen(), 0u);
  EXPECT_ERROR(session.stepForced(1).status(), InvalidState, "prefill");
}

TEST(KV, EveryRowThatIsHeldIsRight) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(180);
  EXPECT_OK(session.prefill({ids.data(), 150}));
  for (size_t i = 150; i < ids.size(); ++i)
    EXPECT_OK(session.stepForced(ids[i]).status());
  FakeRows rows = fakeReference(ids);
  // Windows 9 and 3 plus a chunk of 24: two rings of RLX_KV_CHUNK.
  const uint64_t firstKept[FAKE_SLOTS] = {0, 180 - 128, 180 - 128};
  for (uint32_t slot = 0; slot < FAKE_SLOTS; ++slot) {
    for (uint64_t p = firstKept[slot]; p < ids.size(); ++p) {
      KVRows read = valueOf(session.kv(slot, p));
      EXPECT_EQ(read.k, rows.k[slot][p]) << "slot " << slot << " position " << p;
      EXPECT_EQ(read.v, rows.v[slot][p]) << "slot " << slot << " position " << p;
    }
    EXPECT_ERROR(session.kv(slot, 180).status(), InvalidArgument, "below 180");
    if (firstKept[slot])
      EXPECT_ERROR(session.kv(slot, firstKept[slot] - 1).status(), InvalidArgument, "from 52");
  }
  EXPECT_ERROR(session.kv(3, 0).status(), InvalidArgument, "layer below 3");
}

TEST(KV, LayersMayShareASlot) {
  const char *manifest = R"({"model": {"layers": [{}, {"kv_slot": 2}, {"kv_slot": 0}]}})";
  Model model = openFake(rlx_query(RLX_ABI_VERSION), manifest);
  EXPECT_EQ(model.layerCount(), 3u);
  Session session = makeSession(model);
  EXPECT_OK(session.prefill({1, 2, 3}));
  FakeRows rows = fakeReference({1, 2, 3});
  EXPECT_EQ(valueOf(session.kv(1, 2)).v, rows.v[2][2]);
  EXPECT_EQ(valueOf(session.kv(2, 2)).v, rows.v[0][2]);
}

TEST(KV, BytesAreThoseOfThePlanes) {
  const rlx_kv_slot_info_t slots[] = {{2, 64, RLX_KV_F32, 0}, {1, 128, RLX_KV_F16, 100}};
  // 1000 positions round up to 1024; the ring has 99 + 20, rounded up to 128.
  uint64_t expected = 2 * (2 * 1024 * 64 * 4) + 2 * (128 * 128 * 2);
  EXPECT_EQ(KVCache::bytes({{slots, 2}, 1000, 20}), expected);
  // A window beyond the context needs no more than the context.
  const rlx_kv_slot_info_t wide[] = {{1, 16, RLX_KV_BF16, 4096}};
  EXPECT_EQ(KVCache::bytes({{wide, 1}, 50, 20}), 2u * 128 * 16 * 2);
}

TEST(Half, EveryF16BitPattern) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    int exponent = bits >> 10 & 31;
    double fraction = bits & 0x3ff;
    double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                       : exponent == 31 ? (fraction ? NAN : INFINITY)
                                        : std::ldexp(1024 + fraction, exponent - 25);
    float expected = float(bits & 0x8000 ? -magnitude : magnitude);
    float actual = floatFromF16(uint16_t(bits));
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(actual)) << bits;
    } else {
      EXPECT_EQ(actual, expected) << bits;
      EXPECT_EQ(std::signbit(actual), (bits & 0x8000) != 0) << bits;
    }
  }
  EXPECT_EQ(floatFromBF16(0x3fc0), 1.5f);
}

TEST(GuardPages, ACorrectModelRunsBetweenThem) {
  SessionOptions options;
  options.guardPages = true;
  options.threads = 2;
  Session session = makeSession(openFake(), options);
  std::vector<int32_t> ids = fakeIds(FAKE_CONTEXT);
  EXPECT_OK(session.prefill({ids.data(), 100}));
  EXPECT_OK(session.prefillAll({ids.data() + 100, 60}, [](auto...) { return true; }));
  for (size_t i = 160; i < ids.size(); ++i)
    EXPECT_OK(session.stepForced(ids[i]).status());
  EXPECT_EQ(logitsOf(session), fakeReference(ids).row(ids.size() - 1));
  EXPECT_EQ(valueOf(session.forward(ids)), fakeReference(ids).logits);
}

class GuardPagesDeathTest : public testing::TestWithParam<const char *> {};

TEST_P(GuardPagesDeathTest, AnOverrunFaults) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  SessionOptions options;
  options.guardPages = true;
  options.threads = 1;
  options.variant = GetParam();
  EXPECT_DEATH(
      {
        Session session = makeSession(openFake(fake_faulty_table()), options);
        fprintf(stderr, "prefilling\n"); // it gets as far as the step
        (void)session.prefill({1});
        std::_Exit(0);
      },
      "prefilling");
}

INSTANTIATE_TEST_SUITE_P(Buffers, GuardPagesDeathTest,
                         testing::Values("workspace", "logits", "hidden", "k", "v"),
                         [](const auto &info) { return std::string(info.param); });
