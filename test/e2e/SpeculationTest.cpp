//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Speculation on the trained checkpoints: thousands of tokens, sampled and
// greedy, equal those of plain generation, and so does what follows them.

#include "Support.h"

using namespace rlx;
using namespace rlx::test;

namespace {

constexpr uint64_t replyTokens = 400;

/// Greedy, sampled, and sampled with everything that a sampler can do.
std::vector<SamplingOptions> samplings() {
  SamplingOptions greedy, penalised, warm, full;
  penalised.repetitionPenalty = 1.15f;
  penalised.repetitionWindow = 40;
  warm.temperature = 0.8f;
  warm.seed = 11;
  full.temperature = 1.1f;
  full.topK = 60;
  full.topP = 0.92f;
  full.minP = 0.02f;
  full.repetitionPenalty = 1.1f;
  full.seed = 12;
  return {greedy, penalised, warm, full};
}

struct Reply {
  std::vector<int32_t> tokens;
  std::vector<float> logits;
  SpeculationStats stats;
};

/// A reply and, as in a chat, another one behind a second prompt.
Reply generate(Session &session, const SamplingOptions &sampling, GenerateOptions options,
               const std::vector<int32_t> &prompt) {
  Reply reply;
  auto require = [](const Status &status) {
    if (!status.ok())
      throw std::runtime_error(status.message());
  };
  options.ignoreEos = true;
  require(session.clear());
  require(session.setSampling(sampling));
  for (uint64_t count : {replyTokens, uint64_t(30)}) {
    options.maxTokens = count;
    require(session.prefill(prompt));
    auto result = session.generate(options);
    require(result.status());
    reply.stats.steps += result->speculation.steps;
    reply.stats.drafted += result->speculation.drafted;
    reply.stats.accepted += result->speculation.accepted;
  }
  reply.tokens = session.tokens();
  reply.logits = lastLogits(session);
  return reply;
}

GenerateOptions by(Speculation speculation, Session *draft = nullptr) {
  GenerateOptions options;
  options.speculation = speculation;
  options.draft = draft;
  return options;
}

class Speculate : public ::testing::TestWithParam<std::pair<const char *, const char *>> {
protected:
  Model model = openModel(GetParam().first);
  Session plain = newSession(model);
  std::vector<int32_t> prompt = someIds(model, 12);
};
// The models, and what drafts for them. All but the Gemma 1 have windows of 64.
INSTANTIATE_TEST_SUITE_P(Models, Speculate,
                         ::testing::Values(std::pair("gemma1-bf16", "gemma1-q8_0"),
                                           std::pair("gemma2-f32", "gemma2-q8_0"),
                                           std::pair("gemma3-q4_0-native", "gemma3-q8_0"),
                                           std::pair("gemma2-q4_0", "gemma2-q4_0"),
                                           std::pair("gemma3-f32", "gemma3-q4_0"),
                                           std::pair("gemma3-q8_0", "gemma3-f16"),
                                           std::pair("gguf-gemma3-Q4_K_M", "gguf-gemma3-Q8_0"),
                                           std::pair("gguf-gemma2-Q2_K", "gguf-gemma2-Q2_K")),
                         [](const auto &info) {
                           std::string name = info.param.first;
                           for (char &c : name)
                             if (c == '-')
                               c = '_';
                           return name;
                         });

TEST_P(Speculate, TextAndLogitsStay) {
  Session draft = newSession(openModel(GetParam().second));
  SpeculationStats ngrams, drafts;
  for (const SamplingOptions &sampling : samplings()) {
    Reply expected = generate(plain, sampling, by(Speculation::Off), prompt);
    ASSERT_EQ(expected.tokens.size(), 2 * prompt.size() + replyTokens + 30);
    EXPECT_EQ(expected.stats.drafted, 0u);
    for (GenerateOptions options : {by(Speculation::Ngram), by(Speculation::Draft, &draft),
                                    by(Speculation::Auto), by(Speculation::Auto, &draft)}) {
      Session session = newSession(model);
      Reply actual = generate(session, sampling, options, prompt);
      EXPECT_EQ(actual.tokens, expected.tokens);
      EXPECT_TRUE(sameBits(actual.logits, expected.logits));
      EXPECT_EQ(actual.stats.steps + actual.stats.accepted, replyTokens + 30);
      SpeculationStats &sum = options.draft ? drafts : ngrams;
      if (options.speculation != Speculation::Auto)
        sum.drafted += actual.stats.drafted, sum.accepted += actual.stats.accepted;
    }
  }
  EXPECT_GT(ngrams.drafted, 0u);
  EXPECT_GT(drafts.accepted, 0u);
  // For the record: which part of the drafts was right.
  RecordProperty("ngrams", std::to_string(double(ngrams.accepted) / double(ngrams.drafted)));
  RecordProperty("draft_model", std::to_string(double(drafts.accepted) / double(drafts.drafted)));
  std::printf("%s: n-grams %.0f %% of %llu drafts, draft model %s %.0f %% of %llu\n",
              GetParam().first, 100.0 * double(ngrams.accepted) / double(ngrams.drafted),
              static_cast<unsigned long long>(ngrams.drafted), GetParam().second,
              100.0 * double(drafts.accepted) / double(drafts.drafted),
              static_cast<unsigned long long>(drafts.drafted));
}

TEST_P(Speculate, ThreadsChunksAndDraftCountsDoNotMatter) {
  SamplingOptions sampling = samplings()[2];
  Reply expected = generate(plain, sampling, by(Speculation::Off), prompt);
  for (auto [threads, chunk, draftMax] :
       {std::tuple(1u, 512, 1), {2u, 512, 15}, {3u, 4, 8}, {2u, 2, 8}}) {
    SessionOptions sessionOptions;
    sessionOptions.threads = threads;
    sessionOptions.chunk = uint64_t(chunk);
    sessionOptions.guardPages = true;
    Session session = newSession(model, sessionOptions);
    GenerateOptions options = by(Speculation::Ngram);
    options.draftMax = uint32_t(draftMax);
    Reply actual = generate(session, sampling, options, prompt);
    EXPECT_EQ(actual.tokens, expected.tokens) << threads << " " << chunk << " " << draftMax;
    EXPECT_TRUE(sameBits(actual.logits, expected.logits));
  }
}

TEST_P(Speculate, ADraftOfItselfIsAlwaysRight) {
  Session draft = newSession(model), session = newSession(model);
  for (const SamplingOptions &sampling : samplings()) {
    Reply reply = generate(session, sampling, by(Speculation::Draft, &draft), prompt);
    EXPECT_EQ(reply.stats.accepted, reply.stats.drafted);
    EXPECT_GE(reply.stats.drafted, (replyTokens + 30) * 8 / 9 - 9);
  }
}

TEST_P(Speculate, StopsWherePlainGenerationStops) {
  std::vector<SamplingOptions> all = samplings();
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SamplingOptions sampling = all[3];
    sampling.seed = seed;
    GenerateOptions off = by(Speculation::Off), ngram = by(Speculation::Ngram);
    // Frequent enough to end most replies early, inside of a run now and then.
    off.maxTokens = ngram.maxTokens = 60;
    off.stopIds = ngram.stopIds = {plain.model().eosIds()[0], 300, 301, 302, 303, 304};
    Session session = newSession(model);
    std::vector<GenerateResult> results;
    for (Session *each : {&plain, &session}) {
      RLX_ASSERT_OK(each->clear());
      RLX_ASSERT_OK(each->setSampling(sampling));
      RLX_ASSERT_OK(each->prefill(prompt));
      auto result = each->generate(each == &plain ? off : ngram);
      RLX_ASSERT_OK(result);
      results.push_back(*result);
    }
    EXPECT_EQ(results[1].tokens, results[0].tokens);
    EXPECT_EQ(results[1].reason, results[0].reason);
    EXPECT_EQ(results[1].stopId, results[0].stopId);
    EXPECT_TRUE(sameBits(lastLogits(session), lastLogits(plain)));
  }
}

} // namespace
