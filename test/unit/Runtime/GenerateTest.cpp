//===-- GenerateTest.cpp - generation and variants -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Generation: exact counts, stop conditions, cached against naive, callbacks;
// and which variant runs.
//===----------------------------------------------------------------------===//
#include "FakeReference.h"

#include <algorithm>

using namespace rlx;
using namespace rlx::test;

static int32_t greedyNext(const std::vector<int32_t> &ids) {
  std::vector<float> row = fakeReference(ids).row(ids.size() - 1);
  return int32_t(std::max_element(row.begin(), row.end()) - row.begin());
}

static std::vector<int32_t> greedyTokens(std::vector<int32_t> ids, size_t count) {
  size_t prompt = ids.size();
  while (ids.size() < prompt + count)
    ids.push_back(greedyNext(ids));
  return {ids.begin() + prompt, ids.end()};
}

static GenerateOptions upTo(uint64_t tokens) {
  GenerateOptions options;
  options.maxTokens = tokens;
  return options;
}

static SamplingOptions warm(uint64_t seed) {
  SamplingOptions sampling;
  sampling.temperature = 1.5f;
  sampling.topK = 20;
  sampling.repetitionPenalty = 1.1f;
  sampling.seed = seed;
  return sampling;
}

TEST(Generate, AppendsExactlyWhatWasAsked) {
  for (uint64_t count : {0, 1, 2, 57}) {
    Session session = makeSession(openFake());
    std::vector<int32_t> ids = fakeIds(10);
    EXPECT_OK(session.prefill(ids));
    GenerateResult result = valueOf(session.generate(upTo(count)));
    EXPECT_EQ(result.tokens, greedyTokens(ids, count));
    EXPECT_EQ(result.reason, StopReason::MaxTokens);
    ids.insert(ids.end(), result.tokens.begin(), result.tokens.end());
    EXPECT_EQ(session.tokens(), ids);
    EXPECT_EQ(session.pastLen(), 10 + count);
    EXPECT_EQ(logitsOf(session), fakeReference(ids).row(ids.size() - 1));
  }
}

TEST(Generate, LeavesTheLastTokenWhereNothingFollows) {
  for (Speculation speculation : {Speculation::Off, Speculation::Ngram})
    for (uint64_t count : {0, 1, 2, 57}) {
      Session session = makeSession(openFake());
      std::vector<int32_t> ids = fakeIds(10);
      EXPECT_OK(session.prefill(ids));
      GenerateOptions options = upTo(count);
      options.leaveLast = true;
      options.speculation = speculation;
      GenerateResult result = valueOf(session.generate(options));
      EXPECT_EQ(result.tokens, greedyTokens(ids, count));
      EXPECT_EQ(result.reason, StopReason::MaxTokens);
      // What is left is what the session would make next.
      if (count) {
        ids.insert(ids.end(), result.tokens.begin(), result.tokens.end() - 1);
        EXPECT_EQ(valueOf(session.sample()), result.tokens.back());
      }
      EXPECT_EQ(session.tokens(), ids);
      EXPECT_EQ(logitsOf(session), fakeReference(ids).row(ids.size() - 1));
    }
}

TEST(Generate, CallbackThatStopsLeavesItsTokenWhereNothingFollows) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(10);
  EXPECT_OK(session.prefill(ids));
  GenerateOptions options = upTo(20);
  options.leaveLast = true;
  int calls = 0;
  GenerateResult result = valueOf(session.generate(options, [&](int32_t) { return ++calls < 3; }));
  EXPECT_EQ(result.reason, StopReason::Callback);
  EXPECT_EQ(result.tokens, greedyTokens(ids, 3));
  EXPECT_EQ(session.pastLen(), 12u);
}

TEST(Generate, NaiveEqualsCached) {
  Model model = openFake();
  std::vector<int32_t> prompt = fakeIds(13);
  for (uint64_t seed : {0, 1, 2}) {
    Session session = makeSession(model);
    EXPECT_OK(session.setSampling(seed ? warm(seed) : SamplingOptions()));
    GenerateResult naive = valueOf(session.generateNaive(prompt, upTo(40)));
    EXPECT_EQ(session.pastLen(), 0u);
    EXPECT_OK(session.prefill(prompt));
    EXPECT_EQ(valueOf(session.generate(upTo(40))).tokens, naive.tokens);
    EXPECT_EQ(naive.tokens.size(), 40u);
  }
}

TEST(Generate, SeedDecidesThreadsDoNot) {
  Model model = openFake();
  auto text = [&](uint64_t seed, uint32_t threads) {
    SessionOptions options;
    options.threads = threads;
    Session session = makeSession(model, options);
    EXPECT_OK(session.setSampling(warm(seed)));
    EXPECT_OK(session.prefill(fakeIds(5)));
    return valueOf(session.generate(upTo(50))).tokens;
  };
  EXPECT_EQ(text(1, 1), text(1, 3));
  EXPECT_NE(text(1, 1), text(2, 1));
}

