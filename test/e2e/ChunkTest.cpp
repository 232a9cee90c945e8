//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Cutting a sequence into steps never changes a bit: decode at every cache
// length, chunked prefill, threads, rewinding, and the edge of the window.

#include "Support.h"

#include <random>

using namespace rlx;
using namespace rlx::test;

namespace {
constexpr size_t kWindow = 64; // of the sliding layers of tiny-gemma2 and 3

class Chunk : public ::testing::TestWithParam<std::string> {
protected:
  Model model = openModel(GetParam());

  /// Windowed layers keep little more than their window, and overwrite it soon.
  static SessionOptions smallRings() {
    SessionOptions options;
    options.chunk = 16;
    return options;
  }

  /// Rows of `logits` [positions][vocab].
  std::vector<float> row(const std::vector<float> &logits, size_t position) {
    auto begin = logits.begin() + position * model.vocabSize();
    return {begin, begin + model.vocabSize()};
  }
};
} // namespace

INSTANTIATE_TEST_SUITE_P(Models, Chunk,
                         ::testing::ValuesIn(withGgufModels(
                             {"gemma1-f32", "gemma2-f32", "gemma3-f32", "gemma3-v3",
                              "gemma1-unfused", "gemma2-unfused", "gemma3-unfused", "gemma2-bf16",
                              "gemma3-f16", "gemma2-kv-q8_0", "gemma3-q8_0", "gemma2-q4_0",
                              "gemma1-q4_k", "gguf-gemma2-Q2_K-v3", "gguf-gemma3-IQ4_XS-v3",
                              "gguf-gemma3-Q4_K_M-v3"})),
                         testName);

// Every PAST_SEQ from 1 to the end of the context, through the true decode entry.
TEST_P(Chunk, DecodeAtEveryCacheLengthEqualsFullRecompute) {
  std::vector<int32_t> ids = someIds(model, model.maxContext());
  ASSERT_GT(ids.size(), 5 * kWindow);
  Session session = newSession(model, smallRings());
  std::vector<float> reference = allLogits(session, ids);
  RLX_ASSERT_OK(session.prefill(Span<const int32_t>(ids.data(), 1)));
  EXPECT_TRUE(sameBits(lastLogits(session), row(reference, 0)));
  for (size_t past = 1; past < ids.size(); ++past) {
    RLX_ASSERT_OK(session.stepForced(ids[past]));
    ASSERT_NE(session.lastVariant().find("decode"), std::string::npos) << session.lastVariant();
    ASSERT_TRUE(sameBits(lastLogits(session), row(reference, past))) << "PAST_SEQ " << past;
  }
}

TEST_P(Chunk, EverySplitInTwoEqualsOneShot) {
  std::vector<int32_t> ids = someIds(model, kWindow + 9, 2);
  Session session = newSession(model);
  RLX_ASSERT_OK(session.prefill(ids));
  std::vector<float> reference = lastLogits(session);
  for (size_t split = 1; split < ids.size(); ++split) {
    RLX_ASSERT_OK(session.clear());
    RLX_ASSERT_OK(session.prefill(Span<const int32_t>(ids.data(), split)));
    RLX_ASSERT_OK(session.prefill(Span<const int32_t>(ids.data() + split, ids.size() - split)));
    ASSERT_TRUE(sameBits(lastLogits(session), reference)) << "split at " << split;
  }
}

TEST_P(Chunk, RandomSplitsEqualOneShot) {
  std::vector<int32_t> ids = someIds(model, 2 * kWindow + 30, 3);
  Session wide = newSession(model), narrow = newSession(model, smallRings());
  RLX_ASSERT_OK(wide.prefill(ids));
  std::vector<float> reference = lastLogits(wide);
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    Session &session = seed % 2 ? narrow : wide;
    RLX_ASSERT_OK(session.clear());
    for (size_t begin = 0; begin < ids.size();) {
      size_t size = std::min<size_t>(1 + random() % 50, ids.size() - begin);
      RLX_ASSERT_OK(session.prefill(Span<const int32_t>(ids.data() + begin, size)));
      begin += size;
    }
    ASSERT_TRUE(sameBits(lastLogits(session), reference)) << "seed " << seed;
  }
}

