//===-- SpeculationTest.cpp - generation with drafts -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Drafts change the number of steps and nothing else: tokens, logits, callbacks,
// stops and errors against generation without them.
//===----------------------------------------------------------------------===//
#include "FakeReference.h"

#include <algorithm>

using namespace rlx;
using namespace rlx::test;

static GenerateOptions upTo(uint64_t tokens, Speculation speculation = Speculation::Off) {
  GenerateOptions options;
  options.maxTokens = tokens;
  options.speculation = speculation;
  return options;
}

static SamplingOptions warm(uint64_t seed) {
  SamplingOptions sampling;
  sampling.temperature = 0.7f;
  sampling.topK = 20;
  sampling.topP = 0.9f;
  sampling.repetitionPenalty = 1.2f;
  sampling.repetitionWindow = 12;
  sampling.seed = seed;
  return sampling;
}

/// The fake model, except that it is wrong about two positions out of seven: a
/// draft model whose drafts are often right.
static void sometimesWrong(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  rlx_query(RLX_ABI_VERSION)->variants[4].step(args, thread, threads);
  args->barrier(args->barrier_context);
  for (uint64_t row = 0; thread == 0 && row < args->out_count; ++row)
    if ((args->sequences[0].past + args->out_begin + row) % 7 % 3 == 1)
      std::reverse(args->logits + row * FAKE_VOCAB, args->logits + (row + 1) * FAKE_VOCAB);
}

static Model openSometimesWrong() {
  static rlx_variant_t variant = rlx_query(RLX_ABI_VERSION)->variants[4];
  static rlx_model_t table = *rlx_query(RLX_ABI_VERSION);
  variant.step = sometimesWrong;
  table.variants = &variant;
  table.variant_count = 1;
  return openFake(&table);
}

/// Everything that a caller can see of a generation.
struct Seen {
  std::vector<int32_t> tokens, called;
  std::vector<uint64_t> lengths;
  std::vector<std::vector<float>> rows;
  std::vector<int32_t> sequence;
  std::vector<float> logits, hidden;
  StopReason reason = StopReason::MaxTokens;
  int32_t stopId = -1;
  SpeculationStats stats;
};

static Seen see(Session &session, const GenerateOptions &options, size_t stopAfter = SIZE_MAX) {
  Seen seen;
  GenerateResult result = valueOf(session.generate(options, [&](int32_t token) {
    seen.called.push_back(token);
    seen.lengths.push_back(session.pastLen());
    seen.rows.push_back(logitsOf(session));
    return seen.called.size() < stopAfter;
  }));
  seen.tokens = result.tokens;
  seen.reason = result.reason;
  seen.stopId = result.stopId;
  seen.stats = result.speculation;
  seen.sequence = session.tokens();
  seen.logits = logitsOf(session);
  seen.hidden = valueOf(session.hidden()).vec();
  return seen;
}

static void expectEqual(const Seen &a, const Seen &b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.called, b.called);
  EXPECT_EQ(a.lengths, b.lengths);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(a.logits, b.logits);
  EXPECT_EQ(a.hidden, b.hidden);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.stopId, b.stopId);
}

static SessionOptions oneThread() {
  SessionOptions options;
  options.threads = 1;
  return options;
}

/// A plain session and one that drafts by another model, both behind a prompt.
struct Pair {
  Model model = openFake();
  Session plain, drafting, draft;
  explicit Pair(const Model &draftModel = openFake(), const SessionOptions &options = oneThread(),
                size_t prompt = 10)
      : plain(makeSession(model, options)), drafting(makeSession(model, options)),
        draft(makeSession(draftModel, oneThread())) {
    EXPECT_OK(plain.prefill(fakeIds(prompt)));
    EXPECT_OK(drafting.prefill(fakeIds(prompt)));
  }
  GenerateOptions byModel(GenerateOptions options) {
    options.speculation = Speculation::Draft;
    options.draft = &draft;
    return options;
  }
  Seen compare(const GenerateOptions &options, size_t stopAfter = SIZE_MAX) {
    Seen expected = see(plain, options, stopAfter);
    Seen actual = see(drafting, byModel(options), stopAfter);
    expectEqual(actual, expected);
    return actual;
  }
};

TEST(Speculation, RightDraftsSaveSteps) {
  Pair pair;
  Seen seen = pair.compare(upTo(41));
  // A step yields FAKE_OUT rows: a token and four drafts; one is left over.
  EXPECT_EQ(seen.stats.steps, 9u);
  EXPECT_EQ(seen.stats.drafted, 32u);
  EXPECT_EQ(seen.stats.accepted, 32u);
}

