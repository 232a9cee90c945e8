//===-- drafting.cpp - speculation on the command line -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the options of speculation and the checks of a draft model.
//===----------------------------------------------------------------------===//
#include "drafting.h"
#include "rlx/runtime/abi.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace rlx::cli {

static Status parseSource(const std::string &value, std::optional<Speculation> &source) {
  for (auto [name, which] : {std::pair("auto", Speculation::Auto),
                             {"off", Speculation::Off},
                             {"ngram", Speculation::Ngram},
                             {"draft", Speculation::Draft}})
    if (value == name) {
      source = which;
      return Status();
    }
  return usageError("expected auto, off, ngram or draft but got '" + value + "'");
}

static Status parseScreening(const std::string &value, std::optional<Screening> &mode) {
  for (auto [name, which] :
       {std::pair("auto", Screening::Auto), {"off", Screening::Off}, {"on", Screening::On}})
    if (value == name) {
      mode = which;
      return Status();
    }
  return usageError("expected auto, off or on but got '" + value + "'");
}

void DraftingOptions::add(ArgParser &parser) {
  parser.option(
      "--speculate", "auto|off|ngram|draft",
      [this](const std::string &value) { return parseSource(value, speculate); },
      "draft next tokens and check several in one step; the text does not depend on it: from what "
      "followed the same words before (ngram), by --draft, or, by default, what is measured to "
      "pay");
  parser.option(
      "--draft", "FILE",
      [this](const std::string &value) {
        if (value.empty())
          return usageError("expected the file of a model but it is empty");
        draftFile = value;
        return Status();
      },
      "a smaller compiled model of the same vocabulary that drafts next tokens");
  parser.option("--draft-max", "K", intoInteger(draftMax, 1, RLX_EXACT_TOKENS - 1),
                "check at most K drafts in a step, up to 15; default 8");
  parser.option(
      "--screen", "auto|off|on",
      [this](const std::string &value) { return parseScreening(value, screening); },
      "compute only logits that can be sampled, if the model was compiled with --screen-head; "
      "the text does not depend on it; by default while it saves reading the head");
}

Status DraftingOptions::check() const {
  Speculation source = speculate.value_or(Speculation::Auto);
  if (source == Speculation::Draft && draftFile.empty())
    return usageError("--speculate=draft needs --draft FILE");
  if (!draftFile.empty() && (source == Speculation::Off || source == Speculation::Ngram))
    return usageError(std::string("--draft is not used with --speculate=") +
                      (source == Speculation::Off ? "off" : "ngram"));
  if (draftMax && source == Speculation::Off)
    return usageError("--draft-max is not used with --speculate=off");
  return Status();
}

void DraftingOptions::apply(GenerateOptions &generate, std::optional<Session> &draft) const {
  generate.speculation = speculate.value_or(Speculation::Auto);
  generate.draftMax = static_cast<uint32_t>(draftMax.value_or(generate.draftMax));
  generate.draft = draft ? &*draft : nullptr;
  generate.screening = screening.value_or(Screening::Auto);
}

/// The hash of the tokenizer's tables; empty for a model without.
static std::string tokenizerHash(const Model &model) {
  auto root = nlohmann::json::parse(model.config(), nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("tokenizer") || !root["tokenizer"].is_object())
    return "";
  return root["tokenizer"].value("sha256", nlohmann::json()).dump();
}

static Status checkVocabulary(const Model &model, const Model &draft, const std::string &file) {
  if (draft.vocabSize() != model.vocabSize())
    return usageError("--draft: expected a model with a vocabulary of " +
                      std::to_string(model.vocabSize()) + " ids but " + file + " has " +
                      std::to_string(draft.vocabSize()));
  if (tokenizerHash(draft) != tokenizerHash(model))
    return usageError("--draft: expected a model with the same tokenizer but that of " + file +
                      " is another one");
  return Status();
}

Expected<std::optional<Session>> openDraft(const Program &program, const CommonOptions &common,
                                           const DraftingOptions &options, uint64_t context) {
  if (options.draftFile.empty())
    return std::optional<Session>();
  Expected<Model> model = Model::open(options.draftFile);
  if (!model)
    return Status(model.status().code() == ErrorCode::BadFile ? ErrorCode::InvalidArgument
                                                              : model.status().code(),
                  "--draft: " + model.status().message());
  if (Status status = checkVocabulary(program.model, *model, options.draftFile); !status.ok())
    return status;
  SessionOptions sessionOptions;
  sessionOptions.threads = common.session().threads;
  sessionOptions.maxContext = std::min(context, model->maxContext());
  Expected<Session> session = Session::create(*model, sessionOptions);
  if (!session)
    return Status(session.status().code(), "draft model: " + session.status().message());
  if (common.verbose) {
    MemoryUse memory = session->memoryUse();
    program.console.err << "draft model " << options.draftFile << ", memory: weights "
                        << formatBytes(memory.weights) << ", KV cache "
                        << formatBytes(memory.kvCache) << ", workspace "
                        << formatBytes(memory.workspace) << "\n";
    program.console.err.flush();
  }
  return std::optional<Session>(std::move(*session));
}

std::string describe(const SpeculationStats &stats) {
  std::string text = std::to_string(stats.steps) + " steps";
  if (stats.drafted == 0)
    return text + ", no drafts";
  double rate = 100.0 * static_cast<double>(stats.accepted) / static_cast<double>(stats.drafted);
  return text + ", " + std::to_string(stats.accepted) + " of " + std::to_string(stats.drafted) +
         " drafts right (" + formatFixed(rate, 0) + " %)";
}

std::string describe(const ScreeningStats &stats) {
  double percent = 100.0 * stats.kept / static_cast<double>(stats.steps);
  return std::to_string(stats.steps) + " steps, " + formatFixed(percent, 1) +
         " % of the head computed";
}

} // namespace rlx::cli
