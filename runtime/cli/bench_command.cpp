//===-- bench_command.cpp - tokens per second -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The bench command: prompt processing and generation speed, measured like
// llama-bench: a warm-up, then the mean and spread of several repetitions.
//===----------------------------------------------------------------------===//
#include "program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

namespace rlx::cli {

namespace {
struct BenchOptions {
  CommonOptions common;
  std::vector<uint64_t> prompts = {512}, generates = {128};
  std::optional<uint64_t> depth = 0, repetitions = 5;
  bool asJson = false;
};

struct Measurement {
  std::string test;
  uint64_t prompt = 0, generate = 0, depth = 0;
  std::vector<double> rates; ///< tokens per second of each repetition

  double mean() const {
    double sum = 0;
    for (double rate : rates)
      sum += rate;
    return sum / static_cast<double>(rates.size());
  }
  /// The sample's standard deviation.
  double spread() const {
    if (rates.size() < 2)
      return 0;
    double average = mean(), sum = 0;
    for (double rate : rates)
      sum += (rate - average) * (rate - average);
    return std::sqrt(sum / static_cast<double>(rates.size() - 1));
  }
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
    if (Status status = session.prefill(ids); !status.ok())
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

/// Measures `count` tokens, generated one by one or as a prompt.
static Expected<Measurement> measure(Session &session, const BenchOptions &options, uint64_t count,
                                     bool generation) {
  const uint64_t vocabulary = session.model().vocabSize();
  Measurement result;
  result.depth = *options.depth;
  (generation ? result.generate : result.prompt) = count;
  result.test = (generation ? "tg" : "pp") + std::to_string(count) +
                (result.depth ? " @ d" + std::to_string(result.depth) : "");
  const std::vector<int32_t> ids = someIds(count, vocabulary);
  // A decode step continues something: one token stands in for an empty depth.
  const std::vector<int32_t> before = someIds(result.depth ? result.depth : generation, vocabulary);
  for (uint64_t round = 0; round <= *options.repetitions && !interrupted(); ++round) {
    if (Status status = session.clear(); !status.ok())
      return status;
    if (!before.empty())
      if (Status status = session.prefill(before); !status.ok())
        return status;
    Expected<double> seconds = timeTokens(session, ids, generation);
    if (!seconds)
      return seconds.status();
    if (round > 0) // the first one warms up
      result.rates.push_back(static_cast<double>(count) / *seconds);
  }
  return result;
}

static void print(const Program &program, const Session &session,
                  const std::vector<Measurement> &results, bool asJson) {
  Output &out = program.console.out;
  if (!asJson) {
    out << program.name << ", " << program.model.target() << ", "
        << std::to_string(session.threads()) << " threads\n";
    for (const Measurement &result : results) {
      std::string name =
          result.test + std::string(result.test.size() < 20 ? 20 - result.test.size() : 1, ' ');
      out << name << formatFixed(result.mean(), 2) << " ± " << formatFixed(result.spread(), 2)
          << " tokens/s\n";
    }
    return;
  }
  nlohmann::ordered_json tests = nlohmann::json::array();
  for (const Measurement &result : results)
    tests.push_back(
        {{"test", result.test},
         {"prompt", result.prompt},
         {"generate", result.generate},
         {"depth", result.depth},
         {"tokens_per_second",
          {{"mean", result.mean()}, {"stddev", result.spread()}, {"samples", result.rates}}}});
  nlohmann::ordered_json root = {{"model", program.name},
                                 {"target", program.model.target()},
                                 {"threads", session.threads()},
                                 {"weights_bytes", program.model.table().weights_bytes},
                                 {"tests", tests}};
  out << root.dump(2) << "\n";
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

Status benchCommand(const std::string &programName, const std::vector<std::string> &args,
                    Console &console, const OpenProgram &open) {
  BenchOptions options;
  ArgParser parser(programName, "bench [options]",
                   "Measures tokens per second of prompt processing (pp) and generation (tg).");
  addOptions(parser, options);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  uint64_t longest = 0;
  for (const std::vector<uint64_t> &counts : {options.prompts, options.generates})
    longest = std::max(longest, *std::max_element(counts.begin(), counts.end()));
  if (longest == 0)
    return usageError("expected -p or -n above 0");
  Expected<Program> program = open();
  if (!program)
    return program.status();
  SessionOptions sessionOptions = options.common.session();
  if (!options.common.maxContext)
    sessionOptions.maxContext = std::max<uint64_t>(*options.depth, 1) + longest;
  Expected<Session> session = createSession(*program, options.common, sessionOptions);
  if (!session)
    return session.status();
  Expected<std::vector<Measurement>> results = measureAll(*session, options);
  if (!results || interrupted())
    return results.status();
  print(*program, *session, *results, options.asJson);
  return Status();
}

} // namespace rlx::cli
