//===-- ScreeningTest.cpp - logits that sampling needs -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The policy on made-up shares, and sessions of a model that computes no more
// logits than it is asked for.
//===----------------------------------------------------------------------===//
#include "FakeReference.h"
#include "screen_policy.h"

#include <algorithm>
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

/// The fake model's stages, with one before the head that screens it.
constexpr uint64_t stageCount = FAKE_STAGES + 1;
const rlx_stage_t *screenedStages() {
  static rlx_stage_t stages[stageCount];
  const rlx_variant_t &decode = rlx_query(RLX_ABI_VERSION)->variants[0];
  std::copy(decode.stages, decode.stages + FAKE_STAGES, stages);
  stages[FAKE_STAGES] = stages[FAKE_STAGES - 1];
  stages[FAKE_STAGES - 1] = {"screen",
                             "screen",
                             RLX_NO_INDEX,
                             RLX_ROWS_TOP,
                             RLX_NO_INDEX,
                             RLX_NO_INDEX,
                             FAKE_WEIGHTS / 2,
                             0,
                             0,
                             0};
  return stages;
}

uint64_t asked; ///< `top` of the latest step

/// Computes exactly the logits that are asked for; the others become -infinity.
void screenedStep(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  rlx_step_args_t plain = *args;
  plain.stage = nullptr;
  rlx_query(RLX_ABI_VERSION)->variants[0].step(&plain, thread, threads);
  args->barrier(args->barrier_context);
  if (thread != 0)
    return;
  asked = args->top;
  if (args->top == 0 || args->top >= FAKE_VOCAB || args->out_count == 0)
    return;
  std::vector<float> sorted(args->logits, args->logits + FAKE_VOCAB);
  std::sort(sorted.rbegin(), sorted.rend());
  for (float *logit = args->logits; logit < args->logits + FAKE_VOCAB; ++logit)
    if (*logit < sorted[args->top - 1])
      *logit = -INFINITY;
}

Model openScreened() {
  static std::vector<rlx_variant_t> variants;
  static rlx_model_t table = *rlx_query(RLX_ABI_VERSION);
  if (variants.empty()) {
    variants.assign(table.variants, table.variants + table.variant_count);
    variants[0].step = screenedStep;
    variants[0].stages = screenedStages();
    variants[0].stage_count = stageCount;
    table.variants = variants.data();
  }
  return openFake(&table);
}

SamplingOptions sampling(float temperature, uint32_t topK, float penalty = 1) {
  SamplingOptions options;
  options.temperature = temperature;
  options.topK = topK;
  options.repetitionPenalty = penalty;
  options.seed = 3;
  return options;
}

GenerateOptions upTo(uint64_t tokens, Screening screening) {
  GenerateOptions options;
  options.maxTokens = tokens;
  options.speculation = Speculation::Off;
  options.screening = screening;
  return options;
}

} // namespace

TEST(ScreenPolicy, OnlyWithACoarseCopy) {
  EXPECT_FALSE(ScreenPolicy().possible());
  ScreenPolicy plain(rlx_query(RLX_ABI_VERSION)->variants[0]);
  EXPECT_FALSE(plain.possible());
  EXPECT_FALSE(plain.choose());
  rlx_variant_t variant = rlx_query(RLX_ABI_VERSION)->variants[0];
  variant.stages = screenedStages();
  variant.stage_count = stageCount;
  EXPECT_TRUE(ScreenPolicy(variant).possible());
}

// The copy is half of the head here.
TEST(ScreenPolicy, StaysWhileItSavesAndIsTriedAgain) {
  rlx_variant_t variant = rlx_query(RLX_ABI_VERSION)->variants[0];
  variant.stages = screenedStages();
  variant.stage_count = stageCount;
  ScreenPolicy policy(variant);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(policy.choose());
    policy.observe(0.3);
  }
  int tried = 0;
  for (int i = 0; i < 1000; ++i)
    if (policy.choose()) {
      ++tried;
      policy.observe(0.9);
    }
  EXPECT_LE(tried, 20);
  EXPECT_GE(tried, 15);
  for (int i = 0; i < 400; ++i)
    if (policy.choose())
      policy.observe(0.0);
  EXPECT_TRUE(policy.choose());
}