TEST(Speculation, WrongDraftsChangeNothing) {
  for (uint64_t seed : {0, 1, 2, 3})
    for (uint32_t draftMax : {1, 2, 3, 8}) {
      Pair pair(openSometimesWrong());
      EXPECT_OK(pair.plain.setSampling(seed ? warm(seed) : SamplingOptions()));
      EXPECT_OK(pair.drafting.setSampling(seed ? warm(seed) : SamplingOptions()));
      GenerateOptions options = upTo(60);
      options.draftMax = draftMax;
      Seen seen = pair.compare(options);
      EXPECT_GT(seen.stats.accepted, 0u);
      EXPECT_LT(seen.stats.accepted, seen.stats.drafted);
      EXPECT_EQ(seen.stats.steps + seen.stats.accepted, 60u);
      // What follows finds the cache as plain generation leaves it.
      EXPECT_OK(pair.plain.prefill(fakeIds(9, 5)));
      EXPECT_OK(pair.drafting.prefill(fakeIds(9, 5)));
      EXPECT_EQ(logitsOf(pair.drafting), logitsOf(pair.plain));
      pair.compare(upTo(50));
    }
}

TEST(Speculation, SmallRingsKeepWhatIsStillSeen) {
  for (uint64_t chunk : {1, 2, 3, 5, 8}) {
    SessionOptions options = oneThread();
    options.chunk = chunk;
    options.guardPages = true;
    Pair pair(openSometimesWrong(), options);
    Seen seen = pair.compare(upTo(150));
    EXPECT_EQ(seen.stats.drafted == 0, chunk == 1);
    std::vector<int32_t> all = seen.sequence;
    EXPECT_EQ(seen.logits, fakeReference(all).row(all.size() - 1));
    EXPECT_OK(pair.drafting.rewind(100));
    EXPECT_OK(pair.drafting.stepForced(all[100]).status());
    EXPECT_EQ(logitsOf(pair.drafting), fakeReference(all).row(100));
  }
}

TEST(Speculation, ThreadsDoNotMatter) {
  for (uint32_t threads : {1, 2, 4}) {
    SessionOptions options = oneThread();
    options.threads = threads;
    Pair pair(openSometimesWrong(), options);
    EXPECT_OK(pair.plain.setSampling(warm(7)));
    EXPECT_OK(pair.drafting.setSampling(warm(7)));
    pair.compare(upTo(80));
  }
}

TEST(Speculation, StopsAnywhereInARun) {
  Pair whole;
  std::vector<int32_t> expected = see(whole.plain, upTo(30)).tokens;
  for (size_t at = 0; at < expected.size(); ++at) {
    Pair byId, byCallback, byLimit;
    GenerateOptions options = upTo(30);
    options.stopIds = {expected[at]};
    EXPECT_EQ(byId.compare(options).reason, StopReason::StopId);
    EXPECT_EQ(byCallback.compare(upTo(30), at + 1).tokens.size(), at + 1);
    EXPECT_EQ(byLimit.compare(upTo(at)).tokens.size(), at);
    EXPECT_LE(byLimit.drafting.pastLen(), 10 + at);
  }
}

TEST(Speculation, AFullContextFollowsThePolicy) {
  // 32 and 48 fill the cache's blocks: what is drafted behind them would fault.
  for (uint64_t context : {29, 30, 31, 32, 33, 48})
    for (OverflowPolicy policy : {OverflowPolicy::Error, OverflowPolicy::Stop}) {
      SessionOptions options = oneThread();
      options.maxContext = context;
      options.overflow = policy;
      options.guardPages = true;
      Pair pair(openFake(), options);
      if (policy == OverflowPolicy::Stop) {
        EXPECT_EQ(pair.compare(upTo(50)).reason, StopReason::ContextFull);
      } else {
        std::string expected = "context of " + std::to_string(context);
        EXPECT_ERROR(pair.plain.generate(upTo(50)).status(), ContextFull, expected);
        EXPECT_ERROR(pair.drafting.generate(pair.byModel(upTo(50))).status(), ContextFull,
                     expected);
      }
      EXPECT_EQ(pair.drafting.pastLen(), context);
      EXPECT_EQ(pair.drafting.tokens(), pair.plain.tokens());
      EXPECT_EQ(logitsOf(pair.drafting), logitsOf(pair.plain));
    }
}

TEST(Speculation, SamplingChangedByACallbackHoldsFromTheNextToken) {
  Pair pair;
  auto generate = [](Session &session, const GenerateOptions &options) {
    uint64_t count = 0;
    return valueOf(session.generate(options,
                                    [&](int32_t) {
                                      EXPECT_OK(session.setSampling(
                                          ++count % 2 ? warm(count) : SamplingOptions()));
                                      EXPECT_ERROR(session.rewind(1), InvalidState, "callback");
                                      return true;
                                    }))
        .tokens;
  };
  EXPECT_EQ(generate(pair.drafting, pair.byModel(upTo(40))), generate(pair.plain, upTo(40)));
}

TEST(Speculation, ADraftModelWithASmallContextStopsDrafting) {
  Pair pair;
  SessionOptions small = oneThread();
  small.maxContext = 30;
  pair.draft = makeSession(openFake(), small);
  Seen seen = pair.compare(upTo(60));
  EXPECT_GT(seen.stats.accepted, 10u);
  EXPECT_LE(seen.stats.accepted, 20u);
  pair.draft = makeSession(openFake(), small);
  EXPECT_EQ(pair.compare(upTo(10)).stats.drafted, 0u);
}