TEST_P(Chunk, ThreadsDoNotChangeABit) {
  std::vector<int32_t> ids = someIds(model, kWindow + 11, 4);
  std::vector<float> reference;
  for (uint32_t threads : {1u, 2u, 3u, 4u}) {
    SessionOptions options;
    options.threads = threads;
    Session session = newSession(model, options);
    RLX_ASSERT_OK(session.prefill(ids));
    for (int i = 0; i < 4; ++i)
      RLX_ASSERT_OK(session.step());
    if (threads == 1)
      reference = lastLogits(session);
    else
      EXPECT_TRUE(sameBits(lastLogits(session), reference)) << threads << " threads";
  }
}

TEST_P(Chunk, RewindingEqualsNeverHavingGoneOn) {
  std::vector<int32_t> ids = someIds(model, 2 * kWindow, 5);
  Session straight = newSession(model), wide = newSession(model),
          narrow = newSession(model, smallRings());
  for (size_t position : {size_t(1), kWindow - 1, kWindow, kWindow + 1, 2 * kWindow - 1}) {
    RLX_ASSERT_OK(straight.clear());
    RLX_ASSERT_OK(straight.prefill(Span<const int32_t>(ids.data(), position)));
    RLX_ASSERT_OK(straight.stepForced(9));
    for (Session *rewound : {&wide, &narrow}) {
      RLX_ASSERT_OK(rewound->clear());
      RLX_ASSERT_OK(rewound->prefill(ids));
      RLX_ASSERT_OK(rewound->rewind(position));
      RLX_ASSERT_OK(rewound->stepForced(9));
      EXPECT_TRUE(sameBits(lastLogits(straight), lastLogits(*rewound))) << "to " << position;
    }
  }
}

TEST_P(Chunk, GuardPagesStayUntouched) {
  SessionOptions wideOptions, narrowOptions = smallRings();
  wideOptions.guardPages = narrowOptions.guardPages = true;
  Session wide = newSession(model, wideOptions), narrow = newSession(model, narrowOptions);
  Session plain = newSession(model);
  for (size_t length : {1, 2, 15, 16, 17, 63, 64, 65, 200}) {
    std::vector<int32_t> ids = someIds(model, length, 6);
    for (Session *session : {&plain, &wide, &narrow}) {
      RLX_ASSERT_OK(session->clear());
      RLX_ASSERT_OK(session->prefill(ids));
      RLX_ASSERT_OK(session->stepForced(7));
      EXPECT_TRUE(sameBits(lastLogits(*session), lastLogits(plain))) << length << " tokens";
    }
  }
}

// With a matrix unit, steps of more than RLX_EXACT_TOKENS tokens give the same bits among
// themselves, and up to that many the bits of single tokens.
class LargeSteps : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Models, LargeSteps,
                         ::testing::Values("gemma2-bf16-native", "gemma3-q4_0-native",
                                           "gguf-gemma2-Q2_K-native"),
                         testName);

TEST_P(LargeSteps, OfAnySizeAndThreadsGiveTheSameBits) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids = someIds(model, 200, 8);
  std::vector<float> reference;
  for (uint64_t size : {200, 100, 50, 25, 20}) {
    SessionOptions options;
    options.threads = size % 3 + 1;
    options.guardPages = true;
    Session session = newSession(model, options);
    for (size_t begin = 0; begin < ids.size(); begin += size)
      RLX_ASSERT_OK(session.prefill(Span<const int32_t>(ids.data() + begin, size)));
    if (reference.empty())
      reference = lastLogits(session);
    EXPECT_TRUE(sameBits(lastLogits(session), reference)) << "steps of " << size;
  }
}

