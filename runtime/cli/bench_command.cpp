//===-- bench_command.cpp - tokens per second -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The bench command: prompt processing and generation speed, measured like
// llama-bench: a warm-up, then several repetitions; and where the time goes.
//===----------------------------------------------------------------------===//
#include "bench.h"
#include "output_file.h"

#include <algorithm>
#include <chrono>

namespace rlx::cli {

namespace {
struct BenchOptions {
  CommonOptions common;
  std::vector<uint64_t> prompts = {512}, generates = {128};
  std::optional<uint64_t> depth = 0, repetitions = 5;
  bool asJson = false, roofline = false;
  std::string plot;
};
} // namespace

/// Ids spread over the vocabulary, the same in every run.
static std::vector<int32_t> someIds(uint64_t count, uint64_t vocabulary) {
  std::vector<int32_t> ids(count);
  uint64_t state = 1;
  for (int32_t &id : ids) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    id = static_cast<int32_t>((state >> 33) % vocabulary);
  }
  return ids;
}

/// Times one prompt at once, or single tokens one after another, behind what
/// the session holds.
static Expected<double> timeTokens(Session &session, const std::vector<int32_t> &ids,
                                   bool oneByOne) {
  auto start = std::chrono::steady_clock::now();
  if (!oneByOne) {
    if (Status status = prefillUnlessInterrupted(session, ids); !status.ok())
      return status;
  } else {
    for (int32_t id : ids) {
      Expected<Span<const float>> logits = session.stepForced(id);
      if (!logits)
        return logits.status();
      if (interrupted())
        break;
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What one test runs.
struct TestRun {
  std::vector<int32_t> before, ids;
  bool isGeneration;
};

/// Fills the cache, then times the test's tokens; those are recorded in `trace` if it is given.
static Expected<double> runOnce(Session &session, const TestRun &test, StepTrace *trace) {
  if (Status status = session.clear(); !status.ok())
    return status;
  if (!test.before.empty())
    if (Status status = prefillUnlessInterrupted(session, test.before);
        !status.ok() || interrupted())
      return status.ok() ? Expected<double>(0.0) : status;
  session.setTrace(trace);
  Expected<double> seconds = timeTokens(session, test.ids, test.isGeneration);
  session.setTrace(nullptr);
  return seconds;
}

/// Measures `count` tokens, generated one by one or as a prompt.
static Expected<Measurement> measure(Session &session, const BenchOptions &options, uint64_t count,
                                     bool generation) {
  const uint64_t vocabulary = session.model().vocabSize();
  Measurement result;
  result.depth = *options.depth;
  (generation ? result.generate : result.prompt) = count;
  result.test = (generation ? "tg" : "pp") + std::to_string(count) +
                (result.depth ? " @ d" + std::to_string(result.depth) : "");
  // A decode step continues something: one token stands in for an empty depth.
  const TestRun test{someIds(result.depth ? result.depth : generation, vocabulary),
                     someIds(count, vocabulary), generation};
  // The first run warms up, and tells which steps a repetition consists of.
  StepTrace trace;
  if (Expected<double> seconds = runOnce(session, test, &trace); !seconds)
    return seconds.status();
  result.totals = totalsOf(trace, session.model());
  for (uint64_t round = 0; round < *options.repetitions && !interrupted(); ++round) {
    Expected<double> seconds = runOnce(session, test, nullptr);
    if (!seconds)
      return seconds.status();
    result.rates.push_back(static_cast<double>(count) / *seconds);
  }
  if (!options.roofline || interrupted())
    return result;
  trace.clear();
  if (Expected<double> seconds = runOnce(session, test, &trace); !seconds)
    return seconds.status();
  result.kinds = profileOf(trace, session.model());
  return result;
}

static void addOptions(ArgParser &parser, BenchOptions &options) {
  constexpr uint64_t limit = UINT32_MAX;
  parser.option("-p", "N,...", intoIntegers(options.prompts, limit),
                "tokens of the prompt; default 512, 0 leaves pp out");
  parser.option("-n", "N,...", intoIntegers(options.generates, limit),
                "tokens to generate; default 128, 0 leaves tg out");
  parser.option("-d", "DEPTH", intoInteger(options.depth, 0, limit),
                "tokens in the cache before; default 0");
  parser.option("-r", "REPS", intoInteger(options.repetitions, 1, 1000),
                "repetitions, after one to warm up; default 5");
  parser.flag("--roofline", options.roofline,
              "measure the machine's limits too, and compare each kind of stage with them");
  parser.option("--plot", "FILE", intoText(options.plot),
                "draw the roofline with each kind of stage on it, as SVG; implies --roofline");
  parser.flag("--json", options.asJson, "print JSON");
  options.common.addSession(parser);
}

/// All measurements asked for; fewer when interrupted.
static Expected<std::vector<Measurement>> measureAll(Session &session,
                                                     const BenchOptions &options) {
  std::vector<Measurement> results;
  for (bool generation : {false, true})
    for (uint64_t count : generation ? options.generates : options.prompts) {
      if (count == 0 || interrupted())
        continue;
      Expected<Measurement> result = measure(session, options, count, generation);
      if (!result)
        return result.status();
      results.push_back(std::move(*result));
    }
  return results;
}

/// Measures, then prints and draws.
static Status runBench(const Program &program, Session &session, const BenchOptions &options) {
  OutputFile plot; // first: a name that cannot be written is told at once
  if (!options.plot.empty())
    if (Status status = plot.open(options.plot); !status.ok())
      return status;
  BenchResults results;
  results.threads = session.threads();
  if (options.roofline) {
    Expected<MachineLimits> limits = measureMachine(program.model, session.threads());
    if (!limits)
      return limits.status();
    results.limits = std::move(*limits);
  }
  Expected<std::vector<Measurement>> tests = measureAll(session, options);
  if (!tests || interrupted())
    return tests.status();
  results.tests = std::move(*tests);
  program.console.out << (options.asJson ? benchJson(program, results)
                                         : benchText(program, results));
  if (options.plot.empty())
    return Status();
  std::string title = program.name + ", " + program.model.target() + ", " +
                      std::to_string(results.threads) + " threads";
  if (Status status = plot.write(rooflineSvg(title, results)); !status.ok())
    return status;
  return plot.commit();
}

Status benchCommand(const std::string &programName, const std::vector<std::string> &args,
                    Console &console, const OpenProgram &open) {
  BenchOptions options;
  ArgParser parser(
      programName, "bench [options]",
      "Measures tokens per second of prompt processing (pp) and generation (tg): the median of "
      "several\nrepetitions with the lowest and highest, and the bytes of weights, keys "
      "and values that each token\nneeds.");
  addOptions(parser, options);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  uint64_t longest = 0;
  for (const std::vector<uint64_t> &counts : {options.prompts, options.generates})
    longest = std::max(longest, *std::max_element(counts.begin(), counts.end()));
  if (longest == 0)
    return usageError("expected -p or -n above 0");
  options.roofline |= !options.plot.empty();
  Expected<Program> program = open();
  if (!program)
    return program.status();
  SessionOptions sessionOptions = options.common.session();
  if (!options.common.maxContext)
    sessionOptions.maxContext = std::max<uint64_t>(*options.depth, 1) + longest;
  Expected<Session> session = createSession(*program, options.common, sessionOptions);
  return session ? runBench(*program, *session, options) : session.status();
}

} // namespace rlx::cli
