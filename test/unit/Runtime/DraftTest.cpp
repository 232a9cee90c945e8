//===-- DraftTest.cpp - n-grams and how much to draft -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The index of n-grams against a search through the text, and the choice of the
// number of drafts on made-up costs.
//===----------------------------------------------------------------------===//
#include "draft_policy.h"
#include "ngram_index.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <random>
#include <string>

using namespace rlx;

using Ids = std::vector<int32_t>;

static NgramIndex indexOf(const std::string &text) {
  NgramIndex index;
  index.sync(Ids(text.begin(), text.end()));
  return index;
}

static std::string predictedText(const NgramIndex &index, uint64_t count) {
  Ids ids = index.predict(count);
  return {ids.begin(), ids.end()};
}

TEST(NgramIndex, PredictsWhatFollowedBefore) {
  EXPECT_EQ(indexOf("").matchLength(), 0u);
  EXPECT_EQ(indexOf("abcdef").predict(3), Ids());
  EXPECT_EQ(indexOf("abca").matchLength(), 0u); // one token is no match
  NgramIndex index = indexOf("the cat sat. the c");
  EXPECT_EQ(index.matchLength(), 5u);
  EXPECT_EQ(index.predicted(), 'a');
  EXPECT_EQ(predictedText(index, 6), "at sat");
}

TEST(NgramIndex, PrefersLongThenLateMatches) {
  EXPECT_EQ(predictedText(indexOf("abcd1 bcd2 abcd"), 1), "1");
  EXPECT_EQ(predictedText(indexOf("xbcd1 xbcd2 xbcd"), 1), "2");
}

TEST(NgramIndex, FollowsThePassageThatWasRight) {
  // Behind "ab" the latest passage goes on with "2", but the one followed was right so far.
  NgramIndex index = indexOf("lmab1 ab2 lm");
  for (char c : std::string("ab"))
    index.push(c);
  EXPECT_EQ(predictedText(index, 1), "1");
  EXPECT_EQ(index.matchLength(), 4u);
}

TEST(NgramIndex, RepetitionsGoOnWithThemselves) {
  EXPECT_EQ(predictedText(indexOf("xabcabc"), 8), "abcabcab");
  EXPECT_EQ(predictedText(indexOf("zzz"), 4), "zzzz");
}

TEST(NgramIndex, SyncKeepsWhatIsCommon) {
  NgramIndex index = indexOf("abcdefgh abcd");
  std::string other = "abcdxyz abcd";
  index.sync(Ids(other.begin(), other.end()));
  EXPECT_EQ(index.size(), other.size());
  EXPECT_EQ(predictedText(index, 3), "xyz");
  index.sync(Ids());
  EXPECT_EQ(index.matchLength(), 0u);
}

TEST(NgramIndex, MatchesAreReal) {
  std::mt19937 random(1);
  NgramIndex index;
  Ids text;
  uint64_t found = 0, expected = 0;
  for (int i = 0; i < 6000; ++i) {
    text.push_back(static_cast<int32_t>(random() % 30));
    index.push(text.back());
    Ids tail(text.end() - std::min<size_t>(2, text.size()), text.end());
    expected +=
        std::search(text.begin(), text.end() - 1, tail.begin(), tail.end()) != text.end() - 1;
    uint64_t length = index.matchLength();
    if (length == 0)
      continue;
    ++found;
    Ids passage(text.end() - length, text.end());
    passage.push_back(index.predicted());
    EXPECT_NE(std::search(text.begin(), text.end(), passage.begin(), passage.end()), text.end());
  }
  // Collisions in the tables may hide a few.
  EXPECT_GT(found, expected * 9 / 10);
}

/// Feeds `steps` steps of text of which each draft is right with `rate`, where
/// a step of n tokens takes cost(n); returns the time per token, in plain steps.
template <typename Cost>
static double simulate(DraftPolicy &policy, bool isModel, double rate, int steps, Cost cost) {
  std::mt19937 random(3);
  std::bernoulli_distribution right(rate);
  double time = 0, tokens = 0;
  for (int i = 0; i < steps; ++i) {
    uint64_t drafts = policy.choose(isModel ? 0 : 3, 8), kept = 1;
    bool goesOn = true;
    if (!isModel && drafts == 0)
      policy.observe(3, right(random)); // seen although nothing was drafted
    for (uint64_t d = 0; d < drafts && goesOn; ++d) {
      goesOn = right(random);
      policy.observe(isModel ? 0 : 3 + d, goesOn);
      kept += goesOn;
    }
    policy.recordStep(drafts + 1, kept, cost(drafts + 1));
    time += cost(drafts + 1);
    tokens += static_cast<double>(kept);
  }
  return time / tokens / cost(1);
}

TEST(DraftPolicy, DraftsWhereItPays) {
  for (bool isModel : {false, true}) {
    DraftPolicy policy(isModel);
    EXPECT_EQ(policy.choose(5, 8), 0u); // a plain step is measured first
    double perToken =
        simulate(policy, isModel, 0.9, 300, [](uint64_t n) { return 1 + 0.05 * double(n - 1); });
    EXPECT_LT(perToken, 0.35) << isModel;
  }
}

TEST(DraftPolicy, CostsLittleWhereItDoesNot) {
  for (bool isModel : {false, true})
    for (double rate : {0.0, 0.1, 0.3})
      for (double slope : {0.3, 0.8, 2.0}) {
        DraftPolicy policy(isModel);
        auto cost = [&](uint64_t n) { return 0.02 * (1 + slope * double(n - 1)); };
        // The allowance and what the account holds at the start.
        EXPECT_LE(simulate(policy, isModel, rate, 1000, cost), 1.012)
            << isModel << " " << rate << " " << slope;
      }
}

TEST(DraftPolicy, TriesAgainWhenTextsChange) {
  DraftPolicy policy(/*isModel=*/true);
  auto cost = [](uint64_t n) { return 1 + 0.2 * double(n - 1); };
  simulate(policy, true, 0.0, 500, cost);
  EXPECT_EQ(policy.choose(0, 8) == 0, policy.balance() < DraftPolicy::maxBalance);
  simulate(policy, true, 0.95, 2000, cost);
  EXPECT_GE(policy.choose(0, 8), 4u);
}
