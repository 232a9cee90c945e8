//===- CommandTest.cpp -------------------------------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The commands on the fake model: results, messages and exit statuses.
//===----------------------------------------------------------------------===//
#include "CliFixture.h"
#include "npy_writer.h"

#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace rlx;
using namespace rlx::test;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

namespace {

std::string joined(const std::vector<int32_t> &ids) {
  std::string text;
  for (int32_t id : ids)
    text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

Tokenizer fakeTokenizer() {
  const std::string &tables = fakeTables();
  return *Tokenizer::open({reinterpret_cast<const uint8_t *>(tables.data()), tables.size()});
}

/// What greedy generation by the library gives.
std::vector<int32_t> greedy(const std::vector<int32_t> &prompt, uint64_t count,
                            const std::vector<int32_t> &stopIds = {}) {
  Model model = openFake(rlx_query(RLX_ABI_VERSION), chatManifest(""));
  Session session = makeSession(model);
  EXPECT_OK(session.prefill(prompt));
  GenerateOptions options;
  options.maxTokens = count;
  options.stopIds = stopIds;
  return valueOf(session.generate(options)).tokens;
}

/// The float32 rows of a .npy file, checked against its header.
std::vector<float> readNpy(const std::string &path, size_t rows, size_t columns) {
  std::string bytes = contentsOf(path);
  std::string header = cli::npyHeader(rows, columns);
  EXPECT_EQ(bytes.substr(0, header.size()), header);
  EXPECT_EQ(bytes.size(), header.size() + rows * columns * sizeof(float));
  std::vector<float> values((bytes.size() - header.size()) / sizeof(float));
  std::memcpy(values.data(), bytes.data() + header.size(), values.size() * sizeof(float));
  return values;
}

TEST(Run, CompletesIds) {
  CliResult result = runCli({"run", "--ids", "2,9,11", "-n", "12", "--print-ids"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, joined(greedy({2, 9, 11}, 12)) + "\n");
  EXPECT_EQ(result.err, "");
  for (const char *extra : {"--naive", "-t3", "--variant=generic", "--max-context=40"}) {
    CliResult again = runCli({"--ids", "2,9,11", "-n", "12", "--print-ids", extra});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(again.out, result.out) << extra;
  }
}

TEST(Run, CompletesTextBehindBos) {
  Tokenizer tokenizer = fakeTokenizer();
  std::vector<int32_t> prompt = *tokenizer.encode("abc de");
  prompt.insert(prompt.begin(), 2);
  std::string expected = *tokenizer.decode(greedy(prompt, 20)) + "\n";
  EXPECT_EQ(runCli({"abc de", "-n20"}).out, expected);
  CliSetup setup;
  setup.input = "abc de";
  EXPECT_EQ(runCli({"-n20"}, setup).out, expected);
  EXPECT_EQ(runCli({"run", "-", "-n20"}, setup).out, expected);
}

TEST(Run, WritesTurns) {
  Tokenizer tokenizer = fakeTokenizer();
  auto promptOf = [&](const std::string &text) {
    std::vector<int32_t> prompt = *tokenizer.encode(text, ControlText::Parse);
    prompt.insert(prompt.begin(), 2);
    return prompt;
  };
  CliSetup setup;
  setup.manifest = chatManifest("prepend");
  const std::string turn = "<start_of_turn>user\nabc<end_of_turn>\n<start_of_turn>model\n";
  EXPECT_EQ(runCli({" abc\n", "-n9", "--print-ids"}, setup).out,
            joined(greedy(promptOf(turn), 9, {5})) + "\n");
  EXPECT_EQ(runCli({turn, "-n9", "--print-ids", "--raw"}, setup).out,
            joined(greedy(promptOf(turn), 9, {5})) + "\n");
  EXPECT_EQ(runCli({"abc", "-n9", "--print-ids", "--system", "def"}, setup).out,
            joined(greedy(promptOf("<start_of_turn>user\ndef\n\nabc<end_of_turn>\n"
                                   "<start_of_turn>model\n"),
                          9, {5})) +
                "\n");
  setup.manifest = chatManifest("error");
  CliResult refused = runCli({"abc", "--system", "def"}, setup);
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("the chat template of this model has no system text"));
}

TEST(Run, StopsAtText) {
  std::string whole = runCli({"abc", "-n40"}).out;
  ASSERT_GT(whole.size(), 12u);
  std::string stop = whole.substr(6, 3);
  CliResult result = runCli({"abc", "-n40", "--stop", "never seen", "--stop", stop});
  EXPECT_EQ(result.out, whole.substr(0, whole.find(stop)) + "\n");
}

TEST(Run, SamplesByTheModelsDefaultsAndTheUsersFlags) {
  const std::vector<std::string> base = {"--ids", "2,9,11", "-n", "30", "--print-ids"};
  auto outOf = [&](std::vector<std::string> extra, const std::string &generation = "{}") {
    extra.insert(extra.end(), base.begin(), base.end());
    CliSetup setup;
    setup.manifest = chatManifest("", generation);
    CliResult result = runCli(extra, setup);
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  };
  const std::string greedyText = outOf({});
  const std::string sampled = outOf({"--temperature", "3", "--seed", "1"});
  EXPECT_NE(sampled, greedyText);
  EXPECT_EQ(sampled, outOf({"--temperature", "3", "--seed", "1", "-t2"}));
  EXPECT_NE(sampled, outOf({"--temperature", "3", "--seed", "2"}));
  EXPECT_EQ(sampled, outOf({"--seed", "1"}, R"({"temperature":3})"));
  EXPECT_EQ(sampled, outOf({"--seed", "1"}, R"({"do_sample":true,"temperature":3,"top_k":0})"));
  EXPECT_EQ(greedyText, outOf({}, R"({"do_sample":false,"temperature":3})"));
  EXPECT_EQ(greedyText, outOf({"--temperature", "0"}, R"({"temperature":3})"));
  EXPECT_EQ(greedyText, outOf({"--top-k", "1"}));
  EXPECT_EQ(outOf({"--top-p", "0.9", "--seed", "1"}),
            outOf({"--top-p", "0.9", "--seed", "1", "--temperature", "1"}));
  EXPECT_NE(greedyText, outOf({"--repeat-penalty", "5"}));
  EXPECT_EQ(greedyText, outOf({"--repeat-penalty", "1", "--min-p", "1"}));
}

TEST(Run, RefusesWrongUse) {
  struct {
    std::vector<std::string> args;
    int status;
    const char *message;
    bool hasTokenizer = true;
  } cases[] = {
      {{"--bogus"}, 2, "error: unknown option '--bogus'"},
      {{"bench", "--seed", "1"}, 2, "unknown option '--seed'; see model bench --help"},
      {{"abc", "--ids", "2"}, 2, "expected a PROMPT or --ids but got both"},
      {{"--ids", "40"}, 2, "expected token ids from 0 to 39 but got 40"},
      {{"abc", "--system", "x"}, 2, "--system needs a chat template"},
      {{"--ids", "2", "--system", "x"}, 2, "--system cannot be used with --ids"},
      {{"abc", "--stop", ""}, 2, "--stop: expected a text"},
      {{"abc", "--stop", "x", "--print-ids"}, 2, "--stop needs text"},
      {{"abc", "--variant", "none"}, 2, "none"},
      {{"abc", "--max-context", "201"}, 2, "201"},
      {{"abc", "--repeat-penalty", "0"}, 2, ""},
      {{"abc", "-n", "-1"}, 2, "-n: expected an integer of at least 0 but got '-1'"},
      {{"abc", "--temperature", "nan"}, 2, "--temperature: expected a number of at least 0"},
      {{"abc", "--temperature=inf"}, 2, "--temperature: expected a number of at least 0"},
      {{"abc", "--top-p", "2"}, 2, "--top-p: expected a number from 0 to 1 but got '2'"},
      {{"abc", "--top-k", "4294967296"}, 2, "--top-k: expected an integer"},
      {{"abc", "--min-p", "-0.1"}, 2, "--min-p: expected a number from 0 to 1"},
      {{"abc", "--seed", "18446744073709551616"}, 2, "--seed: expected an integer"},
      {{"abc", "-t", "0"}, 2, "-t: expected an integer from 1 to 1024 but got '0'"},
      {{"abc", "-t", "10000"}, 2, "-t: expected an integer from 1 to 1024 but got '10000'"},
      {{"abc", "--max-context", "0"}, 2, "--max-context: expected an integer of at least 1"},
      {{"abc", "--max-memory", "0"}, 2, "--max-memory: expected a size"},
      {{"--ids", ""}, 2, "--ids: expected token ids separated by commas"},
      {{"--ids", "5,,6"}, 2, "--ids: expected token ids separated by commas"},
      {{"--ids", "99999999999999999999"}, 2, "--ids: expected token ids separated by commas"},
      {{"abc"}, 2, "compiled without a tokenizer", false},
      {{"--ids", "2", "--stop", "x"}, 2, "--stop needs text", false},
      {{"--ids", "2", "--max-memory", "1K"}, 1, ""},
      {{"logits", "--ids", "2"}, 2, "expected a file to write: -o FILE"},
      {{"logits", "-o", "x.npy"}, 2, "expected either --ids or --text"},
      {{"logits", "--text", "a", "--positions", "some", "-o", "x"}, 2, "expected all or last"},
      {{"logits", "--ids", "2", "-o", "/no/such/folder/x.npy"}, 2, "No such file"},
      {{"perplexity"}, 2, "expected a FILE"},
      {{"perplexity", "/no/such/file"}, 2, "cannot read '/no/such/file': No such file"},
      {{"perplexity", "/"}, 2, "cannot read '/'"},
      {{"perplexity", "/dev/null"}, 2, "has no text"},
      {{"perplexity", "/dev/null"}, 2, "without a tokenizer", false},
      {{"bench", "-p0", "-n0"}, 2, "expected -p or -n above 0"},
      {{"bench", "-p", "8,"}, 2, "-p: expected integers up to 4294967295 separated by commas"},
      {{"tokenize", "a"}, 2, "without a tokenizer", false},
  };
  for (const auto &entry : cases) {
    CliSetup setup;
    setup.hasTokenizer = entry.hasTokenizer;
    CliResult result = runCli(entry.args, setup);
    EXPECT_EQ(result.status, entry.status) << entry.args.back() << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr(std::string("model: error: "))) << entry.args.back();
    EXPECT_THAT(result.err, HasSubstr(entry.message));
    EXPECT_EQ(result.out, "");
  }
}

TEST(Run, SaysWhatDoesNotFitTheContext) {
  std::string ids = joined(fakeIds(30));
  CliResult tooLong = runCli({"--ids", ids, "--max-context", "20"});
  EXPECT_EQ(tooLong.status, 1);
  EXPECT_THAT(tooLong.err, HasSubstr("the prompt has 30 tokens, but the context of 20 has room"));
  CliResult tooMany = runCli({"--ids", ids, "--max-context", "40", "-n", "20", "--print-ids"});
  EXPECT_EQ(tooMany.status, 1);
  EXPECT_THAT(tooMany.err, HasSubstr("context of 40 positions"));
  CliResult filled = runCli({"--ids", ids, "--max-context", "40", "--print-ids"});
  EXPECT_EQ(filled.status, 0);
  EXPECT_THAT(filled.err, HasSubstr("note: the context of 40 tokens is full"));
}

TEST(Run, VerboseNamesVariants) {
  CliResult result = runCli({"--ids", "2,9,11", "-n", "3", "-v", "--seed", "77"});
  EXPECT_THAT(result.err, HasSubstr("last variant prefill_4"));
  EXPECT_THAT(result.err, HasSubstr("last variant decode"));
  EXPECT_THAT(result.err, HasSubstr("seed 77"));
}

TEST(Run, NoticesAFullDisk) {
  CliSetup setup;
  setup.outDescriptor = open("/dev/full", O_WRONLY);
  CliResult result = runCli({"abc", "-n20"}, setup);
  close(setup.outDescriptor);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("cannot write the output: No space left on device"));
}

