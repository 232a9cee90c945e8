//===-- TraceTest.cpp - recorded steps -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// What a trace records of a session's steps, and what the stages had to do.
//===----------------------------------------------------------------------===//
#include "FakeReference.h"
#include "rlx/runtime/machine.h"

#include <algorithm>

using namespace rlx;
using namespace rlx::test;

namespace {

SessionOptions onThreads(uint32_t threads) {
  SessionOptions options;
  options.threads = threads;
  return options;
}

TEST(Trace, HoldsEveryStageOfEveryThreadInOrder) {
  for (uint32_t threads : {1u, 3u}) {
    Session session = makeSession(openFake(), onThreads(threads));
    StepTrace trace;
    session.setTrace(&trace);
    EXPECT_OK(session.prefill(fakeIds(40))); // two steps
    EXPECT_OK(session.stepForced(7).status());
    ASSERT_EQ(trace.steps().size(), 3u);
    for (const TraceStep &step : trace.steps()) {
      ASSERT_EQ(step.threads.size(), threads);
      for (const std::vector<TraceSlice> &slices : step.threads) {
        uint64_t now = step.begin;
        std::vector<uint32_t> stages;
        size_t waits = 0;
        for (const TraceSlice &slice : slices) {
          EXPECT_LE(now, slice.begin);
          EXPECT_LE(slice.begin, slice.end);
          now = slice.end;
          if (slice.stage == TraceSlice::Wait)
            ++waits;
          else
            stages.push_back(slice.stage);
        }
        EXPECT_LE(now, step.end);
        EXPECT_EQ(waits, 2u * FAKE_SLOTS);
        ASSERT_EQ(stages.size(), size_t(FAKE_STAGES));
        for (uint32_t i = 0; i < FAKE_STAGES; ++i)
          EXPECT_EQ(stages[i], i);
      }
    }
    EXPECT_EQ(trace.steps()[1].past, uint64_t(FAKE_CHUNK));
    EXPECT_EQ(trace.steps()[2].seq, 1u);
    EXPECT_STREQ(trace.steps()[2].variant->name, "decode");
  }
}

TEST(Trace, ChangesNoResultAndEndsWithNull) {
  Session traced = makeSession(openFake(), onThreads(2)), plain = makeSession(openFake());
  StepTrace trace;
  traced.setTrace(&trace);
  EXPECT_OK(traced.prefill(fakeIds(60)));
  EXPECT_OK(plain.prefill(fakeIds(60)));
  EXPECT_EQ(logitsOf(traced), logitsOf(plain));
  size_t steps = trace.steps().size();
  traced.setTrace(nullptr);
  EXPECT_OK(traced.stepForced(3).status());
  EXPECT_EQ(trace.steps().size(), steps);
}

TEST(Trace, CountsWhatStagesHaveToDo) {
  Model model = openFake();
  const rlx_stage_t *stages = model.variants()[0].stages;
  TraceStep step;
  step.seq = 4;
  step.past = 10;
  step.outCount = 1;
  EXPECT_EQ(step.bytes(stages[0], model.kvSlots()), 16u); // 4 bytes for each of 4 rows
  EXPECT_EQ(step.operations(stages[0], model.kvSlots()), 0u);
  // Full attention: queries see 11, 12, 13 and 14 keys; the slot holds 14 of 4 + 4 floats.
  EXPECT_EQ(step.operations(stages[2], model.kvSlots()), 50u * 2 * FAKE_HIDDEN);
  EXPECT_EQ(step.bytes(stages[2], model.kvSlots()), 14u * 8 * 4);
  // A window of 9: 9 keys each, 12 different ones of 2 heads of 3 + 3 halves.
  EXPECT_EQ(step.operations(stages[4], model.kvSlots()), 36u * 2 * FAKE_HIDDEN);
  EXPECT_EQ(step.bytes(stages[4], model.kvSlots()), 12u * 2 * 6 * 2);
  EXPECT_EQ(step.operations(stages[7], model.kvSlots()), 2u * FAKE_VOCAB);
  EXPECT_EQ(step.bytes(stages[7], model.kvSlots()), uint64_t(FAKE_WEIGHTS));
  step.outCount = 0; // without outputs the head reads nothing
  EXPECT_EQ(step.bytes(stages[7], model.kvSlots()), 0u);
}

TEST(Machine, MeasuresEveryPatternAndProbe) {
  MachineLimits limits = valueOf(measureMachine(openFake(), 2));
  ASSERT_EQ(limits.bandwidth.size(), 8u);
  for (const BandwidthSample &sample : limits.bandwidth) {
    EXPECT_GT(sample.bytesPerSecond, 0);
    EXPECT_LE(sample.bytesPerSecond, limits.best().bytesPerSecond);
  }
  ASSERT_EQ(limits.peaks.size(), 1u);
  EXPECT_EQ(limits.peaks[0].name, "modular");
  EXPECT_GT(limits.peaks[0].operationsPerSecond, 0);
}

} // namespace
