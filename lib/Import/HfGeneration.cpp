//===- HfGeneration.cpp - Hugging Face's other JSON files -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// generation_config.json, and where chat templates are kept.
//===----------------------------------------------------------------------===//
#include "Error.h"
#include "Json.h"
#include "rlx/Import/HfConfig.h"
#include "llvm/ADT/STLExtras.h"

using namespace rlx;
using nlohmann::json;

llvm::Error rlx::addGenerationConfig(llvm::StringRef path, llvm::StringRef text,
                                     ModelConfig &config) {
  llvm::Expected<json> root = parseJsonObject(path, text);
  if (!root)
    return root.takeError();
  JsonReader reader(path, *root);
  constexpr int64_t maxInt = INT32_MAX;
  GenerationConfig &generation = config.generation;
  generation.doSample = reader.boolean("do_sample");
  generation.temperature = reader.number("temperature");
  generation.topK = reader.integer("top_k", 0, maxInt);
  generation.topP = reader.number("top_p");
  generation.minP = reader.number("min_p");
  generation.repetitionPenalty = reader.positive("repetition_penalty");
  for (int64_t id : reader.integers("eos_token_id", 0, maxInt))
    if (!llvm::is_contained(config.eosTokens, id))
      config.eosTokens.push_back(id);
  llvm::sort(config.eosTokens);
  if (reader.failed())
    return reader.takeError();
  if (generation.temperature && *generation.temperature < 0)
    return importError("{0}: key 'temperature': expected 0 or more but got {1}", path,
                       *generation.temperature);
  for (auto [key, value] : {std::pair("top_p", generation.topP), {"min_p", generation.minP}})
    if (value && (*value < 0 || *value > 1))
      return importError("{0}: key '{1}': expected a number from 0 to 1 but got {2}", path, key,
                         *value);
  return validate(config, path);
}

llvm::Expected<std::string> rlx::parseChatTemplate(llvm::StringRef path, llvm::StringRef text) {
  llvm::Expected<json> root = parseJsonObject(path, text);
  if (!root)
    return root.takeError();
  JsonReader reader(path, *root);
  const json *value = reader.value("chat_template");
  if (!value)
    return std::string();
  if (value->is_string())
    return value->get<std::string>();
  // Several templates by name: the one called "default" is for chat.
  if (value->is_array())
    for (const json &entry : *value)
      if (entry.is_object() && entry.value("name", json()) == "default" &&
          entry.value("template", json()).is_string())
        return entry["template"].get<std::string>();
  return importError("{0}: key 'chat_template': expected a string, or a list with one that is "
                     "named 'default'",
                     path);
}
