//===-- SamplerTest.cpp - choosing tokens -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The sampler: ties, filters, statistics, reproducibility and errors.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/sampler.h"

#include "FakeReference.h"
#include "random.h"

#include <algorithm>
#include <cmath>
#include <map>

using namespace rlx;
using namespace rlx::test;

static SamplingOptions warm(float temperature = 1) {
  SamplingOptions options;
  options.temperature = temperature;
  return options;
}

static int32_t sampleAt(const std::vector<float> &logits, const SamplingOptions &options,
                        uint64_t position = 0, const std::vector<int32_t> &history = {}) {
  Sampler sampler;
  return valueOf(sampler.sample(logits, history, position, options));
}

/// How often each token is drawn at positions 0 … draws - 1.
static std::map<int32_t, int> drawMany(const std::vector<float> &logits,
                                       const SamplingOptions &options, int draws) {
  Sampler sampler;
  std::map<int32_t, int> counts;
  for (int position = 0; position < draws; ++position)
    ++counts[valueOf(sampler.sample(logits, {}, position, options))];
  return counts;
}

static std::vector<int32_t> drawn(const std::map<int32_t, int> &counts) {
  std::vector<int32_t> ids;
  for (auto [id, count] : counts)
    ids.push_back(id);
  return ids;
}

TEST(Philox, KnownAnswers) {
  // From the test vectors that its authors publish with Random123.
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PortableExp, AgreesWithTheLibrary) {
  for (double x = 0; x > -740; x -= 0.137) {
    double expected = std::exp(x);
    EXPECT_NEAR(portableExp(x), expected, 4e-16 * expected + 5e-324) << x;
  }
  EXPECT_EQ(portableExp(0), 1.0);
  EXPECT_EQ(portableExp(-800), 0.0);
}

TEST(Sampler, GreedyTakesTheLowestIdOfTheHighest) {
  EXPECT_EQ(sampleAt({1, 5, 2, 5, 5}, SamplingOptions()), 1);
  EXPECT_EQ(sampleAt({-INFINITY, -3}, SamplingOptions()), 1);
}

TEST(Sampler, TiesGoToTheLowestId) {
  std::vector<float> equal(50, 1.0f);
  SamplingOptions options = warm();
  options.topK = 1;
  EXPECT_EQ(drawn(drawMany(equal, options, 50)), std::vector<int32_t>{0});
  options.topK = 3;
  EXPECT_EQ(drawn(drawMany(equal, options, 200)), (std::vector<int32_t>{0, 1, 2}));
  options = warm();
  options.topP = 0.09f;
  EXPECT_EQ(drawn(drawMany(equal, options, 400)), (std::vector<int32_t>{0, 1, 2, 3, 4}));
}

TEST(Sampler, FrequenciesAreThoseOfSoftmax) {
  std::vector<float> logits = {0, 1, 2, -1, 3, -INFINITY, 0.5f};
  for (float temperature : {0.5f, 1.0f, 2.0f}) {
    const int draws = 40000;
    std::map<int32_t, int> counts = drawMany(logits, warm(temperature), draws);
    double total = 0;
    for (float logit : logits)
      total += std::exp(logit / temperature);
    for (size_t id = 0; id < logits.size(); ++id) {
      double p = std::exp(logits[id] / temperature) / total;
      // Five standard deviations of the binomial distribution.
      EXPECT_NEAR(counts[int32_t(id)], draws * p, 5 * std::sqrt(draws * p * (1 - p)))
          << "token " << id << " temperature " << temperature;
    }
    EXPECT_EQ(counts[5], 0);
  }
}

TEST(Sampler, TopKKeepsTheMostProbable) {
  SamplingOptions options = warm(100);
  options.topK = 3;
  EXPECT_EQ(drawn(drawMany({1, 9, 2, 8, 3, 7}, options, 300)), (std::vector<int32_t>{1, 3, 5}));
  options.topK = 60;
  EXPECT_EQ(drawMany({1, 2}, options, 300).size(), 2u);
}

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesP) {
  // Probabilities 0.5, 0.3, 0.15, 0.05.
  std::vector<float> logits = {std::log(0.15f), std::log(0.5f), std::log(0.05f), std::log(0.3f)};
  struct {
    float p;
    std::vector<int32_t> kept;
  } rows[] = {{0.01f, {1}},       {0.49f, {1}},          {0.51f, {1, 3}},     {0.79f, {1, 3}},
              {0.81f, {0, 1, 3}}, {0.96f, {0, 1, 2, 3}}, {1.0f, {0, 1, 2, 3}}};
  for (auto &row : rows) {
    SamplingOptions options = warm();
    options.topP = row.p;
    EXPECT_EQ(drawn(drawMany(logits, options, 1000)), row.kept) << row.p;
  }
}

