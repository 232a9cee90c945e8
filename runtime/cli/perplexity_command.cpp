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
#include <nlohmann/json.hpp>

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

/// The mean negative log likelihood of `ids`.
static Expected<double> measure(const Program &program, Session &session,
                                const std::vector<int32_t> &ids, uint64_t runTokens) {
  double sum = 0;
  for (size_t done = 0; done < ids.size() && !interrupted();) {
    size_t count = std::min<size_t>(runTokens, ids.size() - done);
    Span<const int32_t> run(ids.data() + done, count);
    if (Status status = addRun(session, program.tokenizer->bosId(), run, sum); !status.ok())
      return status;
    done += count;
  }
  if (!std::isfinite(sum))
    return Status(ErrorCode::BadLogits, "the logits are not finite");
  return sum / static_cast<double>(ids.size());
}

static void print(Output &out, double perplexity, size_t tokens, uint64_t context, bool asJson) {
  if (asJson)
    out << nlohmann::ordered_json{{"perplexity", perplexity}, {"tokens", tokens}, {"ctx", context}}
               .dump()
        << "\n";
  else
    out << "perplexity " << formatFixed(perplexity, 4) << " (" << std::to_string(tokens)
        << " tokens in runs of " << std::to_string(context - 1) << ")\n";
}

Status perplexityCommand(const std::string &programName, const std::vector<std::string> &args,
                         Console &console, const OpenProgram &open) {
  CommonOptions common;
  std::optional<std::string> path;
  std::optional<uint64_t> context = 256;
  bool asJson = false;
  ArgParser parser(programName, "perplexity FILE [options]",
                   "Measures the perplexity of a text file: runs of ctx - 1 tokens, each with BOS "
                   "before it,\nevery token of a run predicted.");
  parser.positional("FILE", intoOptionalText(path), "the text; - is standard input");
  parser.option("--ctx", "N", intoInteger(context, 2, UINT32_MAX),
                "positions of a run, BOS included; default: 256");
  parser.flag("--json", asJson, "print {\"perplexity\": ..., \"tokens\": ..., \"ctx\": ...}");
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
  if (!session)
    return session.status();
  Expected<double> mean = measure(*program, *session, *ids, *context - 1);
  if (mean && !interrupted())
    print(console.out, std::exp(*mean), ids->size(), *context, asJson);
  return mean.status();
}

} // namespace rlx::cli