TEST(Run, NoticesAClosedPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  CliSetup setup;
  setup.outDescriptor = ends[1];
  CliResult result = runCli({"abc", "-n20"}, setup);
  close(ends[1]);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("cannot write the output: Broken pipe"));
}

TEST(Logits, AllAndLast) {
  TemporaryFolder folder;
  const std::vector<int32_t> ids = fakeIds(30);
  FakeRows expected = fakeReference(ids);
  ASSERT_EQ(runCli({"logits", "--ids", joined(ids), "-o", folder.file("all.npy")}).status, 0);
  EXPECT_EQ(readNpy(folder.file("all.npy"), 30, FAKE_VOCAB), expected.logits);
  ASSERT_EQ(
      runCli({"logits", "--ids", joined(ids), "--positions", "last", "-o", folder.file("last.npy")})
          .status,
      0);
  EXPECT_EQ(readNpy(folder.file("last.npy"), 1, FAKE_VOCAB), expected.row(29));
  ASSERT_EQ(runCli({"logits", "--text", "abc", "-o", folder.file("text.npy")}).status, 0);
  int32_t abc = fakeTokenizer().find("abc");
  EXPECT_EQ(readNpy(folder.file("text.npy"), 2, FAKE_VOCAB), fakeReference({2, abc}).logits);
}

