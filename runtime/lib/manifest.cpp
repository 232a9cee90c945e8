//===-- runtime/lib/manifest.cpp - what a payload says about itself -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the manifest parser; every error names the key.
//===----------------------------------------------------------------------===//
#include "manifest.h"

#include <nlohmann/json.hpp>

namespace rlx {

using nlohmann::json;

// Deeper JSON would overflow the stack of recursive algorithms on it.
constexpr int depthLimit = 64;

static Status bad(const std::string &message) {
  return Status(ErrorCode::BadFile, "manifest.json: " + message);
}

static bool isTooDeep(const std::string &text) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      if (++depth > depthLimit)
        return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

static Expected<json> parseObject(const std::string &text) {
  if (isTooDeep(text))
    return bad("nested deeper than " + std::to_string(depthLimit) + " levels");
  json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded())
    return bad("is not valid JSON");
  if (!root.is_object())
    return bad(std::string("expected an object but got ") + root.type_name());
  return root;
}

/// The member `key` of `object`, or null.
static const json *find(const json &object, const char *key) {
  auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

static Status wrongType(const std::string &path, const char *expected, const json *value) {
  return bad(path + ": expected " + expected + " but got " +
             (value ? value->type_name() : "nothing"));
}

static Status readString(const json &object, const std::string &where, const char *key,
                         std::string &out) {
  const json *value = find(object, key);
  if (!value || !value->is_string())
    return wrongType(where + key, "a string", value);
  out = value->get<std::string>();
  return Status();
}

static Status readHash(const json &object, const std::string &where, std::string &out) {
  if (Status status = readString(object, where, "sha256", out); !status.ok())
    return status;
  if (out.size() != 64 || out.find_first_not_of("0123456789abcdef") != std::string::npos)
    return bad(where + "sha256: expected 64 lower-case hexadecimal digits but got '" + out + "'");
  return Status();
}

static Expected<CodeEntry> readCode(const json &object, size_t index) {
  std::string where = "code[" + std::to_string(index) + "]";
  if (!object.is_object())
    return wrongType(where, "an object", &object);
  where += ".";
  CodeEntry code;
  for (auto [key, field] : {std::pair{"target", &code.target}, std::pair{"entry", &code.entry}})
    if (Status status = readString(object, where, key, *field); !status.ok())
      return status;
  if (Status status = readHash(object, where, code.sha256); !status.ok())
    return status;
  const json *features = find(object, "cpu_features");
  if (!features || !features->is_array())
    return wrongType(where + "cpu_features", "an array", features);
  for (const json &feature : *features) {
    if (!feature.is_string())
      return wrongType(where + "cpu_features", "strings", &feature);
    code.cpuFeatures.push_back(feature.get<std::string>());
  }
  return code;
}

static Status readRequired(const json &root, Manifest &manifest) {
  const json *format = find(root, "format");
  if (!format || !format->is_number_integer())
    return wrongType("format", "an integer", format);
  if (*format != payloadFormat)
    return bad("expected format " + std::to_string(payloadFormat) + " but got " + format->dump() +
               "; compile the model again with the compiler that belongs to this runtime");
  const json *code = find(root, "code");
  if (!code || !code->is_array() || code->empty())
    return wrongType("code", "an array of at least one object", code);
  for (size_t i = 0; i < code->size(); ++i) {
    Expected<CodeEntry> entry = readCode((*code)[i], i);
    if (!entry)
      return entry.status();
    manifest.code.push_back(std::move(*entry));
  }
  const json *weights = find(root, "weights");
  if (!weights || !weights->is_object())
    return wrongType("weights", "an object", weights);
  if (Status status = readString(*weights, "weights.", "entry", manifest.weightsEntry);
      !status.ok())
    return status;
  const json *bytes = find(*weights, "bytes");
  if (!bytes || !bytes->is_number_unsigned())
    return wrongType("weights.bytes", "an unsigned integer", bytes);
  manifest.weightsBytes = bytes->get<uint64_t>();
  return readHash(*weights, "weights.", manifest.weightsSha256);
}

static Status readEosIds(const json &model, std::vector<int32_t> &ids) {
  const json *list = find(model, "eos_token_ids");
  if (!list)
    return Status();
  if (!list->is_array())
    return wrongType("model.eos_token_ids", "an array", list);
  for (const json &id : *list) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > INT32_MAX)
      return bad("model.eos_token_ids: expected token ids but got " + id.dump());
    ids.push_back(id.get<int32_t>());
  }
  return Status();
}

static Status readLayers(const json &model, std::vector<uint32_t> &slots) {
  const json *layers = find(model, "layers");
  if (!layers || !layers->is_array())
    return Status();
  for (size_t i = 0; i < layers->size(); ++i) {
    const json &layer = (*layers)[i];
    const json *slot = layer.is_object() ? find(layer, "kv_slot") : nullptr;
    if (!slot) {
      slots.push_back(static_cast<uint32_t>(i));
      continue;
    }
    if (!slot->is_number_unsigned() || slot->get<uint64_t>() > UINT32_MAX)
      return bad("model.layers[" + std::to_string(i) +
                 "].kv_slot: expected a slot number but got " + slot->dump());
    slots.push_back(slot->get<uint32_t>());
  }
  return Status();
}

static Status readModel(const json &root, Manifest &manifest) {
  const json *model = find(root, "model");
  if (!model)
    return Status();
  if (!model->is_object())
    return wrongType("model", "an object", model);
  if (Status status = readEosIds(*model, manifest.eosIds); !status.ok())
    return status;
  return readLayers(*model, manifest.layerSlots);
}

static Expected<Manifest> parse(const std::string &text, bool embedded) {
  Expected<json> root = parseObject(text);
  if (!root)
    return root.status();
  Manifest manifest;
  if (!embedded)
    if (Status status = readRequired(*root, manifest); !status.ok())
      return status;
  if (Status status = readModel(*root, manifest); !status.ok())
    return status;
  return manifest;
}

Expected<Manifest> parseManifest(const std::string &text) { return parse(text, false); }
Expected<Manifest> parseEmbeddedManifest(const std::string &text) { return parse(text, true); }

} // namespace rlx
