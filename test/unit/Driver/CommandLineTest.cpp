//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Flags and their combinations.

#include "CommandLine.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace rlx;

namespace {

struct Result {
  std::optional<int> status;
  CompileOptions options;
  std::string errors;
};

Result parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "rlx-compile");
  std::vector<char *> argv;
  for (std::string &argument : arguments)
    argv.push_back(argument.data());
  Result result;
  testing::internal::CaptureStderr();
  result.status = parseCommandLine(static_cast<int>(argv.size()), argv.data(), result.options);
  result.errors = testing::internal::GetCapturedStderr();
  return result;
}

} // namespace

TEST(CommandLineTest, FlagsBecomeOptions) {
  Result result =
      parse({"in", "-o", "out", "--quantize=q8_0", "--target-cpu", "x86-64-v3,x86-64-v4",
             "--target-cpu=native", "--threads=3", "--set", "cpu.opt_level=1"});
  ASSERT_EQ(result.status, std::nullopt) << result.errors;
  EXPECT_EQ(result.options.input, "in");
  EXPECT_EQ(result.options.output, "out");
  EXPECT_EQ(result.options.emit, EmitKind::Binary);
  EXPECT_EQ(result.options.threads, 3u);
  ASSERT_EQ(result.options.profileFlags.size(), 3u);
  EXPECT_EQ(result.options.profileFlags[1].key, "target_cpu");
  EXPECT_EQ(result.options.profileFlags[1].value, "x86-64-v3,x86-64-v4,native");
  EXPECT_EQ(result.options.profileFlags[2].key, "cpu.opt_level");
}

TEST(CommandLineTest, EmitAndStopAfterMeet) {
  EXPECT_EQ(parse({"in", "--emit=rlx"}).options.stopAfter, Phase::Plan);
  EXPECT_EQ(parse({"in", "--emit=mlir"}).options.stopAfter, Phase::Llvm);
  EXPECT_EQ(parse({"in", "--emit=rlx", "--stop-after=fuse"}).options.stopAfter, Phase::Fuse);
  EXPECT_EQ(parse({"in", "-o", "x", "--stop-after=object"}).options.emit, EmitKind::Object);
  EXPECT_EQ(parse({"in", "-o", "x", "--stop-after=binary"}).options.stopAfter, std::nullopt);
  EXPECT_EQ(parse({"in", "--resume-from=fuse", "--emit=asm"}).options.resumeFrom, Phase::Fuse);
}

TEST(CommandLineTest, MistakesAreNamed) {
  const std::pair<std::vector<std::string>, const char *> cases[] = {
      {{}, "expected an INPUT"},
      {{"in"}, "give one with -o"},
      {{"in", "-o", "-"}, "give one with -o"},
      {{"in", "other", "-o", "x"}, "other"},
      {{"in", "-o", "x", "--frobnicate"}, "--frobnicate"},
      {{"in", "-o", "x", "--emit=elf"}, "--emit: expected rlx"},
      {{"in", "-o", "x", "--stop-after=lunch"}, "--stop-after: expected one of import, fuse"},
      {{"in", "-o", "x", "--emit=asm", "--stop-after=fuse"}, "does not go with --stop-after=fuse"},
      {{"in", "-o", "x", "--emit=rlx", "--stop-after=llvm"}, "does not go with --stop-after=llvm"},
      {{"in", "-o", "x", "--resume-from=object"}, "leaves no module"},
      {{"in", "--resume-from=plan", "--stop-after=fuse"}, "is later than"},
      {{"in", "-o", "x", "--quantize=q3"}, "--quantize: expected 'none', 'q8_0', 'q4_0', 'q4_k'"},
      {{"in", "-o", "x", "--max-context=lots"}, "--max-context: expected a number"},
      {{"in", "-o", "x", "--target-cpu=z80"}, "--target-cpu: expected a target CPU"},
      {{"in", "-o", "x", "--set", "fusion"}, "--set: expected KEY=VALUE"},
      {{"in", "-o", "x", "--threads=-1"}, "--threads"},
      {{"in", "--emit=asm", "--verify"}, "--verify runs the model binary"},
  };
  for (const auto &[arguments, message] : cases) {
    Result result = parse(arguments);
    EXPECT_EQ(result.status, 2) << message;
    EXPECT_THAT(result.errors, testing::HasSubstr(message));
  }
}