TEST(Perplexity, FollowsTheConvention) {
  TemporaryFolder folder;
  const std::string text = "the quick brown fox\njumps over\xFF the lazy dog abcdef";
  std::ofstream(folder.file("t.txt")) << text;
  std::vector<int32_t> ids = *fakeTokenizer().encode(text);
  double sum = 0;
  for (size_t begin = 0; begin < ids.size(); begin += 15) { // runs of ctx - 1
    std::vector<int32_t> run = {2};
    for (size_t i = begin; i < std::min(begin + 15, ids.size()); ++i)
      run.push_back(ids[i]);
    FakeRows rows = fakeReference(run);
    for (size_t i = 0; i + 1 < run.size(); ++i) {
      std::vector<float> row = rows.row(i);
      double total = 0;
      for (float logit : row)
        total += std::exp(double(logit));
      sum += std::log(total) - row[run[i + 1]];
    }
  }
  char expected[64];
  std::snprintf(expected, sizeof(expected), "perplexity %.4f (%zu tokens in runs of 15)\n",
                std::exp(sum / ids.size()), ids.size());
  CliResult result = runCli({"perplexity", folder.file("t.txt"), "--ctx", "16"});
  EXPECT_EQ(result.out, expected) << result.err;
  CliSetup setup;
  setup.input = text;
  EXPECT_EQ(runCli({"perplexity", "-", "--ctx=16"}, setup).out, expected);
  json parsed = json::parse(runCli({"perplexity", "-", "--ctx=16", "--json"}, setup).out);
  EXPECT_NEAR(parsed["perplexity"], std::exp(sum / ids.size()), 1e-9);
  EXPECT_EQ(parsed["tokens"], ids.size());
  EXPECT_EQ(parsed["ctx"], 16);
}