TEST(Generate, SamplingDependsOnThePositionNotOnTheCalls) {
  Model model = openFake();
  Session whole = makeSession(model), pieces = makeSession(model);
  for (Session *session : {&whole, &pieces}) {
    EXPECT_OK(session->setSampling(warm(4)));
    EXPECT_OK(session->prefill(fakeIds(5)));
  }
  EXPECT_OK(whole.generate(upTo(30)).status());
  EXPECT_OK(pieces.generate(upTo(11)).status());
  for (int i = 0; i < 9; ++i)
    EXPECT_OK(pieces.step().status());
  EXPECT_OK(pieces.generate(upTo(10)).status());
  EXPECT_EQ(whole.tokens(), pieces.tokens());
}

TEST(Generate, StopIdsAreNotAppended) {
  std::vector<int32_t> prompt = fakeIds(6);
  std::vector<int32_t> expected = greedyTokens(prompt, 8);
  // The last one is an id that did not occur before.
  int32_t stop = expected.back();
  auto first = std::find(expected.begin(), expected.end(), stop);
  std::vector<int32_t> before(expected.begin(), first);
  std::string manifest = R"({"model": {"eos_token_ids": [)" + std::to_string(stop) + "]}}";

  Session plain = makeSession(openFake());
  Session withEos = makeSession(openFake(rlx_query(RLX_ABI_VERSION), manifest));
  GenerateOptions options = upTo(20);
  for (Session *session : {&plain, &withEos}) {
    EXPECT_OK(session->prefill(prompt));
    options.stopIds = session == &plain ? std::vector<int32_t>{stop} : std::vector<int32_t>{};
    GenerateResult result = valueOf(session->generate(options));
    EXPECT_EQ(result.tokens, before);
    EXPECT_EQ(result.reason, StopReason::StopId);
    EXPECT_EQ(result.stopId, stop);
    EXPECT_EQ(session->pastLen(), prompt.size() + before.size());
    EXPECT_EQ(valueOf(session->sample()), stop);
  }
  options.ignoreEos = true;
  EXPECT_EQ(valueOf(withEos.generate(options)).tokens.size(), 20u);
}

TEST(Generate, CallbackStopsAfterItsToken) {
  Session session = makeSession(openFake());
  std::vector<int32_t> prompt = fakeIds(6), seen;
  EXPECT_OK(session.prefill(prompt));
  GenerateResult result = valueOf(session.generate(upTo(20), [&](int32_t token) {
    EXPECT_EQ(session.pastLen(), prompt.size() + seen.size());
    seen.push_back(token);
    return seen.size() < 3;
  }));
  EXPECT_EQ(result.reason, StopReason::Callback);
  EXPECT_EQ(result.tokens, seen);
  EXPECT_EQ(seen, greedyTokens(prompt, 3));
  EXPECT_EQ(session.pastLen(), 9u);
}

TEST(Generate, CallbackMayChangeSamplingButNotStep) {
  Session session = makeSession(openFake());
  std::vector<int32_t> prompt = fakeIds(6);
  EXPECT_OK(session.prefill(prompt));
  GenerateResult result = valueOf(session.generate(upTo(6), [&](int32_t) {
    EXPECT_ERROR(session.step().status(), InvalidState, "callback");
    EXPECT_ERROR(session.clear(), InvalidState, "callback");
    EXPECT_ERROR(session.rewind(1), InvalidState, "callback");
    EXPECT_OK(session.setSampling(warm(3)));
    return true;
  }));
  // The first token is greedy still, the others are not.
  EXPECT_EQ(result.tokens.front(), greedyNext(prompt));
  EXPECT_NE(result.tokens, greedyTokens(prompt, 6));
  SamplingOptions bad;
  bad.topP = 0;
  EXPECT_ERROR(session.setSampling(bad), InvalidArgument, "top-p");
  EXPECT_EQ(session.sampling().temperature, 1.5f);
}

TEST(Generate, FullContextFollowsThePolicy) {
  for (OverflowPolicy policy : {OverflowPolicy::Error, OverflowPolicy::Stop}) {
    SessionOptions options;
    options.maxContext = 15;
    options.overflow = policy;
    Session session = makeSession(openFake(), options);
    std::vector<int32_t> prompt = fakeIds(10);
    auto check = [&](const Expected<GenerateResult> &result, bool naive) {
      if (policy == OverflowPolicy::Error) {
        EXPECT_ERROR(result.status(), ContextFull, "context of 15");
      } else {
        ASSERT_TRUE(result.ok());
        EXPECT_EQ(result->reason, StopReason::ContextFull);
        EXPECT_EQ(result->tokens, greedyTokens(prompt, 5)) << naive;
      }
    };
    check(session.generateNaive(prompt, upTo(8)), true);
    EXPECT_OK(session.prefill(prompt));
    check(session.generate(upTo(8)), false);
    EXPECT_EQ(session.pastLen(), 15u);
  }
}

