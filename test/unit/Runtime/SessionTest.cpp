//===-- SessionTest.cpp - what each call does to a session -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Each call's effect on tokens, past length and logits, and its errors.
//===----------------------------------------------------------------------===//
#include "FakeReference.h"

#include <algorithm>
#include <thread>

using namespace rlx;
using namespace rlx::test;

/// tokens, past length and logits are those of a sequence that ends now.
static void expectState(const Session &session, const std::vector<int32_t> &ids) {
  EXPECT_EQ(session.pastLen(), ids.size());
  EXPECT_EQ(session.tokens(), ids);
  FakeRows rows = fakeReference(ids);
  EXPECT_EQ(logitsOf(session), rows.row(ids.size() - 1));
  EXPECT_EQ(valueOf(session.hidden()).vec(),
            std::vector<float>(rows.hidden.end() - FAKE_HIDDEN, rows.hidden.end()));
}

TEST(Session, PrefillAppends) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(70);
  EXPECT_OK(session.prefill({ids.data(), 30}));
  expectState(session, {ids.begin(), ids.begin() + 30});
  EXPECT_OK(session.prefill({ids.data() + 30, 40}));
  expectState(session, ids);
}

TEST(Session, EverySplitOfAPrefillIsTheSame) {
  Model model = openFake();
  std::vector<int32_t> ids = fakeIds(40);
  std::vector<float> expected = fakeReference(ids).row(ids.size() - 1);
  for (size_t split = 1; split < ids.size(); ++split) {
    Session session = makeSession(model);
    EXPECT_OK(session.prefill({ids.data(), split}));
    EXPECT_OK(session.prefill({ids.data() + split, ids.size() - split}));
    EXPECT_EQ(logitsOf(session), expected) << "split at " << split;
  }
}

TEST(Session, EveryChunkSizeIsTheSame) {
  Model model = openFake();
  std::vector<int32_t> ids = fakeIds(90);
  std::vector<float> expected = fakeReference(ids).row(ids.size() - 1);
  for (uint64_t chunk = 1; chunk <= FAKE_CHUNK + 1; ++chunk) {
    SessionOptions options;
    options.chunk = chunk;
    Session session = makeSession(model, options);
    EXPECT_OK(session.prefill(ids));
    EXPECT_EQ(logitsOf(session), expected) << "chunk " << chunk;
  }
}

TEST(Session, StepForcedAtEveryPastLength) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(FAKE_CONTEXT);
  FakeRows rows = fakeReference(ids);
  EXPECT_OK(session.prefill({ids.data(), 1}));
  for (size_t p = 1; p < ids.size(); ++p) {
    EXPECT_EQ(valueOf(session.stepForced(ids[p])).vec(), rows.row(p)) << "position " << p;
    ASSERT_EQ(session.lastVariant(), "decode");
  }
  expectState(session, ids);
}

TEST(Session, ThreadCountChangesNothing) {
  Model model = openFake();
  std::vector<int32_t> ids = fakeIds(60);
  for (uint32_t threads : {1, 2, 3, 4, 7}) {
    SessionOptions options;
    options.threads = threads;
    Session session = makeSession(model, options);
    EXPECT_EQ(session.threads(), threads);
    EXPECT_OK(session.prefill({ids.data(), 59}));
    EXPECT_OK(session.stepForced(ids[59]).status());
    expectState(session, ids);
  }
}

TEST(Session, PrefillAllDeliversEveryRow) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(50);
  FakeRows rows = fakeReference(ids);
  EXPECT_OK(session.prefill({ids.data(), 11}));
  std::vector<float> delivered;
  uint64_t next = 0;
  EXPECT_OK(session.prefillAll({ids.data() + 11, 39}, [&](uint64_t i, Span<const float> row) {
    EXPECT_EQ(i, next++);
    delivered.insert(delivered.end(), row.begin(), row.end());
    return true;
  }));
  EXPECT_EQ(delivered,
            std::vector<float>(rows.logits.begin() + 11 * FAKE_VOCAB, rows.logits.end()));
  expectState(session, ids);
}

TEST(Session, PrefillAllAppendsAllWhenDeliveryEnds) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(50);
  int rows = 0;
  EXPECT_OK(session.prefillAll(ids, [&](uint64_t, Span<const float>) { return ++rows < 3; }));
  EXPECT_EQ(rows, 3);
  expectState(session, ids);
}

TEST(Session, ForwardTouchesNothing) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(33), other = fakeIds(70, 9);
  EXPECT_OK(session.prefill(ids));
  EXPECT_EQ(valueOf(session.forward(other)), fakeReference(other).logits);
  expectState(session, ids);
  EXPECT_OK(session.stepForced(5).status());
  ids.push_back(5);
  expectState(session, ids);
}

TEST(Session, StepSamplesWhatSampleSays) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(12);
  EXPECT_OK(session.prefill(ids));
  int32_t announced = valueOf(session.sample());
  EXPECT_EQ(session.pastLen(), 12u);
  EXPECT_EQ(valueOf(session.step()), announced);
  std::vector<float> row = fakeReference(ids).row(11);
  EXPECT_EQ(announced, std::max_element(row.begin(), row.end()) - row.begin());
  ids.push_back(announced);
  expectState(session, ids);
}