TEST(Sampler, TopPOverALargeFlatVocabulary) {
  // More candidates than the first sorted batch: 1000 equal ones.
  std::vector<float> logits(1000, 0.0f);
  SamplingOptions options = warm();
  options.topP = 0.5f;
  std::map<int32_t, int> counts = drawMany(logits, options, 20000);
  EXPECT_EQ(counts.size(), 500u);
  EXPECT_LT(counts.rbegin()->first, 500);
}

TEST(Sampler, MinPIsRelativeToTheMostProbable) {
  std::vector<float> logits = {std::log(0.05f), std::log(0.5f), std::log(0.25f), std::log(0.2f)};
  struct {
    float p;
    std::vector<int32_t> kept;
  } rows[] = {{0.0f, {0, 1, 2, 3}},
              {0.09f, {0, 1, 2, 3}},
              {0.11f, {1, 2, 3}},
              {0.45f, {1, 2}},
              {1.0f, {1}}};
  for (auto &row : rows) {
    SamplingOptions options = warm();
    options.minP = row.p;
    EXPECT_EQ(drawn(drawMany(logits, options, 1000)), row.kept) << row.p;
  }
}

TEST(Sampler, RepetitionPenalty) {
  SamplingOptions options;
  options.repetitionPenalty = 2;
  // 4 / 2 < 3; -1 * 2 < -1.5.
  EXPECT_EQ(sampleAt({4, 3}, options, 0, {0}), 1);
  EXPECT_EQ(sampleAt({-1, -1.5f}, options, 0, {0}), 1);
  EXPECT_EQ(sampleAt({4, 3}, options, 0, {0, 1}), 0);
  // Seen often counts once, and only within the window.
  EXPECT_EQ(sampleAt({4, 1.5f}, options, 0, {0, 0, 0}), 0);
  options.repetitionWindow = 2;
  EXPECT_EQ(sampleAt({4, 3, 0}, options, 0, {0, 2, 2}), 0);
  EXPECT_EQ(sampleAt({4, 3, 0}, options, 0, {2, 0, 2}), 1);
}

TEST(Sampler, DrawsDependOnSeedAndPositionOnly) {
  std::vector<float> logits(100, 0.0f);
  std::vector<int32_t> first, other;
  Sampler used;
  for (uint64_t position = 0; position < 20; ++position) {
    first.push_back(sampleAt(logits, warm(), position));
    EXPECT_EQ(valueOf(used.sample(logits, {}, position, warm())), first.back());
    SamplingOptions options = warm();
    options.seed = 1;
    other.push_back(sampleAt(logits, options, position));
  }
  EXPECT_NE(first, other);
  // Pinned: equal seeds must give equal text in every release and on every CPU.
  EXPECT_EQ(std::vector<int32_t>(first.begin(), first.begin() + 4),
            (std::vector<int32_t>{39, 97, 1, 78}));
}

TEST(Sampler, BadLogitsAreErrors) {
  Sampler sampler;
  for (const SamplingOptions &options : {SamplingOptions(), warm()}) {
    std::vector<float> nan = {1, NAN}, infinite = {INFINITY, 1}, none = {-INFINITY, -INFINITY};
    EXPECT_ERROR(sampler.sample(nan, {}, 0, options).status(), BadLogits, "token 1 has NaN");
    EXPECT_ERROR(sampler.sample(infinite, {}, 0, options).status(), BadLogits, "+inf");
    EXPECT_ERROR(sampler.sample(none, {}, 0, options).status(), BadLogits, "all logits");
    EXPECT_ERROR(sampler.sample({}, {}, 0, options).status(), InvalidArgument, "at least one");
  }
}

TEST(Sampler, OptionsOutOfRangeAreNamed) {
  struct {
    const char *name;
    void (*spoil)(SamplingOptions &);
  } rows[] = {
      {"temperature", [](SamplingOptions &o) { o.temperature = -1; }},
      {"temperature", [](SamplingOptions &o) { o.temperature = NAN; }},
      {"top-p", [](SamplingOptions &o) { o.topP = 0; }},
      {"top-p", [](SamplingOptions &o) { o.topP = 1.1f; }},
      {"min-p", [](SamplingOptions &o) { o.minP = -0.1f; }},
      {"min-p", [](SamplingOptions &o) { o.minP = NAN; }},
      {"repetition penalty", [](SamplingOptions &o) { o.repetitionPenalty = 0; }},
      {"repetition penalty", [](SamplingOptions &o) { o.repetitionPenalty = INFINITY; }},
  };
  for (auto &row : rows) {
    SamplingOptions options;
    row.spoil(options);
    EXPECT_ERROR(options.validate(), InvalidArgument, row.name);
    Sampler sampler;
    EXPECT_ERROR(sampler.sample({1.0f}, {}, 0, options).status(), InvalidArgument, row.name);
  }
}

TEST(Sampler, TinyTemperatureIsGreedy) {
  EXPECT_EQ(drawn(drawMany({1, 1.5f, 1.4f}, warm(1e-6f), 100)), std::vector<int32_t>{1});
}
