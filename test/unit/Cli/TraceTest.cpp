//===- TraceTest.cpp ---------------------------------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Timelines, rooflines, and the files that they are written to.
//===----------------------------------------------------------------------===//
#include "CliFixture.h"
#include "bench.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

using namespace rlx;
using namespace rlx::test;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

/// The slices of one thread, in the order of the file.
std::vector<json> slicesOf(const json &trace, int thread) {
  std::vector<json> slices;
  for (const json &event : trace["traceEvents"])
    if (event["ph"] == "X" && event["tid"] == thread)
      slices.push_back(event);
  return slices;
}

TEST(TraceCommand, WritesNestedSlicesOfEveryThread) {
  TemporaryFolder folder;
  CliResult result =
      runCli({"trace", "--ids", "2,5,7,9,11", "-n", "3", "-t", "2", "-o", folder.file("t.json")});
  ASSERT_EQ(result.status, 0) << result.err;
  json trace = json::parse(contentsOf(folder.file("t.json")));
  EXPECT_EQ(trace["otherData"]["model"], "fake");
  for (int thread : {0, 1}) {
    std::map<std::string, int> seen;
    double stepEnd = -1, sliceEnd = -1;
    for (const json &slice : slicesOf(trace, thread)) {
      double begin = slice["ts"], end = begin + slice["dur"].get<double>();
      if (slice["cat"] == "step") {
        EXPECT_LE(stepEnd, begin + 1e-3);
        stepEnd = end;
        sliceEnd = begin;
      } else { // within its step, behind the slice before; half a nanosecond of rounding
        EXPECT_LE(sliceEnd, begin + 1e-3);
        EXPECT_LE(end, stepEnd + 1e-3);
        sliceEnd = end;
      }
      ++seen[slice["name"]];
    }
    EXPECT_EQ(seen["prefill 5 at 0"], 1);
    for (const char *step : {"decode 1 at 5", "decode 1 at 6", "decode 1 at 7"})
      EXPECT_EQ(seen[step], 1) << step;
    for (const char *stage : {"embedding", "append layer 0", "attention layer 2", "head f32"})
      EXPECT_EQ(seen[stage], 4) << stage;
    EXPECT_EQ(seen["wait"], 4 * 2 * FAKE_SLOTS);
  }
}

TEST(TraceCommand, ErrorsLeaveNoFile) {
  TemporaryFolder folder;
  EXPECT_THAT(runCli({"trace", "--ids", "2"}).err, HasSubstr("expected a file to write: -o FILE"));
  EXPECT_THAT(runCli({"trace", "-o", "x"}).err, HasSubstr("expected either a PROMPT or --ids"));
  CliResult wrong = runCli({"trace", "--ids", "40", "-o", folder.file("t.json")});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("expected token ids from 0 to 39 but got 40"));
  EXPECT_THAT(folder.list(), IsEmpty());
  CliResult full = runCli({"trace", "--ids", "2", "-o", "/dev/full"});
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr("cannot write '/dev/full': No space left on device"));
}

TEST(Bench, ComparesStagesWithTheMachine) {
  CliResult result =
      runCli({"bench", "-p", "20", "-n", "6", "-r", "2", "-t", "2", "--roofline", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  json parsed = json::parse(result.out);
  EXPECT_EQ(parsed["limits"]["bandwidth"].size(), 8u);
  EXPECT_EQ(parsed["limits"]["peaks"][0]["name"], "modular");
  ASSERT_EQ(parsed["tests"].size(), 2u);
  // One step of 20 rows of 4 bytes, the head's weights, and each slot's 20 positions.
  double cached = 20 * (8 * 4 + 2 * 6 * 2 + 16 * 2);
  EXPECT_NEAR(parsed["tests"][0]["bytes_per_token"], (80 + FAKE_WEIGHTS + cached) / 20, 1e-9);
  for (const json &test : parsed["tests"]) {
    EXPECT_GE(test["tokens_per_second"]["max"], test["tokens_per_second"]["median"]);
    EXPECT_LE(test["tokens_per_second"]["min"], test["tokens_per_second"]["median"]);
    double share = 0;
    std::set<std::string> kinds;
    for (const json &stage : test["stages"]) {
      share += stage["share"].get<double>();
      kinds.insert(stage["kind"]);
    }
    EXPECT_NEAR(share, 1, 0.01);
    EXPECT_EQ(kinds, (std::set<std::string>{"append", "attention", "embedding", "head f32", "other",
                                            "wait"}));
  }
  CliResult text = runCli({"bench", "-p", "8", "-n", "0", "-r", "1", "--roofline"});
  EXPECT_THAT(text.out, HasSubstr("limits measured: memory "));
  EXPECT_THAT(text.out, HasSubstr("stages of pp8 "));
}

TEST(Bench, DrawsTheRoofline) {
  TemporaryFolder folder;
  CliResult result =
      runCli({"bench", "-p", "8", "-n", "2", "-r", "1", "--plot", folder.file("r.svg")});
  ASSERT_EQ(result.status, 0) << result.err;
  std::string svg = contentsOf(folder.file("r.svg"));
  EXPECT_THAT(svg, testing::StartsWith("<svg "));
  EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
  for (const char *part :
       {">modular ", ">memory ", ">attention<", ">head f32<", ">pp8: ", ">tg2: "})
    EXPECT_THAT(svg, HasSubstr(part));
  CliResult full = runCli({"bench", "-p", "4", "-n", "0", "-r", "1", "--plot", "/dev/full"});
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr("cannot write '/dev/full'"));
  EXPECT_EQ(runCli({"bench", "--plot", "/no/such/folder/r.svg"}).status, 2);
}

TEST(RooflineSvg, PlacesKnownFigures) {
  cli::BenchResults results;
  results.limits.emplace();
  results.limits->bandwidth = {{1, false, 10e9}, {8, false, 20e9}};
  results.limits->peaks = {{"a<b", 400e9}};
  cli::Measurement &test = results.tests.emplace_back();
  test.test = "pp1";
  test.prompt = 1;
  test.rates = {3, 1, 2};
  EXPECT_EQ(test.median(), 2);
  // At the ridge: 20 operations a byte, half of the time that it takes.
  cli::KindProfile &kind = test.kinds.emplace_back();
  kind.kind = "linear";
  kind.seconds = 2;
  kind.share = 0.5;
  kind.bytes = 20000000000;
  kind.operations = 400000000000;
  kind.probe = 0;
  EXPECT_DOUBLE_EQ(kind.limitShare(*results.limits), 0.5);
  std::string svg = cli::rooflineSvg("m & n", results);
  EXPECT_THAT(svg, HasSubstr("m &amp; n"));
  EXPECT_THAT(svg, HasSubstr("a&lt;b 400 GOP/s"));
  EXPECT_THAT(svg, HasSubstr("memory 20.0 GB/s"));
  EXPECT_THAT(svg, HasSubstr(">50 %<"));
}

} // namespace
