//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Models with a coarse copy of the head: thousands of tokens equal those of models
// without it, and so do logits that are asked for afterwards.

#include "Support.h"

#include <algorithm>
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

/// A model, and how it is called with a coarse copy of its head.
class Screen : public ::testing::TestWithParam<const char *> {
protected:
  Model plain = openModel(GetParam());
  Model screened = openModel(std::string(GetParam()) + "-screen");
  std::vector<int32_t> prompt = someIds(plain, 12);

  static SamplingOptions sampling(float temperature, uint32_t topK) {
    SamplingOptions options;
    options.temperature = temperature;
    options.topK = topK;
    options.topP = topK ? 0.95f : 1.0f;
    options.seed = 5 + topK;
    return options;
  }

  static GenerateResult reply(Session &session, uint64_t tokens, Screening screening,
                              Speculation speculation = Speculation::Off) {
    GenerateOptions options;
    options.maxTokens = tokens;
    options.ignoreEos = true;
    options.screening = screening;
    options.speculation = speculation;
    auto result = session.generate(options);
    EXPECT_TRUE(result.ok()) << messageOf(result);
    return result.ok() ? *result : GenerateResult();
  }
};
INSTANTIATE_TEST_SUITE_P(Models, Screen,
                         ::testing::Values("gemma1-q8_0", "gemma2-q8_0", "gemma3-q8_0",
                                           "gemma2-q4_k", "gguf-gemma2-Q6_K"),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(Screen, TextAndLogitsStay) {
  for (SamplingOptions options : {sampling(0, 0), sampling(0.8f, 1), sampling(0.8f, 6),
                                  sampling(1.0f, 64), sampling(1.0f, 0)}) {
    SCOPED_TRACE("temperature " + std::to_string(options.temperature) + ", top-k " +
                 std::to_string(options.topK));
    Session expected = newSession(plain);
    RLX_ASSERT_OK(expected.setSampling(options));
    RLX_ASSERT_OK(expected.prefill(prompt));
    GenerateResult text = reply(expected, 450, Screening::Auto);
    EXPECT_EQ(text.screening.steps, 0u);
    for (Screening screening : {Screening::On, Screening::Auto, Screening::Off})
      for (uint32_t threads : {1u, 3u}) {
        SessionOptions how;
        how.threads = threads;
        how.guardPages = true;
        Session session = newSession(screened, how);
        RLX_ASSERT_OK(session.setSampling(options));
        RLX_ASSERT_OK(session.prefill(prompt));
        GenerateResult result =
            reply(session, 450, screening, threads == 1 ? Speculation::Off : Speculation::Auto);
        EXPECT_EQ(result.tokens, text.tokens);
        EXPECT_TRUE(sameBits(lastLogits(session), lastLogits(expected)));
        bool all = options.temperature != 0 && options.topK == 0;
        if (all || screening == Screening::Off)
          EXPECT_EQ(result.screening.steps, 0u);
        else if (screening == Screening::On && threads == 1) // drafts take steps of their own
          EXPECT_EQ(result.screening.steps, 450u);
        else
          EXPECT_GT(result.screening.steps, 0u);
      }
  }
}

// What was left out is computed when the next sampling, or a reader, needs it.
TEST_P(Screen, RowsAreCompletedWhenMoreIsNeeded) {
  Session expected = newSession(plain), session = newSession(screened);
  for (Session *each : {&expected, &session}) {
    RLX_ASSERT_OK(each->prefill(prompt));
    for (uint32_t topK : {0u, 3u, 20u, 1u}) {
      RLX_ASSERT_OK(each->setSampling(sampling(topK ? 0.9f : 0.0f, topK)));
      reply(*each, 5, each == &session ? Screening::On : Screening::Auto);
      RLX_ASSERT_OK(each->setSampling(sampling(1.0f, 0)));
      RLX_ASSERT_OK(each->step());
    }
    RLX_ASSERT_OK(each->setSampling(sampling(0, 0)));
    reply(*each, 3, each == &session ? Screening::On : Screening::Auto);
  }
  EXPECT_EQ(session.tokens(), expected.tokens());
  std::vector<float> all = lastLogits(session);
  EXPECT_TRUE(sameBits(all, lastLogits(expected)));
  EXPECT_EQ(std::count(all.begin(), all.end(), -INFINITY), 0);
}

// A draft model that screens its own head drafts the same tokens.
TEST_P(Screen, DraftsStay) {
  for (SamplingOptions how : {sampling(0, 0), sampling(0.8f, 6)}) {
    std::vector<GenerateResult> results;
    for (const Model *model : {&plain, &screened}) {
      Session session = newSession(plain), draft = newSession(*model);
      RLX_ASSERT_OK(session.setSampling(how));
      RLX_ASSERT_OK(session.prefill(prompt));
      GenerateOptions options;
      options.maxTokens = 200;
      options.ignoreEos = true;
      options.speculation = Speculation::Draft;
      options.draftMax = 5;
      options.draft = &draft;
      auto result = session.generate(options);
      RLX_ASSERT_OK(result);
      results.push_back(*result);
    }
    EXPECT_EQ(results[1].tokens, results[0].tokens);
    EXPECT_EQ(results[1].speculation.drafted, results[0].speculation.drafted);
    EXPECT_EQ(results[1].speculation.accepted, results[0].speculation.accepted);
    EXPECT_GT(results[0].speculation.accepted, 150u); // the same model drafts
  }
}

TEST_P(Screen, SavesMostOfTheHead) {
  Session session = newSession(screened);
  RLX_ASSERT_OK(session.prefill(prompt));
  GenerateResult result = reply(session, 400, Screening::On);
  ASSERT_EQ(result.screening.steps, 400u);
  double part = result.screening.kept / 400;
  std::printf("%s: %.1f %% of the head computed\n", GetParam(), 100 * part);
  EXPECT_LT(part, 0.6);
}

} // namespace

TEST(Screening, NeedsACoarseCopy) {
  Session session = newSession(openModel("gemma3-q8_0"));
  RLX_ASSERT_OK(session.prefill(std::vector<int32_t>{2, 5}));
  GenerateOptions options;
  options.screening = Screening::On;
  auto result = session.generate(options);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(messageOf(result).find("--screen-head"), std::string::npos);
}