TEST(Tokenize, PrintsIdsAndPieces) {
  EXPECT_EQ(runCli({"tokenize", "abc d"}).out, "37\tabc\n7\t\xE2\x96\x81\n11\td\n");
  json parsed = json::parse(runCli({"tokenize", "abc d<bos>", "--json"}).out);
  EXPECT_EQ(parsed["pieces"].size(), parsed["ids"].size());
  EXPECT_EQ(parsed["ids"][0], 37);
  EXPECT_EQ(parsed["pieces"][1], "\xE2\x96\x81");
  json control = json::parse(runCli({"tokenize", "ab<bos>", "--json", "--control"}).out);
  EXPECT_EQ(control["ids"], json({36, 2}));
}

TEST(Bench, MeasuresWhatWasAskedFor) {
  CliResult result =
      runCli({"bench", "-p", "20", "-n", "6", "-d", "10", "-r", "3", "-t", "2", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  json parsed = json::parse(result.out);
  EXPECT_EQ(parsed["threads"], 2);
  ASSERT_EQ(parsed["tests"].size(), 2u);
  EXPECT_EQ(parsed["tests"][0]["test"], "pp20 @ d10");
  EXPECT_EQ(parsed["tests"][1]["test"], "tg6 @ d10");
  for (const json &entry : parsed["tests"]) {
    EXPECT_EQ(entry["tokens_per_second"]["samples"].size(), 3u);
    EXPECT_GT(entry["tokens_per_second"]["mean"], 0.0);
  }
  CliResult text = runCli({"bench", "-p", "0", "-n", "4,7", "-r", "1"});
  EXPECT_THAT(text.out, HasSubstr("tg4 "));
  EXPECT_THAT(text.out, HasSubstr("tg7 "));
  EXPECT_THAT(text.out, Not(HasSubstr("pp")));
  EXPECT_THAT(text.out, HasSubstr("tokens/s"));
}

TEST(Info, StatesMemoryAndVariants) {
  json parsed = json::parse(runCli({"info", "--json", "--max-context", "100"}).out);
  EXPECT_EQ(parsed["vocab_size"], int(FAKE_VOCAB));
  EXPECT_EQ(parsed["memory"]["context"], 100);
  SessionOptions options;
  options.maxContext = 100;
  MemoryUse memory = valueOf(openFake().memoryUse(options));
  EXPECT_EQ(parsed["memory"]["kv_cache"], memory.kvCache);
  EXPECT_EQ(parsed["memory"]["total"], memory.total());
  ASSERT_EQ(parsed["variants"].size(), 5u);
  EXPECT_EQ(parsed["variants"][0]["name"], "decode");
  EXPECT_EQ(parsed["manifest"]["model"]["name"], "fake");
  CliResult text = runCli({"info"});
  EXPECT_THAT(text.out, HasSubstr("prefill_4"));
  EXPECT_THAT(text.out, HasSubstr("200 tokens"));
  CliResult refused = runCli({"info", "--max-memory", "1K"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("more than --max-memory 1.0 KiB"));
  CliResult unknown = runCli({"info", "--variant", "none"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no variant 'none'"));
}

TEST(Help, IsThereForEveryCommand) {
  CliResult all = runCli({"--help"});
  EXPECT_EQ(all.status, 0);
  for (const char *name :
       {"run", "logits", "perplexity", "bench", "trace", "replay", "tokenize", "info"}) {
    EXPECT_THAT(all.out, HasSubstr(std::string("  ") + name));
    CliResult one = runCli({name, "--help"});
    EXPECT_EQ(one.status, 0);
    EXPECT_THAT(one.out, HasSubstr(std::string("usage: model ") + name));
    EXPECT_THAT(one.out, HasSubstr("-t, --threads N"));
    EXPECT_EQ(one.err, "");
  }
  EXPECT_THAT(runCli({"--version"}).out, HasSubstr("fake, compiled by RLX"));
}

TEST(Manifest, NamesTheModel) {
  for (auto [model, name] : {std::pair(R"({"name":null,"architecture":"gemma3"})", "gemma3,"),
                             {R"({"name":"Tiny","architecture":"gemma3"})", "Tiny,"},
                             {R"({"name":7})", "model,"}}) {
    CliSetup setup;
    setup.manifest = std::string(R"({"model":)") + model + "}";
    EXPECT_THAT(runCli({"--version"}, setup).out, testing::StartsWith(name));
  }
}

TEST(Manifest, DamageIsNamed) {
  for (auto [manifest, message] :
       {std::pair(R"({"turn_format":{}})", "turn_format.name: expected a string"),
        {R"({"turn_format":3})", "turn_format: expected an object but got number"},
        {R"({"generation":{"temperature":"hot"}})", "generation.temperature: expected a number"},
        {R"({"generation":{"top_p":2}})", "generation: "}}) {
    CliSetup setup;
    setup.manifest = manifest;
    CliResult result = runCli({"info"}, setup);
    EXPECT_EQ(result.status, 1) << manifest;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
}

} // namespace
