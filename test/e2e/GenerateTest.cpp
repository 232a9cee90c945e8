//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Generation on the trained checkpoints: cached equals naive, determinism,
// exact token counts, and the errors of calls out of order.

#include "Support.h"

using namespace rlx;
using namespace rlx::test;

class Generate : public ::testing::TestWithParam<std::string> {
protected:
  Model model = openModel(GetParam());
  Session session = newSession(model);
  std::vector<int32_t> prompt = someIds(model, 12);
};
INSTANTIATE_TEST_SUITE_P(Models, Generate,
                         ::testing::Values("gemma1-f32", "gemma2-f32", "gemma3-f32", "gemma1-q4_0",
                                           "gemma2-bf16", "gemma3-q8_0", "gemma2-q4_k",
                                           "gemma3-unfused", "gguf-gemma2-Q2_K",
                                           "gguf-gemma3-IQ4_XS"),
                         testName);

static GenerateOptions tokens(uint64_t count) {
  GenerateOptions options;
  options.maxTokens = count;
  options.ignoreEos = true;
  return options;
}

TEST_P(Generate, CachedEqualsNaive) {
  auto naive = session.generateNaive(prompt, tokens(70));
  RLX_ASSERT_OK(naive);
  EXPECT_EQ(session.pastLen(), 0u);
  RLX_ASSERT_OK(session.prefill(prompt));
  auto cached = session.generate(tokens(70));
  RLX_ASSERT_OK(cached);
  EXPECT_EQ(cached->tokens, naive->tokens);
}

TEST_P(Generate, SecondTokenComesFromTheFirst) {
  RLX_ASSERT_OK(session.prefill(prompt));
  auto first = session.step();
  RLX_ASSERT_OK(first);
  std::vector<int32_t> extended = prompt;
  extended.push_back(*first);
  Session fresh = newSession(model);
  RLX_ASSERT_OK(fresh.prefill(extended));
  EXPECT_TRUE(sameBits(lastLogits(session), lastLogits(fresh)));
  auto second = session.step(), expected = fresh.sample();
  RLX_ASSERT_OK(second);
  RLX_ASSERT_OK(expected);
  EXPECT_EQ(*second, *expected);
}

TEST_P(Generate, GreedyIsDeterministicAndAppendsExactlyN) {
  std::vector<int32_t> reference;
  for (int run = 0; run < 3; ++run) {
    RLX_ASSERT_OK(session.clear());
    RLX_ASSERT_OK(session.prefill(prompt));
    auto result = session.generate(tokens(25));
    RLX_ASSERT_OK(result);
    EXPECT_EQ(result->tokens.size(), 25u);
    EXPECT_EQ(result->reason, StopReason::MaxTokens);
    EXPECT_EQ(session.pastLen(), prompt.size() + 25);
    if (run == 0)
      reference = result->tokens;
    EXPECT_EQ(result->tokens, reference);
  }
}

TEST_P(Generate, SameSeedSameTextForAnyThreads) {
  std::vector<int32_t> reference;
  for (uint32_t threads : {1u, 2u, 4u}) {
    SessionOptions options;
    options.threads = threads;
    Session sampled = newSession(model, options);
    SamplingOptions sampling;
    sampling.temperature = 0.9f;
    sampling.topK = 50;
    sampling.topP = 0.95f;
    sampling.seed = 42;
    RLX_ASSERT_OK(sampled.setSampling(sampling));
    RLX_ASSERT_OK(sampled.prefill(prompt));
    auto result = sampled.generate(tokens(40));
    RLX_ASSERT_OK(result);
    if (threads == 1)
      reference = result->tokens;
    EXPECT_EQ(result->tokens, reference) << threads << " threads";
  }
}

TEST_P(Generate, CallsOutOfOrderAreErrors) {
  EXPECT_EQ(session.step().status().code(), ErrorCode::InvalidState);
  EXPECT_EQ(session.stepForced(3).status().code(), ErrorCode::InvalidState);
  EXPECT_EQ(session.prefill({}).code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(session.prefill({int32_t(model.vocabSize())}).code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(session.prefill({-1}).code(), ErrorCode::InvalidArgument);
  RLX_ASSERT_OK(session.prefill(prompt));
  RLX_ASSERT_OK(session.step());
}

TEST_P(Generate, ExceedingTheContextIsAnErrorOrAStop) {
  SessionOptions options;
  options.maxContext = 32;
  Session bounded = newSession(model, options);
  EXPECT_EQ(bounded.prefill(someIds(model, 33)).code(), ErrorCode::ContextFull);
  RLX_ASSERT_OK(bounded.prefill(someIds(model, 30)));
  auto failed = bounded.generate(tokens(10));
  EXPECT_EQ(failed.status().code(), ErrorCode::ContextFull);
  EXPECT_EQ(bounded.pastLen(), 32u);
  options.overflow = OverflowPolicy::Stop;
  Session stopping = newSession(model, options);
  RLX_ASSERT_OK(stopping.prefill(someIds(model, 30)));
  auto stopped = stopping.generate(tokens(10));
  RLX_ASSERT_OK(stopped);
  EXPECT_EQ(stopped->reason, StopReason::ContextFull);
  EXPECT_EQ(stopped->tokens.size(), 2u);
}

TEST_P(Generate, ThePromptMayFillTheContext) {
  std::vector<int32_t> ids = someIds(model, model.maxContext());
  RLX_ASSERT_OK(session.prefill(ids));
  EXPECT_EQ(session.step().status().code(), ErrorCode::ContextFull);
}
