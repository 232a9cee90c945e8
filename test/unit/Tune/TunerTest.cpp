//===- TunerTest.cpp - Tests of the tuner and its cache -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which choices are made depends on the machine; that they are valid ones, and that
// they are found again, does not.
//
//===----------------------------------------------------------------------===//
#include "rlx/Tune/Tuner.h"
#include "rlx/Target/Tuning.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace rlx;

namespace {

TargetDescription native() { return llvm::cantFail(resolveTarget("native-amx")); }

const TuneShapes kShapes = {TuneShape{WeightFormat::Q4_0, 64, 96},
                            TuneShape{WeightFormat::BF16, 64, 96}};

/// A folder that goes with the test.
class TuneCacheTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("tune", folder));
    file = (folder + "/cache/tune.json").str();
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }
  void write(const std::string &text) {
    ASSERT_FALSE(llvm::sys::fs::create_directories(folder + "/cache"));
    std::ofstream(file) << text;
  }

  llvm::SmallString<128> folder;
  std::string file;
};

} // namespace

TEST(Tuner, FindsAValidChoice) {
  TuneOptions options;
  options.threads = 2;
  options.memoryBytes = 1 << 16;
  options.rounds = 1;
  for (TuneShapes shapes : {kShapes, TuneShapes{{}, TuneShape{WeightFormat::F32, 32, 40}}}) {
    TargetDescription target = native();
    llvm::Expected<TuneResult> result = tuneTarget(target, shapes, options);
    ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
    EXPECT_GT(result->seconds, 0);
    EXPECT_FALSE(bool(applyTuning(target, result->tuning)));
    EXPECT_EQ(describeTuning(target), result->tuning);
  }
}

TEST_F(TuneCacheTest, KeepsResultsByWhatTheyDependOn) {
  TuneCache cache(file);
  TuneOptions two, three;
  two.threads = 2;
  three.threads = 3;
  TuneShapes other = kShapes;
  other.quantized->n = 128;
  EXPECT_EQ(cache.find(native(), kShapes, two), std::nullopt);
  ASSERT_FALSE(bool(cache.store(native(), kShapes, two, {"streams=2", 1})));
  ASSERT_FALSE(bool(cache.store(native(), kShapes, three, {"streams=1", 1})));
  EXPECT_EQ(cache.find(native(), kShapes, two), "streams=2");
  EXPECT_EQ(cache.find(native(), kShapes, three), "streams=1");
  EXPECT_EQ(cache.find(native(), other, two), std::nullopt);
  TargetDescription elsewhere = native();
  elsewhere.cpu = "another";
  EXPECT_EQ(cache.find(elsewhere, kShapes, two), std::nullopt);
}

TEST_F(TuneCacheTest, WhatIsNoCacheIsReplaced) {
  TuneCache cache(file);
  for (const char *text : {"", "{", "[1]", "{\"a\": {}}", "\xff\xfe"}) {
    write(text);
    EXPECT_EQ(cache.find(native(), kShapes, {}), std::nullopt) << text;
    ASSERT_FALSE(bool(cache.store(native(), kShapes, {}, {"dense=4x2", 1})));
    EXPECT_EQ(cache.find(native(), kShapes, {}), "dense=4x2");
  }
  // An entry that no target takes counts as none.
  std::ifstream in(file);
  std::stringstream content;
  content << in.rdbuf();
  std::string text = content.str();
  text.replace(text.find("dense=4x2"), 9, "dense=4y2");
  write(text);
  EXPECT_EQ(cache.find(native(), kShapes, {}), std::nullopt);
}

TEST_F(TuneCacheTest, WithoutAFolderNothingIsKept) {
  TuneCache none("");
  EXPECT_FALSE(bool(none.store(native(), kShapes, {}, {"dense=4x2", 1})));
  EXPECT_EQ(none.find(native(), kShapes, {}), std::nullopt);
  write("{}");
  TuneCache below(file + "/tune.json"); // a file is in the way
  llvm::Error error = below.store(native(), kShapes, {}, {"dense=4x2", 1});
  ASSERT_TRUE(bool(error));
  std::string message = llvm::toString(std::move(error));
  EXPECT_NE(message.find("tune.json: "), std::string::npos) << message;
}