TEST(ScreenPolicy, KeptPart) {
  std::vector<float> logits(40, -INFINITY);
  EXPECT_EQ(keptPart(logits), 0.0);
  logits[32] = 0; // the last group has 8
  EXPECT_DOUBLE_EQ(keptPart(logits), 1 / 3.0);
  EXPECT_EQ(keptPart(std::vector<float>(40, 1.0f)), 1.0);
}

TEST(Screening, AsksForWhatSamplingLooksAt) {
  Model model = openScreened();
  for (auto [options, top] : {std::pair(sampling(0, 0), 1u),
                              {sampling(0, 9), 1u},
                              {sampling(0.7f, 5), 5u},
                              {sampling(0.7f, 0), 0u},
                              {sampling(0, 0, 1.2f), 0u},
                              {sampling(0.7f, 5, 1.2f), 0u}}) {
    Session session = makeSession(model);
    EXPECT_OK(session.setSampling(options));
    EXPECT_OK(session.prefill(fakeIds(5)));
    GenerateResult result = valueOf(session.generate(upTo(3, Screening::On)));
    EXPECT_EQ(asked, top);
    EXPECT_EQ(result.screening.steps, top ? 3u : 0u);
    result = valueOf(session.generate(upTo(3, Screening::Off)));
    EXPECT_EQ(asked, 0u);
    EXPECT_EQ(result.screening.steps, 0u);
  }
}

TEST(Screening, TokensAndLogitsStay) {
  Model model = openScreened(), plain = openFake();
  for (const SamplingOptions &options : {sampling(0, 0), sampling(0.7f, 3), sampling(0.7f, 0)}) {
    Session session = makeSession(model), expected = makeSession(plain);
    for (Session *each : {&session, &expected}) {
      EXPECT_OK(each->setSampling(options));
      EXPECT_OK(each->prefill(fakeIds(5)));
    }
    std::vector<std::vector<float>> rows[2];
    for (int i = 0; i < 2; ++i)
      valueOf((i ? expected : session).generate(upTo(20, Screening::Auto), [&](int32_t) {
        rows[i].push_back(logitsOf(i ? expected : session)); // complete even here
        return true;
      }));
    EXPECT_EQ(rows[0], rows[1]);
    EXPECT_EQ(session.tokens(), expected.tokens());
    EXPECT_EQ(logitsOf(session), logitsOf(expected));
    EXPECT_EQ(valueOf(session.hidden()).vec(), valueOf(expected.hidden()).vec());
  }
}

// A row of one logit does not do for sampling among three, nor for a step.
TEST(Screening, RowsAreCompletedWhenMoreIsNeeded) {
  Session session = makeSession(openScreened()), expected = makeSession(openFake());
  for (Session *each : {&session, &expected}) {
    EXPECT_OK(each->prefill(fakeIds(5)));
    for (const SamplingOptions &options :
         {sampling(0, 0), sampling(1, 3), sampling(0, 0), sampling(1, 0), sampling(0, 0)}) {
      EXPECT_OK(each->setSampling(options));
      valueOf(each->sample());
      valueOf(each->generate(upTo(4, each == &session ? Screening::On : Screening::Off)));
    }
    EXPECT_OK(each->setSampling(sampling(1, 0)));
    valueOf(each->step());
  }
  EXPECT_EQ(session.tokens(), expected.tokens());
  EXPECT_EQ(logitsOf(session), logitsOf(expected));
}

TEST(Screening, Errors) {
  Session session = makeSession(openFake());
  EXPECT_OK(session.prefill(fakeIds(5)));
  EXPECT_ERROR(session.generate(upTo(2, Screening::On)).status(), InvalidArgument,
               "the model has no coarse copy of its head; compile it with --screen-head");
  EXPECT_ERROR(session.generate(upTo(2, static_cast<Screening>(7))).status(), InvalidArgument,
               "screening: unknown mode");
  EXPECT_EQ(session.pastLen(), 5u);
}
