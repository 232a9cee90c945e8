//===-- reply.cpp - generating and showing a reply -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements generation options, streaming output and the timing of a reply.
//===----------------------------------------------------------------------===//
#include "reply.h"

#include <algorithm>
#include <chrono>
#include <random>

namespace rlx::cli {

/// Tokens of a plain completion, which may never end by itself.
constexpr uint64_t DefaultCompletionTokens = 128;

void ReplyOptions::add(ArgParser &parser) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  parser.option("-n,--max-tokens", "N", intoInteger(maxTokens, 0),
                "generate at most N tokens; default: until the reply ends, or " +
                    std::to_string(DefaultCompletionTokens) + " for plain completion");
  parser.option("--temperature", "T", intoNumber(temperature, 0, infinity),
                "0 is greedy; the default of this and the next four is the model's, else greedy");
  parser.option("--top-k", "K", intoInteger(topK, 0, UINT32_MAX),
                "sample from the K most probable tokens; 0 is all");
  parser.option("--top-p", "P", intoNumber(topP, 0, 1),
                "sample from the most probable tokens that sum to P");
  parser.option("--min-p", "P", intoNumber(minP, 0, 1),
                "drop tokens less probable than P times the best");
  parser.option("--repeat-penalty", "R", intoNumber(repeatPenalty, 0, infinity),
                "make tokens seen before less probable; 1 is off");
  parser.option("--seed", "S", intoInteger(seed), "same seed, same text; default: a random one");
  parser.option(
      "--stop", "STR",
      [this](const std::string &value) {
        if (value.empty())
          return usageError("expected a text that ends the reply but it is empty");
        stops.push_back(value);
        return Status();
      },
      "end the reply before STR; may be given several times");
  parser.flag("--print-ids", printIds, "print token ids instead of text");
  parser.flag("--naive", naive, "recompute everything for each token, without the cache (slow)");
  drafting.add(parser);
}

Status ReplyOptions::check() const {
  if (naive && (drafting.speculate || drafting.draftMax || !drafting.draftFile.empty() ||
                drafting.screening))
    return usageError(
        "--naive makes one token after another: it takes none of --screen, --speculate, "
        "--draft and --draft-max");
  return drafting.check();
}

SamplingOptions ReplyOptions::sampling(const SamplingOptions &defaults) const {
  SamplingOptions options = defaults;
  options.topK = topK ? static_cast<uint32_t>(*topK) : options.topK;
  options.topP = topP.value_or(options.topP);
  options.minP = minP.value_or(options.minP);
  options.repetitionPenalty = repeatPenalty.value_or(options.repetitionPenalty);
  // Who asks how to sample wants sampling.
  if (options.temperature == 0 && (topK || topP || minP))
    options.temperature = 1;
  options.temperature = temperature.value_or(options.temperature);
  options.seed = seed ? *seed : std::random_device()();
  return options;
}

ReplyPrinter::ReplyPrinter(const Program &program, const ReplyOptions &options)
    : console(program.console), filter(options.stops) {
  if (!options.printIds && program.tokenizer)
    stream.emplace(*program.tokenizer);
}

bool ReplyPrinter::show(int32_t token) {
  bool goOn = true;
  if (!stream) {
    console.out << (first ? "" : ",") << std::to_string(token);
  } else {
    std::string text, shown;
    // A vocabulary may have more ids than the tokenizer has pieces: those have
    // no text.
    (void)stream->push(token, text);
    goOn = !filter.push(text, shown);
    console.out << shown;
  }
  first = false;
  console.out.flush();
  return goOn && !interrupted() && !console.out.failed();
}

void ReplyPrinter::finish() {
  if (stream) {
    std::string text, shown;
    stream->finish(text);
    filter.push(text, shown);
    filter.finish(shown);
    console.out << shown;
  }
  console.out << "\n";
  console.out.flush();
}

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// "1.50 s (42.0 tokens/s)".
static std::string rateText(size_t tokens, double seconds) {
  return formatFixed(seconds, 2) + " s (" +
         formatFixed(static_cast<double>(tokens) / std::max(seconds, 1e-9), 1) + " tokens/s)";
}

Status prefillPrompt(const Program &program, const CommonOptions &common, Session &session,
                     Span<const int32_t> ids) {
  uint64_t room = session.maxContext() - session.pastLen();
  if (ids.size() > room)
    return Status(ErrorCode::ContextFull,
                  "the prompt has " + std::to_string(ids.size()) + " tokens, but the context of " +
                      std::to_string(session.maxContext()) + " has room for " +
                      std::to_string(room) +
                      "; shorten it or raise --max-context (the model's limit is " +
                      std::to_string(session.model().maxContext()) + ")");
  auto start = std::chrono::steady_clock::now();
  if (Status status = prefillUnlessInterrupted(session, ids); !status.ok())
    return status;
  if (common.verbose && !interrupted())
    program.console.err << "prompt of " << std::to_string(ids.size()) << " tokens in "
                        << rateText(ids.size(), secondsSince(start)) << ", last variant "
                        << session.lastVariant() << "\n";
  program.console.err.flush();
  return Status();
}

static const char *describe(StopReason reason) {
  switch (reason) {
  case StopReason::MaxTokens:
    return "the number of tokens was reached";
  case StopReason::StopId:
    return "the model ended its reply";
  case StopReason::Callback:
    return "stopped";
  case StopReason::ContextFull:
    return "the context is full";
  }
  return "";
}

/// With -v: how a reply went, of which `appended` tokens took `seconds`. The context being full is
/// always said.
static void report(const Program &program, const CommonOptions &common, const Session &session,
                   const GenerateResult &result, uint64_t appended, double seconds) {
  Output &err = program.console.err;
  if (common.verbose) {
    err << "reply of " << std::to_string(result.tokens.size()) << " tokens in "
        << rateText(appended, seconds) << ", last variant " << session.lastVariant() << "; "
        << describe(result.reason) << "\n";
    if (result.speculation.steps)
      err << "speculation: " << describe(result.speculation) << "\n";
    if (result.screening.steps)
      err << "screening: " << describe(result.screening) << "\n";
  } else if (result.reason == StopReason::ContextFull) {
    err << program.console.program << ": note: the context of "
        << std::to_string(session.maxContext()) << " tokens is full\n";
  }
  err.flush();
}

Status generateReply(const Program &program, const CommonOptions &common,
                     const ReplyOptions &options, ReplySessions sessions,
                     Span<const int32_t> prompt) {
  Session &session = sessions.session;
  GenerateOptions generate;
  options.drafting.apply(generate, sessions.draft);
  generate.leaveLast = sessions.end;
  generate.maxTokens =
      options.maxTokens.value_or(program.turnFormat ? UINT64_MAX : DefaultCompletionTokens);
  if (program.turnFormat && program.tokenizer)
    if (int32_t id = program.tokenizer->find(program.turnFormat->endToken); id >= 0)
      generate.stopIds.push_back(id);
  ReplyPrinter printer(program, options);
  auto callback = [&](int32_t token) { return printer.show(token); };
  const uint64_t past = session.pastLen();
  auto start = std::chrono::steady_clock::now();
  Expected<GenerateResult> result = options.naive
                                        ? session.generateNaive(prompt, generate, callback)
                                        : session.generate(generate, callback);
  printer.finish();
  if (!result)
    return result.status();
  // What took the time: the first token's logits were there, the last may have been left.
  const uint64_t appended = options.naive ? result->tokens.size() : session.pastLen() - past;
  report(program, common, session, *result, appended, secondsSince(start));
  return Status();
}

} // namespace rlx::cli
