//===- ArgParserTest.cpp ------------------------------------ -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// How options are spelled, and what is said about wrong ones.
//===----------------------------------------------------------------------===//
#include "arg_parser.h"

#include <gmock/gmock.h>

using namespace rlx;
using namespace rlx::cli;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

namespace {

struct Values {
  std::optional<uint64_t> threads;
  std::optional<float> temperature;
  std::optional<std::vector<int32_t>> ids;
  std::optional<std::string> prompt;
  uint64_t memory = 0;
  bool raw = false;
};

Status parse(const std::vector<std::string> &args, Values &values) {
  ArgParser parser("m", "run [PROMPT]", "Runs.");
  parser.positional("PROMPT", intoOptionalText(values.prompt), "the prompt");
  parser.option("-t,--threads", "N", intoInteger(values.threads, 1, 64), "threads");
  parser.option("--temperature", "T", intoNumber(values.temperature, 0, 2), "temperature");
  parser.option("--ids", "IDS", intoIds(values.ids), "ids");
  parser.option("--max-memory", "SIZE", intoBytes(values.memory), "memory");
  parser.flag("--raw", values.raw, "raw");
  return parser.parse(args);
}

TEST(ArgParser, AcceptsEverySpelling) {
  for (const std::vector<std::string> &args : {std::vector<std::string>{"-t", "4"},
                                               {"-t4"},
                                               {"-t=4"},
                                               {"--threads", "4"},
                                               {"--threads=4"}}) {
    Values values;
    Status status = parse(args, values);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_THAT(values.threads, Optional(4u));
  }
}

TEST(ArgParser, ReadsValues) {
  Values values;
  Status status = parse({"--ids", "2, 5,7", "--raw", "--max-memory", "3GiB", "--temperature=0.5",
                         "hello", "--threads", "1", "-t", "2"},
                        values);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_THAT(*values.ids, ElementsAre(2, 5, 7));
  EXPECT_TRUE(values.raw);
  EXPECT_EQ(values.memory, uint64_t(3) << 30);
  EXPECT_THAT(values.temperature, Optional(0.5f));
  EXPECT_THAT(values.prompt, Optional(std::string("hello")));
  EXPECT_THAT(values.threads, Optional(2u)); // the last one counts
}

TEST(ArgParser, DoubleDashEndsOptions) {
  Values values;
  ASSERT_TRUE(parse({"--", "--raw"}, values).ok());
  EXPECT_THAT(values.prompt, Optional(std::string("--raw")));
  EXPECT_FALSE(values.raw);
  ASSERT_TRUE(parse({"-"}, values).ok());
  EXPECT_THAT(values.prompt, Optional(std::string("-")));
}

TEST(ArgParser, NamesWhatIsWrong) {
  struct {
    std::vector<std::string> args;
    const char *expected;
  } cases[] = {
      {{"--bogus"}, "unknown option '--bogus'; see m run --help"},
      {{"--bogus=3"}, "unknown option '--bogus'"},
      {{"-x"}, "unknown option '-x'"},
      {{"--raw=1"}, "option --raw takes no value"},
      {{"--threads"}, "option --threads: expected a value N"},
      {{"-t", "0"}, "-t: expected an integer from 1 to 64 but got '0'"},
      {{"-t", "65"}, "but got '65'"},
      {{"-t", "four"}, "but got 'four'"},
      {{"-t", "-1"}, "but got '-1'"},
      {{"-t", ""}, "but got ''"},
      {{"-t", "99999999999999999999999"}, "but got '99999999999999999999999'"},
      {{"--temperature", "nan"}, "expected a number from 0 to 2 but got 'nan'"},
      {{"--temperature", "-0.1"}, "but got '-0.1'"},
      {{"--temperature", "1x"}, "but got '1x'"},
      {{"--temperature", " 1"}, "but got ' 1'"},
      {{"--ids", "2,,5"}, "expected token ids separated by commas"},
      {{"--ids", ""}, "expected token ids"},
      {{"--ids", "2;5"}, "expected token ids"},
      {{"--ids", "-2"}, "expected token ids"},
      {{"--ids", "2147483648"}, "expected token ids"},
      {{"--max-memory", "4X"}, "expected a size such as 512M or 4G but got '4X'"},
      {{"--max-memory", "0"}, "expected a size"},
      {{"--max-memory", "G"}, "expected a size"},
      {{"--max-memory", "99999999999T"}, "expected a size"},
      {{"why", "is"}, "unexpected argument 'is' (is a quotation mark missing?)"},
  };
  for (const auto &entry : cases) {
    Values values;
    Status status = parse(entry.args, values);
    EXPECT_EQ(status.code(), ErrorCode::InvalidArgument) << entry.expected;
    EXPECT_THAT(status.message(), HasSubstr(entry.expected));
  }
}

TEST(ArgParser, Sizes) {
  struct {
    const char *text;
    uint64_t bytes;
  } cases[] = {{"1", 1},       {"2k", 2048},      {"2K", 2048},
               {"2KiB", 2048}, {"3MB", 3u << 20}, {"1T", uint64_t(1) << 40}};
  for (const auto &entry : cases) {
    Values values;
    ASSERT_TRUE(parse({"--max-memory", entry.text}, values).ok()) << entry.text;
    EXPECT_EQ(values.memory, entry.bytes) << entry.text;
  }
}

} // namespace
