//===- SpeculationTest.cpp ---------------------------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Speculation on the command line: its options, draft models, what is reported,
// and the replay command.
//===----------------------------------------------------------------------===//
#include "CliFixture.h"

#include "PayloadBuilder.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace rlx;
using namespace rlx::test;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

namespace {

class Speculation : public testing::Test {
protected:
  /// A model file whose manifest says that the tokenizer's hash is `hash`.
  std::string modelFile(const std::string &hash = "") {
    std::vector<TestEntry> entries = fakePayload(test::readFile(RLX_FAKE_CODE));
    json manifest = json::parse(entries.front().data);
    manifest["tokenizer"] =
        hash.empty() ? json() : json{{"entry", "tokenizer.bin"}, {"sha256", hash}};
    entries.front().data = manifest.dump();
    return write("draft" + hash, buildArchive("", entries));
  }
  std::string write(const std::string &name, const std::string &bytes) {
    std::ofstream(folder.file(name), std::ios::binary) << bytes;
    return folder.file(name);
  }
  TemporaryFolder folder;
};

const std::vector<std::string> base = {"--ids", "2,9,11", "-n12", "--print-ids", "--seed=4", "-v"};

std::vector<std::string> with(std::vector<std::string> more) {
  more.insert(more.begin(), base.begin(), base.end());
  return more;
}

TEST_F(Speculation, TextDoesNotDependOnIt) {
  std::string draft = modelFile();
  for (const char *temperature : {"--temperature=0", "--temperature=1.2"}) {
    CliResult plain = runCli(with({temperature, "--speculate=off"}));
    EXPECT_EQ(plain.status, 0) << plain.err;
    // The last of 12 tokens needs no step.
    EXPECT_THAT(plain.err, HasSubstr("speculation: 11 steps, no drafts"));
    for (std::vector<std::string> options :
         {std::vector<std::string>{"--speculate=ngram"},
          {"--speculate=auto"},
          {},
          {"--draft", draft},
          {"--speculate=draft", "--draft", draft, "--draft-max=2"},
          {"--speculate=draft", "--draft", draft}}) {
      options.push_back(temperature);
      CliResult result = runCli(with(options));
      EXPECT_EQ(result.status, 0) << result.err;
      EXPECT_EQ(result.out, plain.out);
    }
  }
  // The draft is the model itself here; a step of it yields five rows.
  CliResult drafted = runCli(with({"--speculate=draft", "--draft", draft}));
  EXPECT_THAT(drafted.err, HasSubstr("speculation: 3 steps, 8 of 8 drafts right (100 %)"));
  EXPECT_THAT(drafted.err, HasSubstr("draft model " + draft + ", memory: weights 64 B"));
}

TEST_F(Speculation, ChatsWithADraftModel) {
  CliSetup setup;
  setup.inIsTerminal = true;
  setup.input = "abc\ndef abc\nab\n/clear\nabc\n";
  std::string plain = runCli({"-n12", "--print-ids", "--speculate=off"}, setup).out;
  CliResult drafted =
      runCli({"-n12", "--print-ids", "--speculate=draft", "--draft", modelFile()}, setup);
  EXPECT_EQ(drafted.status, 0) << drafted.err;
  EXPECT_EQ(drafted.out, plain);
}

TEST_F(Speculation, OptionsAreChecked) {
  std::string draft = modelFile(), text = write("text", "abc");
  struct {
    std::vector<std::string> args;
    const char *expected;
  } cases[] = {
      {{"--speculate=maybe"}, "--speculate: expected auto, off, ngram or draft but got 'maybe'"},
      {{"--speculate=draft"}, "--speculate=draft needs --draft FILE"},
      {{"--speculate=off", "--draft", draft}, "--draft is not used with --speculate=off"},
      {{"--speculate=ngram", "--draft", draft}, "--draft is not used with --speculate=ngram"},
      {{"--speculate=off", "--draft-max=3"}, "--draft-max is not used with --speculate=off"},
      {{"--draft-max=16"}, "--draft-max: expected an integer from 1 to 15 but got '16'"},
      {{"--naive", "--draft", draft}, "--naive makes one token after another"},
      {{"--draft", modelFile("11")}, "the same tokenizer"},
      {{"--draft="}, "--draft: expected the file of a model but it is empty"},
  };
  for (const auto &entry : cases) {
    CliResult result = runCli(with(entry.args));
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr(entry.expected));
  }
  CliResult missing = runCli(with({"--draft", folder.file("none")}));
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr(folder.file("none")));
  CliResult noModel = runCli(with({"--draft", text}));
  EXPECT_EQ(noModel.status, 2);
  EXPECT_EQ(noModel.out, "");
}

TEST_F(Speculation, InfoSaysHowManyDrafts) {
  EXPECT_THAT(runCli({"info"}).out, HasSubstr("speculation   up to 4 drafts in a step\n"));
  EXPECT_EQ(json::parse(runCli({"info", "--json"}).out)["max_drafts"], 4);
}

TEST_F(Speculation, Replay) {
  std::string prompt = write("prompt", "abc de abc"),
              reply = write("reply", "def abc de abc def abc");
  CliResult result =
      runCli({"replay", reply, "--prompt", prompt, "-r3", "--json", "-t1", "--speculate=ngram"});
  EXPECT_EQ(result.status, 0) << result.err;
  json root = json::parse(result.out);
  EXPECT_EQ(root["plain_tokens_per_second"].size(), 3u);
  EXPECT_EQ(root["speculative_tokens_per_second"].size(), 3u);
  EXPECT_GT(root["ratio"], 0.0);
  EXPECT_GT(root["accepted"], 0);
  EXPECT_EQ(root["steps"].get<int>() + root["accepted"].get<int>(), root["reply"].get<int>());
  CliResult text = runCli({"replay", reply, "-r1", "--speculate=draft", "--draft", modelFile()});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("drafts right"));
  EXPECT_THAT(text.out, HasSubstr("median of 1 pairs"));
  for (auto [args, expected] :
       {std::pair(std::vector<std::string>{"replay"}, "expected the file of a REPLY"),
        {{"replay", reply, "--speculate=off"}, "leaves nothing to compare"},
        {{"replay", write("empty", "")}, "expected a text but it is empty"}}) {
    CliResult wrong = runCli(args);
    EXPECT_EQ(wrong.status, 2);
    EXPECT_THAT(wrong.err, HasSubstr(expected));
  }
  EXPECT_EQ(runCli({"replay", folder.file("none")}).status, 2);
}

} // namespace
