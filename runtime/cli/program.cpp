//===-- program.cpp - a model with its text side -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads what the manifest says about text; options that commands share.
//===----------------------------------------------------------------------===//
#include "program.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace rlx::cli {

using nlohmann::json;

static Status bad(const std::string &message) {
  return Status(ErrorCode::BadFile, "manifest.json: " + message);
}

/// The string `key` of `object`; an error names both.
static Status readText(const json &object, const char *where, const char *key, std::string &out) {
  auto it = object.find(key);
  if (it == object.end() || !it->is_string())
    return bad(std::string(where) + "." + key + ": expected a string");
  out = it->get<std::string>();
  return Status();
}

static Status readTurnFormat(const json &object, Program &program) {
  if (!object.is_object())
    return bad(std::string("turn_format: expected an object but got ") + object.type_name());
  TurnFormat format;
  std::string system;
  for (auto [key, target] : {std::pair("name", &format.name),
                             {"user_prefix", &format.userPrefix},
                             {"user_suffix", &format.userSuffix},
                             {"model_prefix", &format.modelPrefix},
                             {"model_suffix", &format.modelSuffix},
                             {"end_token", &format.endToken},
                             {"system", &system}})
    if (Status status = readText(object, "turn_format", key, *target); !status.ok())
      return status;
  if (system != "prepend" && system != "error")
    return bad("turn_format.system: expected 'prepend' or 'error' but got '" + system + "'");
  format.system = system == "prepend" ? SystemRole::Prepend : SystemRole::Error;
  program.turnFormat = std::move(format);
  return Status();
}

/// Reads a number into `out` if it is there.
template <typename T>
static Status readNumber(const json &object, const char *key, std::optional<T> &out) {
  auto it = object.find(key);
  if (it == object.end() || it->is_null())
    return Status();
  if (!it->is_number() || it->template get<double>() < 0 || it->template get<double>() > 4e9)
    return bad(std::string("generation.") + key + ": expected a number of at least 0");
  out = it->template get<T>();
  return Status();
}

static Status readGeneration(const json &object, SamplingOptions &sampling) {
  if (!object.is_object())
    return bad(std::string("generation: expected an object but got ") + object.type_name());
  std::optional<float> temperature, topP, minP, penalty;
  std::optional<uint32_t> topK;
  for (auto [key, out] : {std::pair("temperature", &temperature),
                          {"top_p", &topP},
                          {"min_p", &minP},
                          {"repetition_penalty", &penalty}})
    if (Status status = readNumber(object, key, *out); !status.ok())
      return status;
  if (Status status = readNumber(object, "top_k", topK); !status.ok())
    return status;
  bool samples = temperature.has_value();
  if (auto it = object.find("do_sample"); it != object.end() && it->is_boolean())
    samples = it->get<bool>();
  sampling.temperature = samples ? temperature.value_or(1.0f) : 0.0f;
  sampling.topK = topK.value_or(sampling.topK);
  sampling.topP = topP.value_or(sampling.topP);
  sampling.minP = minP.value_or(sampling.minP);
  sampling.repetitionPenalty = penalty.value_or(sampling.repetitionPenalty);
  if (Status status = sampling.validate(); !status.ok())
    return bad("generation: " + status.message());
  return Status();
}

static Status readManifest(const json &root, Program &program) {
  if (auto model = root.find("model"); model != root.end() && model->is_object())
    for (const char *key : {"architecture", "name"})
      if (auto it = model->find(key);
          it != model->end() && it->is_string() && !it->get_ref<const std::string &>().empty())
        program.name = it->get<std::string>();
  if (auto it = root.find("turn_format"); it != root.end() && !it->is_null())
    if (Status status = readTurnFormat(*it, program); !status.ok())
      return status;
  if (auto it = root.find("generation"); it != root.end() && !it->is_null())
    return readGeneration(*it, program.sampling);
  return Status();
}

static Status openTokenizer(const json &root, std::optional<Span<const uint8_t>> tables,
                            Program &program) {
  if (!tables) {
    auto it = root.find("tokenizer");
    if (it == root.end() || it->is_null())
      return Status();
    std::string entry;
    if (!it->is_object())
      return bad(std::string("tokenizer: expected an object but got ") + it->type_name());
    if (Status status = readText(*it, "tokenizer", "entry", entry); !status.ok())
      return status;
    Expected<Span<const uint8_t>> section = program.model.section(entry);
    if (!section)
      return section.status();
    tables = *section;
  }
  Expected<Tokenizer> tokenizer = Tokenizer::open(*tables);
  if (!tokenizer)
    return tokenizer.status();
  if (tokenizer->size() > program.model.vocabSize())
    return Status(ErrorCode::BadFile, "expected a tokenizer of at most " +
                                          std::to_string(program.model.vocabSize()) +
                                          " pieces, the model's vocabulary, but got " +
                                          std::to_string(tokenizer->size()));
  program.tokenizer = *tokenizer;
  return Status();
}

