//===- Manifest.cpp - What a model binary says of itself ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Writes manifest.json.
//===----------------------------------------------------------------------===//
#include "rlx/Payload/Manifest.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace rlx;
// Keys stay in the order of insertion, for people who read the file.
using json = nlohmann::ordered_json;

static json toJson(const ManifestEntry &entry) {
  return {{"entry", entry.entry}, {"bytes", entry.bytes}, {"sha256", entry.sha256}};
}

static json toJson(const ManifestCode &code) {
  return {{"target", code.target},
          {"entry", code.entry},
          {"bytes", code.bytes},
          {"cpu_features", code.cpuFeatures},
          {"sha256", code.sha256}};
}

static json toJson(const ManifestVariant &variant) {
  return {{"name", variant.name},
          {"role", variant.role},
          {"seq", {variant.seqMin, variant.seqMax}},
          {"past", {variant.pastMin, variant.pastMax}}};
}

template <typename T> static json listToJson(const std::vector<T> &list) {
  json result = json::array();
  for (const T &item : list)
    result.push_back(toJson(item));
  return result;
}

std::string rlx::writeManifest(const ModelManifest &manifest) {
  json root;
  root["format"] = kPayloadFormat;
  root["compiler"] = {{"name", "rlx-compile"}, {"version", RLX_VERSION}};
  root["model"] = manifest.model;
  root["options"] = manifest.options;
  root["code"] = listToJson(manifest.code);
  root["weights"] = toJson(manifest.weights);
  root["tokenizer"] = manifest.tokenizer ? toJson(*manifest.tokenizer) : json();
  if (manifest.mtp)
    root["mtp"] = toJson(*manifest.mtp);
  root["turn_format"] = manifest.turnFormat;
  root["generation"] = manifest.generation;
  root["max_context"] = manifest.maxContext;
  root["chunk"] = manifest.chunk;
  root["kv_type"] = manifest.kvType;
  root["variants"] = listToJson(manifest.variants);
  // Bytes that are no UTF-8 (a name in a GGUF file) must not throw.
  return root.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string rlx::sha256Text(llvm::ArrayRef<uint8_t> bytes) {
  return llvm::toHex(llvm::SHA256::hash(bytes), /*LowerCase=*/true);
}