TEST_P(LargeSteps, SmallOnesEqualSingleTokens) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids = someIds(model, 1 + 2 * RLX_EXACT_TOKENS, 9);
  Session single = newSession(model), several = newSession(model);
  RLX_ASSERT_OK(single.prefill(Span<const int32_t>(ids.data(), 1)));
  for (size_t i = 1; i < ids.size(); ++i)
    RLX_ASSERT_OK(single.stepForced(ids[i]));
  for (size_t begin = 0; begin < ids.size(); begin += RLX_EXACT_TOKENS) {
    size_t size = std::min<size_t>(RLX_EXACT_TOKENS, ids.size() - begin);
    RLX_ASSERT_OK(several.prefill(Span<const int32_t>(ids.data() + begin, size)));
  }
  EXPECT_TRUE(sameBits(lastLogits(single), lastLogits(several)));
}

// bf16 weights are added in the matrix unit's order by everyone, and attention over a cache of f32
// does without the unit.
class LargeStepsOfBF16 : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Models, LargeStepsOfBF16,
                         ::testing::Values("gemma2-bf16-native-kv-f32",
                                           "gemma2-bf16-native-small-buckets"),
                         testName);

TEST_P(LargeStepsOfBF16, EqualSmallOnes) {
  Model model = openModel(GetParam());
  std::vector<int32_t> ids = someIds(model, 70, 8);
  std::vector<float> reference;
  for (size_t size : {70, 16, 3, 1}) {
    Session session = newSession(model);
    for (size_t begin = 0; begin < ids.size(); begin += size)
      RLX_ASSERT_OK(session.prefill(
          Span<const int32_t>(ids.data() + begin, std::min(size, ids.size() - begin))));
    if (reference.empty())
      reference = lastLogits(session);
    EXPECT_TRUE(sameBits(lastLogits(session), reference)) << "steps of " << size;
  }
}

// A one-layer view of the window: in a stack, what lies outside one layer's
// window still arrives through the layers below, up to layers * (window - 1)
// positions back. Layer 0 of these models has a window, and layer 1's keys come
// from its attention: position p sees position 0 iff p < w. However the sequence
// is cut into steps.
class Window : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Models, Window,
                         ::testing::Values("gemma2-f32", "gemma3-f32", "gemma2-q4_0",
                                           "gemma3-unfused"),
                         testName);

TEST_P(Window, TheKeyExactlyWBackIsNotSeen) {
  Model model = openModel(GetParam());
  std::vector<int32_t> a = someIds(model, 2 * kWindow, 7), b = a;
  b[0] = a[0] == 5 ? 6 : 5;
  auto rowsOf = [](const Session &session, uint64_t position) {
    auto rows = session.kv(1, position);
    return rows.ok() ? *rows : KVRows();
  };
  for (size_t prompt : {a.size(), kWindow, kWindow - 1, size_t(1)}) {
    SCOPED_TRACE(std::to_string(prompt) + " at once");
    Session first = newSession(model), second = newSession(model);
    for (auto [session, ids] : {std::pair(&first, &a), std::pair(&second, &b)}) {
      RLX_ASSERT_OK(session->prefill(Span<const int32_t>(ids->data(), prompt)));
      for (size_t i = prompt; i < ids->size(); ++i)
        RLX_ASSERT_OK(session->stepForced((*ids)[i]));
    }
    KVRows inA = rowsOf(first, kWindow - 1), inB = rowsOf(second, kWindow - 1);
    ASSERT_FALSE(inA.k.empty());
    EXPECT_FALSE(sameBits(inA.k, inB.k)) << "the key exactly w - 1 back must be seen";
    KVRows outA = rowsOf(first, kWindow), outB = rowsOf(second, kWindow);
    ASSERT_FALSE(outA.k.empty());
    EXPECT_TRUE(sameBits(outA.k, outB.k)) << "the key exactly w back must not be seen";
    EXPECT_TRUE(sameBits(outA.v, outB.v));
  }
}