TEST(Speculation, TheDraftSessionFollowsRewinds) {
  Pair pair;
  for (uint64_t length : {70, 20, 40, 0, 90}) {
    for (Session *session : {&pair.plain, &pair.drafting}) {
      EXPECT_OK(session->rewind(std::min(length, session->pastLen())));
      EXPECT_OK(session->prefill(fakeIds(3, uint32_t(length))));
    }
    Seen seen = pair.compare(upTo(30));
    EXPECT_EQ(seen.stats.accepted, seen.stats.drafted);
  }
}

TEST(Speculation, RepeatedTextIsDraftedFromItself) {
  std::vector<int32_t> passage = fakeIds(15, 3), text;
  for (int i = 0; i < 8; ++i)
    text.insert(text.end(), passage.begin(), passage.end());
  Session plain = makeSession(openFake(), oneThread()),
          drafting = makeSession(openFake(), oneThread());
  EXPECT_OK(plain.prefill({2, 3}));
  EXPECT_OK(drafting.prefill({2, 3}));
  GenerateOptions options = upTo(1000);
  options.replay = text;
  Seen expected = see(plain, options);
  EXPECT_EQ(expected.tokens, text);
  EXPECT_EQ(expected.stats.steps, text.size());
  options.speculation = Speculation::Ngram;
  Seen actual = see(drafting, options);
  expectEqual(actual, expected);
  // Once the passage has been seen, each step makes five tokens.
  EXPECT_LE(actual.stats.steps, 15 + 2 + (text.size() - 17) / 5 + 2);
  EXPECT_EQ(actual.stats.steps + actual.stats.accepted, text.size());
}

TEST(Speculation, ForcedVariantsLimitTheDrafts) {
  for (auto [name, perStep] : {std::pair("decode", 1), {"prefill_4", 4}, {"generic", 5}}) {
    SessionOptions options = oneThread();
    options.variant = name;
    Pair pair(openFake(), options);
    Seen seen = pair.compare(upTo(40));
    EXPECT_EQ(seen.stats.steps, uint64_t(40 / perStep)) << name;
    EXPECT_EQ(pair.drafting.lastVariant(), name);
  }
}

TEST(Speculation, AutoNeverChangesTheText) {
  for (uint64_t seed : {0, 5}) {
    Pair pair(openSometimesWrong());
    for (Session *session : {&pair.plain, &pair.drafting})
      EXPECT_OK(session->setSampling(seed ? warm(seed) : SamplingOptions()));
    Seen expected = see(pair.plain, upTo(90));
    GenerateOptions options = upTo(90, Speculation::Auto);
    options.draft = &pair.draft;
    expectEqual(see(pair.drafting, options), expected);
    Session byNgrams = makeSession(pair.model, oneThread());
    EXPECT_OK(byNgrams.setSampling(pair.plain.sampling()));
    EXPECT_OK(byNgrams.prefill(fakeIds(10)));
    expectEqual(see(byNgrams, upTo(90, Speculation::Auto)), expected);
  }
}

TEST(Speculation, OptionsAreChecked) {
  Pair pair;
  auto check = [&](const GenerateOptions &options, const char *text) {
    EXPECT_ERROR(pair.drafting.generate(options).status(), InvalidArgument, text);
    EXPECT_EQ(pair.drafting.pastLen(), 10u);
  };
  check(upTo(5, Speculation::Draft), "expected a session of a draft model");
  check(upTo(5, static_cast<Speculation>(9)), "unknown source of drafts");
  for (Speculation unused : {Speculation::Off, Speculation::Ngram}) {
    GenerateOptions options = upTo(5, unused);
    options.draft = &pair.draft;
    check(options, "would not be used");
  }
  GenerateOptions options = upTo(5, Speculation::Draft);
  options.draft = &pair.drafting;
  check(options, "expected another session");
  rlx_model_t other = *rlx_query(RLX_ABI_VERSION);
  other.vocab_size = FAKE_VOCAB - 1;
  Session foreign = makeSession(openFake(&other));
  options.draft = &foreign;
  check(options, "a vocabulary of 40 ids but got 39");
  options = upTo(5);
  options.draftMax = 16;
  check(options, "at most 15 drafts");
  options = upTo(5);
  options.replay = {FAKE_VOCAB};
  check(options, "tokens to replay");
}

TEST(Speculation, ErrorsOfTheDraftModelSayWhose) {
  SessionOptions options = oneThread();
  options.variant = "nan";
  Pair pair;
  pair.draft = makeSession(openFake(fake_faulty_table()), options);
  EXPECT_ERROR(pair.drafting.generate(pair.byModel(upTo(5))).status(), BadLogits, "draft model: ");
  EXPECT_OK(pair.drafting.generate(upTo(5)).status());
}
