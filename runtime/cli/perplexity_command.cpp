//===-- perplexity_command.cpp - how well a text is predicted -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The perplexity command. Convention: the file is encoded in one call, without
// BOS, and cut into runs of ctx - 1 tokens; each run is predicted with BOS
// before it, every token of it; the result is exp of the mean negative log
// likelihood over all tokens.
//===----------------------------------------------------------------------===//
#include "program.h"

#include <algorithm>
#include <cmath>

namespace rlx::cli {

/// -log softmax(row)[token], in f64.
static double negativeLogLikelihood(Span<const float> row, int32_t token) {
  float highest = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (float logit : row)
    sum += std::exp(static_cast<double>(logit) - highest);
  return std::log(sum) + highest - row[static_cast<size_t>(token)];
}

/// Adds the tokens of one run to `sum`.
static Status addRun(Session &session, int32_t bos, Span<const int32_t> run, double &sum) {
  std::vector<int32_t> input = {bos};
  input.insert(input.end(), run.begin(), run.end() - 1);
  return session.forward(input, [&](uint64_t index, Span<const float> row) {
    sum += negativeLogLikelihood(row, run[index]);
    return !interrupted();
  });
}

static Status measure(const Program &program, Session &session, const std::vector<int32_t> &ids,
                      uint64_t context) {
  const uint64_t runTokens = context - 1;
  double sum = 0;
  for (size_t done = 0; done < ids.size();) {
    size_t count = std::min<size_t>(runTokens, ids.size() - done);
    Span<const int32_t> run(ids.data() + done, count);
    if (Status status = addRun(session, program.tokenizer->bosId(), run, sum); !status.ok())
      return status;
    if (interrupted())
      return Status();
    done += count;
  }
  double mean = sum / static_cast<double>(ids.size());
  if (!std::isfinite(mean))
    return Status(ErrorCode::BadLogits, "the logits are not finite");
  program.console.out << "perplexity " << formatFixed(std::exp(mean), 4) << " ("
                      << std::to_string(ids.size()) << " tokens in runs of "
                      << std::to_string(runTokens) << ")\n";
  return Status();
}

Status perplexityCommand(const std::string &programName, const std::vector<std::string> &args,
                         Console &console, const OpenProgram &open) {
  CommonOptions common;
  std::optional<std::string> path;
  std::optional<uint64_t> context = 256;
  ArgParser parser(programName, "perplexity FILE [options]",
                   "Measures the perplexity of a text file: runs of ctx - 1 tokens, each with BOS "
                   "before it,\nevery token of a run predicted.");
  parser.positional("FILE", intoOptionalText(path), "the text; - is standard input");
  parser.option("--ctx", "N", intoInteger(context, 2, UINT32_MAX),
                "positions of a run, BOS included; default: 256");
  common.addSession(parser);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  if (!path)
    return usageError("expected a FILE");
  Expected<Program> program = open();
  if (!program)
    return program.status();
  Expected<const Tokenizer *> tokenizer = program->requireTokenizer();
  if (!tokenizer)
    return tokenizer.status();
  if ((*tokenizer)->bosId() < 0)
    return usageError("perplexity needs a tokenizer with a BOS piece, which this model lacks");
  Expected<std::string> text = *path == "-" ? console.readAll() : readFile(*path);
  if (!text)
    return text.status();
  Expected<std::vector<int32_t>> ids = (*tokenizer)->encode(*text);
  if (!ids)
    return ids.status();
  if (ids->empty())
    return usageError("'" + *path + "' has no text");
  SessionOptions sessionOptions = common.session();
  if (!common.maxContext)
    sessionOptions.maxContext = *context;
  else if (*common.maxContext < *context)
    return usageError("--max-context " + std::to_string(*common.maxContext) +
                      " is smaller than --ctx " + std::to_string(*context));
  Expected<Session> session = createSession(*program, common, sessionOptions);
  return session ? measure(*program, *session, *ids, *context) : session.status();
}

} // namespace rlx::cli