Expected<Program> openProgram(Model model, Console &console,
                              std::optional<Span<const uint8_t>> tables) {
  Program program(std::move(model), console);
  // Model::open has bounded the depth of the manifest.
  json root = json::parse(program.model.config(), nullptr, /*allow_exceptions=*/false);
  if (!root.is_object())
    return bad("expected a JSON object");
  if (Status status = readManifest(root, program); !status.ok())
    return status;
  if (Status status = openTokenizer(root, tables, program); !status.ok())
    return status;
  return program;
}

Expected<const Tokenizer *> Program::requireTokenizer() const {
  if (!tokenizer)
    return usageError("this model was compiled without a tokenizer and cannot read or write text; "
                      "give it token ids with --ids");
  return &*tokenizer;
}

Expected<std::vector<int32_t>> Program::plainPrompt(std::string_view text,
                                                    ControlText control) const {
  Expected<const Tokenizer *> found = requireTokenizer();
  if (!found)
    return found.status();
  Expected<std::vector<int32_t>> ids = (*found)->encode(text, control);
  if (ids && (*found)->addsBos())
    ids->insert(ids->begin(), (*found)->bosId());
  return ids;
}

void CommonOptions::addBasic(ArgParser &parser) {
  parser.option("-t,--threads", "N", intoInteger(threads, 1, 1024),
                "threads; default: one for each core");
  parser.flag("-v,--verbose", verbose, "say what is used, and how long it took");
}

void CommonOptions::addSession(ArgParser &parser) {
  addBasic(parser);
  parser.option("--variant", "NAME", intoText(variant),
                "use only this variant of the code (see info)");
  parser.option("--max-context", "N", intoInteger(maxContext, 1),
                "positions; default: the smaller of the model's and 8192");
  parser.option("--max-memory", "SIZE", intoBytes(maxMemory), "refuse to start above it, e.g. 4G");
}

SessionOptions CommonOptions::session() const {
  SessionOptions options;
  options.threads = static_cast<uint32_t>(threads.value_or(0));
  options.variant = variant;
  options.maxContext = maxContext.value_or(0);
  options.maxMemory = maxMemory;
  return options;
}

std::string formatFixed(double value, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.*f", digits, value);
  return buffer;
}

std::string formatBytes(uint64_t bytes) {
  const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit < 4; ++unit)
    value /= 1024;
  return formatFixed(value, unit == 0 ? 0 : 1) + " " + units[unit];
}

Expected<Session> createSession(const Program &program, const CommonOptions &options,
                                const SessionOptions &sessionOptions) {
  Expected<Session> session = Session::create(program.model, sessionOptions);
  if (!session || !options.verbose)
    return session;
  MemoryUse memory = session->memoryUse();
  program.console.err << "model " << program.name << ", code for " << program.model.target() << ", "
                      << std::to_string(session->threads()) << " threads, context "
                      << std::to_string(session->maxContext()) << "\nmemory: weights "
                      << formatBytes(memory.weights) << ", KV cache " << formatBytes(memory.kvCache)
                      << ", workspace " << formatBytes(memory.workspace) << "\n";
  program.console.err.flush();
  return session;
}

Status prefillUnlessInterrupted(Session &session, Span<const int32_t> ids,
                                const LogitsCallback &callback) {
  const auto vocabulary = static_cast<int64_t>(session.model().vocabSize());
  // What is wrong is refused as a whole: no step runs, and messages count from the first id.
  const bool isSound =
      ids.size() <= session.maxContext() - session.pastLen() &&
      std::all_of(ids.begin(), ids.end(), [&](int32_t id) { return id >= 0 && id < vocabulary; });
  const uint64_t step = isSound ? session.model().maxChunk() : ids.size();
  for (size_t done = 0; done < ids.size() && !interrupted();) {
    Span<const int32_t> part = ids.slice(done, std::min<size_t>(step, ids.size() - done));
    if (Status status = callback ? session.prefillAll(part, callback) : session.prefill(part);
        !status.ok())
      return status;
    done += part.size();
  }
  return Status();
}

Expected<bool> parseArgs(ArgParser &parser, const std::vector<std::string> &args,
                         Console &console) {
  if (Status status = parser.parse(args); !status.ok())
    return status;
  if (!parser.helpAsked())
    return true;
  console.out << parser.help();
  return false;
}

} // namespace rlx::cli