TEST(Variants, TheNarrowestWins) {
  Session session = makeSession(openFake());
  EXPECT_EQ(session.lastVariant(), "");
  struct {
    size_t tokens;
    const char *variant;
  } calls[] = {{5, "short"}, {8, "wide"},     {4, "prefill_4"}, {5, "generic"},
               {16, "wide"}, {17, "generic"}, {1, "decode"}};
  size_t past = 0;
  for (auto &call : calls) {
    EXPECT_OK(session.prefill(fakeIds(call.tokens)));
    EXPECT_EQ(session.lastVariant(), call.variant) << call.tokens << " tokens after " << past;
    past += call.tokens;
  }
}

TEST(Variants, OneMayBeForced) {
  Model model = openFake();
  std::vector<int32_t> ids = fakeIds(60);
  for (const char *name : {"generic", "prefill_4", "decode"}) {
    SessionOptions options;
    options.variant = name;
    Session session = makeSession(model, options);
    EXPECT_OK(session.prefill({ids.data(), 59}));
    EXPECT_OK(session.stepForced(ids[59]).status());
    EXPECT_EQ(session.lastVariant(), name);
    EXPECT_EQ(logitsOf(session), fakeReference(ids).row(59));
  }
}

TEST(Variants, AForcedOneThatCannotServeIsAnErrorBeforeAnythingRuns) {
  SessionOptions options;
  options.variant = "wide";
  Session session = makeSession(openFake(), options);
  uint64_t before = fake_step_count();
  EXPECT_ERROR(session.prefill(fakeIds(20)), InvalidArgument,
               "'wide' takes SEQ 8 to 16 and PAST_SEQ 0 to 199 but got SEQ 4 and PAST_SEQ 16");
  EXPECT_EQ(fake_step_count(), before);
  EXPECT_OK(session.prefill(fakeIds(24)));
  EXPECT_ERROR(session.generate(upTo(1)).status(), InvalidArgument, "but got SEQ 1");
  EXPECT_EQ(session.pastLen(), 24u);
  EXPECT_ERROR(session.setVariant("narrow"), InvalidArgument, "it has decode, prefill_4, wide");
  EXPECT_OK(session.setVariant(""));
  EXPECT_OK(session.generate(upTo(1)).status());
  options.variant = "narrow";
  EXPECT_ERROR(Session::create(openFake(), options).status(), InvalidArgument, "narrow");
}

TEST(Options, ContextDefaultsAndLimits) {
  Model model = openFake();
  EXPECT_EQ(makeSession(model).maxContext(), uint64_t(FAKE_CONTEXT));
  SessionOptions options;
  options.maxContext = FAKE_CONTEXT + 1;
  EXPECT_ERROR(Session::create(model, options).status(), InvalidArgument, "at most 200");
  rlx_model_t large = *rlx_query(RLX_ABI_VERSION);
  std::vector<rlx_variant_t> variants(large.variants, large.variants + large.variant_count);
  large.max_context = 131072;
  for (rlx_variant_t &variant : variants)
    variant.past_max = 131071;
  large.variants = variants.data();
  EXPECT_EQ(makeSession(openFake(&large)).maxContext(), 8192u);
}

TEST(Options, MemoryIsAccountedAndLimited) {
  Model model = openFake();
  Session session = makeSession(model);
  MemoryUse use = session.memoryUse();
  EXPECT_EQ(use.weights, uint64_t(FAKE_WEIGHTS));
  // f32 slot of 256 positions; f16 and bf16 rings of 128.
  EXPECT_EQ(use.kvCache, 2u * 256 * 4 * 4 + 2 * 2 * 128 * 3 * 2 + 2 * 128 * 8 * 2);
  // The largest workspace, one row for logits(), FAKE_OUT for all positions.
  EXPECT_EQ(use.workspace, 128u + (1 + FAKE_OUT) * (FAKE_VOCAB + FAKE_HIDDEN) * 4);
  EXPECT_EQ(valueOf(model.memoryUse({})).total(), use.total());

  SessionOptions options;
  options.maxMemory = use.total();
  Session exact = makeSession(model, options);
  EXPECT_OK(exact.prefill({1, 2}));
  EXPECT_ERROR(exact.forward({1, 2}).status(), OutOfMemory, "scratch");
  options.maxMemory = use.total() - 1;
  EXPECT_ERROR(Session::create(model, options).status(), OutOfMemory, "64 weights");
  options.maxContext = 100;
  EXPECT_OK(Session::create(model, options).status());
}

TEST(Options, ThreadsAreLimited) {
  SessionOptions options;
  options.threads = 5000;
  EXPECT_ERROR(Session::create(openFake(), options).status(), InvalidArgument, "1024 threads");
  EXPECT_GE(openFake().defaultThreads(), 1u);
}
