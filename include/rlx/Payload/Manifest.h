//===- Manifest.h - What a model binary says of itself ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The content of manifest.json, the entry of a payload that names the others.
//===----------------------------------------------------------------------===//
#ifndef RLX_PAYLOAD_MANIFEST_H
#define RLX_PAYLOAD_MANIFEST_H

#include "llvm/ADT/ArrayRef.h"
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace rlx {

/// The version of the manifest's keys; a runtime refuses others.
constexpr int kPayloadFormat = 1;

/// An entry of the payload.
struct ManifestEntry {
  std::string entry;
  uint64_t bytes = 0;
  std::string sha256; ///< lower-case hexadecimal
};

struct ManifestCode : ManifestEntry {
  std::string target;
  std::vector<std::string> cpuFeatures; ///< LLVM's names
};

struct ManifestVariant {
  std::string name, role;
  uint64_t seqMin = 1, seqMax = 1, pastMin = 0, pastMax = 0;
};

struct ModelManifest {
  nlohmann::json model;   ///< as ModelConfig's toJson gives it
  nlohmann::json options; ///< resolved compile options
  std::vector<ManifestCode> code;
  ManifestEntry weights;
  std::optional<ManifestEntry> tokenizer, mtp;
  nlohmann::json turnFormat;                            ///< null for plain completion
  nlohmann::json generation = nlohmann::json::object(); ///< the authors' sampling defaults
  uint64_t maxContext = 0;
  uint64_t chunk = 0; ///< most tokens of one step
  std::string kvType;
  std::vector<ManifestVariant> variants;
};

/// The text of manifest.json; the same manifest gives the same text.
std::string writeManifest(const ModelManifest &manifest);

/// Lower-case hexadecimal SHA-256 of `bytes`.
std::string sha256Text(llvm::ArrayRef<uint8_t> bytes);

} // namespace rlx

#endif // RLX_PAYLOAD_MANIFEST_H
