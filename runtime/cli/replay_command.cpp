//===-- replay_command.cpp - how much drafts save on a given text -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The replay command: generates a recorded text as if the model had written it,
// without and with speculation, in pairs of runs.
//===----------------------------------------------------------------------===//
#include "drafting.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

namespace rlx::cli {

namespace {
struct ReplayOptions {
  CommonOptions common;
  DraftingOptions drafting;
  std::string reply, prompt;
  std::optional<uint64_t> repetitions = 5;
  bool asJson = false;
};

struct Texts {
  std::vector<int32_t> prompt, reply;
};

/// Tokens per second of the repetitions, and what the last one did.
struct Samples {
  std::vector<double> plain, speculative, ratios;
  SpeculationStats stats;
};
} // namespace

static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

static Expected<Texts> readTexts(const Program &program, const ReplayOptions &options) {
  std::string prompt;
  if (!options.prompt.empty()) {
    Expected<std::string> text = readFile(options.prompt);
    if (!text)
      return text.status();
    prompt = std::move(*text);
  }
  Expected<std::string> reply = readFile(options.reply);
  if (!reply)
    return reply.status();
  Expected<std::vector<int32_t>> before = program.plainPrompt(prompt, ControlText::Plain);
  if (!before)
    return before.status();
  if (before->empty())
    return usageError("expected a --prompt: this model begins a text with no token of its own");
  Expected<std::vector<int32_t>> ids = program.tokenizer->encode(*reply, ControlText::Plain);
  if (!ids)
    return ids.status();
  if (ids->empty())
    return usageError(options.reply + ": expected a text but it is empty");
  return Texts{std::move(*before), std::move(*ids)};
}

/// Replays once in a session of its own: what was learnt about a text must not
/// help the next run. Returns tokens per second.
static Expected<double> replayOnce(const Program &program, const ReplayOptions &options,
                                   const Texts &texts, bool speculates, SpeculationStats &stats) {
  SessionOptions sessionOptions = options.common.session();
  if (!options.common.maxContext)
    sessionOptions.maxContext = texts.prompt.size() + texts.reply.size();
  CommonOptions quiet = options.common;
  quiet.verbose = false;
  Expected<Session> session = createSession(program, quiet, sessionOptions);
  if (!session)
    return session.status();
  GenerateOptions generate;
  generate.maxTokens = texts.reply.size();
  generate.replay = texts.reply;
  generate.speculation = Speculation::Off;
  generate.screening = Screening::Off;
  std::optional<Session> draft;
  if (speculates) {
    Expected<std::optional<Session>> opened =
        openDraft(program, quiet, options.drafting, session->maxContext());
    if (!opened)
      return opened.status();
    draft = std::move(*opened);
    options.drafting.apply(generate, draft);
  }
  if (Status status = prefillUnlessInterrupted(*session, texts.prompt);
      !status.ok() || interrupted())
    return status.ok() ? Expected<double>(0.0) : status;
  auto start = std::chrono::steady_clock::now();
  Expected<GenerateResult> result =
      session->generate(generate, [](int32_t) { return !interrupted(); });
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!result)
    return result.status();
  stats = result->speculation;
  return static_cast<double>(result->tokens.size()) / seconds.count();
}

static Expected<Samples> measure(const Program &program, const ReplayOptions &options,
                                 const Texts &texts) {
  Samples samples;
  for (uint64_t round = 0; round <= *options.repetitions && !interrupted(); ++round) {
    double rates[2];
    // Each goes first as often as the other.
    for (bool speculates : {round % 2 == 1, round % 2 == 0}) {
      SpeculationStats stats;
      Expected<double> rate = replayOnce(program, options, texts, speculates, stats);
      if (!rate)
        return rate.status();
      rates[speculates] = *rate;
      if (speculates)
        samples.stats = stats;
    }
    if (round == 0) // warms up
      continue;
    samples.plain.push_back(rates[0]);
    samples.speculative.push_back(rates[1]);
    samples.ratios.push_back(rates[1] / rates[0]);
  }
  return samples;
}

static void print(const Program &program, const Texts &texts, const Samples &samples, bool asJson) {
  Output &out = program.console.out;
  if (asJson) {
    nlohmann::ordered_json root = {{"model", program.name},
                                   {"target", program.model.target()},
                                   {"prompt", texts.prompt.size()},
                                   {"reply", texts.reply.size()},
                                   {"plain_tokens_per_second", samples.plain},
                                   {"speculative_tokens_per_second", samples.speculative},
                                   {"ratio", median(samples.ratios)},
                                   {"steps", samples.stats.steps},
                                   {"drafted", samples.stats.drafted},
                                   {"accepted", samples.stats.accepted}};
    out << root.dump(2) << "\n";
    return;
  }
  auto [low, high] = std::minmax_element(samples.ratios.begin(), samples.ratios.end());
  out << program.name << ", " << program.model.target() << ": "
      << std::to_string(texts.reply.size()) << " tokens behind "
      << std::to_string(texts.prompt.size()) << "\nplain        "
      << formatFixed(median(samples.plain), 2) << " tokens/s\nspeculative  "
      << formatFixed(median(samples.speculative), 2) << " tokens/s, " << describe(samples.stats)
      << "\nratio        " << formatFixed(median(samples.ratios), 3) << " (" << formatFixed(*low, 3)
      << " to " << formatFixed(*high, 3) << "), median of " << std::to_string(samples.ratios.size())
      << " pairs\n";
}

static void addOptions(ArgParser &parser, ReplayOptions &options) {
  parser.positional("REPLY", intoText(options.reply), "a file with the text to generate");
  parser.option("--prompt", "FILE", intoText(options.prompt), "a text that goes before it");
  parser.option("-r", "REPS", intoInteger(options.repetitions, 1, 1000),
                "pairs of runs, after one to warm up; default 5");
  parser.flag("--json", options.asJson, "print JSON");
  options.drafting.add(parser);
  options.common.addSession(parser);
}

Status replayCommand(const std::string &programName, const std::vector<std::string> &args,
                     Console &console, const OpenProgram &open) {
  ReplayOptions options;
  ArgParser parser(programName, "replay REPLY [options]",
                   "Measures what speculation saves on a text: generates it as if the model had "
                   "written it,\nwithout and with drafts.");
  addOptions(parser, options);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  if (options.reply.empty())
    return usageError("expected the file of a REPLY");
  if (Status status = options.drafting.check(); !status.ok())
    return status;
  if (options.drafting.speculate == Speculation::Off && !options.drafting.screening)
    return usageError(
        "replay compares with speculation; --speculate=off leaves nothing to compare");
  Expected<Program> program = open();
  if (!program)
    return program.status();
  if (Status status = program->requireTokenizer().status(); !status.ok())
    return status;
  Expected<Texts> texts = readTexts(*program, options);
  if (!texts)
    return texts.status();
  Expected<Samples> samples = measure(*program, options, *texts);
  if (!samples || interrupted())
    return samples.status();
  print(*program, *texts, *samples, options.asJson);
  return Status();
}

} // namespace rlx::cli