TEST(Session, NothingToSampleFromIsAnError) {
  Session session = makeSession(openFake());
  EXPECT_ERROR(session.step().status(), InvalidState, "prefill");
  EXPECT_ERROR(session.sample().status(), InvalidState, "prefill");
  EXPECT_ERROR(session.stepForced(1).status(), InvalidState, "prefill");
  EXPECT_ERROR(session.logits().status(), InvalidState, "prefill");
  EXPECT_ERROR(session.hidden().status(), InvalidState, "prefill");
  EXPECT_ERROR(session.generate({}).status(), InvalidState, "prefill");
  EXPECT_ERROR(session.prefill({}), InvalidArgument, "at least one");
  EXPECT_ERROR(session.prefillAll({}, nullptr), InvalidArgument, "at least one");
  EXPECT_ERROR(session.forward({}).status(), InvalidArgument, "at least one");
  EXPECT_ERROR(session.generateNaive({}, {}).status(), InvalidArgument, "at least one");
  std::vector<int32_t> ids = fakeIds(4);
  EXPECT_OK(session.prefill(ids));
  expectState(session, ids);
}

TEST(Session, IdsOutsideTheVocabularyNeverReachCode) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(4);
  EXPECT_OK(session.prefill(ids));
  uint64_t before = fake_step_count();
  for (int32_t bad : {-1, int32_t(FAKE_VOCAB), INT32_MAX, INT32_MIN}) {
    EXPECT_ERROR(session.prefill({1, bad}), InvalidArgument, "at index 1");
    EXPECT_ERROR(session.stepForced(bad).status(), InvalidArgument, "but got");
    EXPECT_ERROR(session.forward({bad}).status(), InvalidArgument, "from 0 to 39");
    EXPECT_ERROR(session.generateNaive({bad}, {}).status(), InvalidArgument, "prompt");
    GenerateOptions options;
    options.stopIds = {bad};
    EXPECT_ERROR(session.generate(options).status(), InvalidArgument, "stop ids");
  }
  EXPECT_EQ(fake_step_count(), before);
  expectState(session, ids);
}

TEST(Session, FullContextIsAnErrorAndChangesNothing) {
  SessionOptions options;
  options.maxContext = 20;
  Session session = makeSession(openFake(), options);
  std::vector<int32_t> ids = fakeIds(20);
  EXPECT_ERROR(session.prefill(fakeIds(21)), ContextFull, "at most 20 more tokens");
  EXPECT_OK(session.prefill({ids.data(), 19}));
  EXPECT_ERROR(session.prefill({1, 2}), ContextFull, "at most 1 more");
  expectState(session, {ids.begin(), ids.end() - 1});
  EXPECT_OK(session.stepForced(ids[19]).status());
  EXPECT_ERROR(session.step().status(), ContextFull, "but got 1");
  EXPECT_ERROR(session.stepForced(1).status(), ContextFull, "but got 1");
  EXPECT_ERROR(session.forward(fakeIds(21)).status(), ContextFull, "at most 20");
  expectState(session, ids);
}

TEST(Session, ConfigIsTheModels) {
  Model model = openFake();
  EXPECT_FALSE(model.config().empty());
  EXPECT_EQ(makeSession(model).config(), model.config());
}

TEST(Session, ClearEmpties) {
  Session session = makeSession(openFake());
  std::vector<int32_t> ids = fakeIds(60, 3);
  EXPECT_OK(session.prefill(fakeIds(100)));
  EXPECT_OK(session.clear());
  EXPECT_EQ(session.pastLen(), 0u);
  EXPECT_TRUE(session.tokens().empty());
  EXPECT_ERROR(session.logits().status(), InvalidState, "empty");
  EXPECT_OK(session.prefill(ids));
  expectState(session, ids);
}

TEST(Session, NanLogitsAreAnErrorAndTheSessionStaysUsable) {
  SessionOptions options;
  options.variant = "nan";
  Session session = makeSession(openFake(fake_faulty_table()), options);
  EXPECT_OK(session.prefill({1, 2, 3}));
  EXPECT_ERROR(session.step().status(), BadLogits, "token 3");
  EXPECT_ERROR(session.generate({}).status(), BadLogits, "NaN");
  EXPECT_EQ(session.pastLen(), 3u);
  EXPECT_OK(session.stepForced(4).status());
  EXPECT_EQ(session.tokens(), (std::vector<int32_t>{1, 2, 3, 4}));
}

TEST(Session, ThreeSessionsOfOneModelRunConcurrently) {
  Model model = openFake();
  std::vector<std::thread> users;
  std::vector<std::vector<float>> results(3);
  for (uint32_t user = 0; user < 3; ++user)
    users.emplace_back([&, user] {
      SessionOptions options;
      options.threads = user + 1;
      Session session = makeSession(model, options);
      std::vector<int32_t> ids = fakeIds(100, user);
      for (int round = 0; round < 5; ++round) {
        EXPECT_OK(session.prefill({ids.data(), 50}));
        for (size_t i = 50; i < ids.size(); ++i)
          EXPECT_OK(session.stepForced(ids[i]).status());
        results[user] = logitsOf(session);
        EXPECT_OK(session.clear());
      }
    });
  for (std::thread &user : users)
    user.join();
  for (uint32_t user = 0; user < 3; ++user)
    EXPECT_EQ(results[user], fakeReference(fakeIds(100, user)).row(99)) << "user " << user;
}

TEST(Session, OutlivesItsModelHandle) {
  auto session = [] { return makeSession(openFake()); }();
  EXPECT_OK(session.prefill({1, 2, 3}));
  Session moved = std::move(session);
  expectState(moved, {1, 2, 3});
}
