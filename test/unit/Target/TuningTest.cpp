//===- TuningTest.cpp - Tests of tuning texts -----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rlx/Target/Tuning.h"
#include <gtest/gtest.h>

using namespace rlx;

static TargetDescription resolve(const std::string &name) {
  return llvm::cantFail(resolveTarget(name));
}

TEST(Tuning, FollowsTheNameOfATarget) {
  TargetDescription plain = resolve("x86-64-v4+vnni");
  TargetDescription tuned = resolve("x86-64-v4+vnni:streams=2:prefetch=512:tile=5x3:dense=7x2");
  EXPECT_EQ(tuned.name, plain.name);
  EXPECT_EQ(tuned.requiredFeatures, plain.requiredFeatures);
  EXPECT_EQ(describeTuning(tuned), "streams=2:prefetch=512:tile=5x3:dense=7x2");
  EXPECT_EQ(tuned.gemmTileFor(WeightFormat::Q6_K).tokens, 5u);
  EXPECT_EQ(tuned.gemmTileFor(WeightFormat::F32).tokens, 7u);
}

TEST(Tuning, ChangesWhatItNamesOnly) {
  TargetDescription plain = resolve("x86-64-v3"), tuned = resolve("x86-64-v3:tile=2x2");
  EXPECT_EQ(tuned.gemmTileFor(WeightFormat::Q4_0).panels, 2u);
  EXPECT_EQ(tuned.gemmTileFor(WeightFormat::BF16).tokens,
            plain.gemmTileFor(WeightFormat::BF16).tokens);
  EXPECT_EQ(tuned.rowStreams, plain.rowStreams);
}

TEST(Tuning, WhatDescribeWritesIsRead) {
  for (const char *name : {"x86-64-v3", "x86-64-v4", "x86-64-v4+vnni+bf16+amx", "aarch64"}) {
    TargetDescription target = resolve(name);
    std::string text = describeTuning(target);
    EXPECT_EQ(describeTuning(resolve(std::string(name) + ":" + text)), text);
  }
}

TEST(Tuning, NoTileOfQuantisedWeightsBesideAMatrixUnit) {
  EXPECT_EQ(describeTuning(resolve("x86-64-v4+vnni+bf16+amx:streams=2:prefetch=512:dense=7x2")),
            "streams=2:prefetch=512:dense=7x2");
  llvm::Expected<TargetDescription> target =
      resolveTarget("x86-64-v4+vnni+bf16+amx:dense=7x2:tile=5x3");
  ASSERT_FALSE(bool(target));
  EXPECT_EQ(llvm::toString(target.takeError()), "the matrix unit of x86-64-v4+vnni+bf16+amx "
                                                "multiplies quantised weights in tiles of its own: "
                                                "leave out 'tile=5x3', or the feature amx");
}

TEST(Tuning, Errors) {
  for (const char *text : {"", "streams", "streams=0", "streams=9", "prefetch=65537", "tile=0x1",
                           "tile=17x1", "tile=6", "tile=6x5", "tile=6x2x", "dense=-1x2", "rows=4",
                           "streams=4:", "tile=6x2,streams=1"}) {
    llvm::Expected<TargetDescription> target = resolveTarget(std::string("x86-64-v3:") + text);
    ASSERT_FALSE(bool(target)) << text;
    std::string message = llvm::toString(target.takeError());
    EXPECT_NE(message.find("behind a target but got"), std::string::npos) << message;
  }
}
