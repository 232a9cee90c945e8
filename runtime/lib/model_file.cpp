//===-- runtime/lib/model_file.cpp - opens a model file -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Opens a model file: manifest, code object for this CPU, weights.
//===----------------------------------------------------------------------===//
#include "cpu_features.h"
#include "model_impl.h"
#include "sha256.h"

#include <algorithm>
#include <cstring>

namespace rlx {

static Status prefixed(const Payload &payload, const Status &status) {
  return Status(status.code(), payload.path() + ": " + status.message());
}

static Status loadManifest(Model::Impl &impl) {
  const Payload &payload = *impl.payload;
  Expected<const ZipEntry *> entry = payload.require("manifest.json", 1);
  if (!entry)
    return entry.status();
  Span<const uint8_t> bytes = payload.bytes(**entry);
  constexpr uint64_t limit = uint64_t(64) << 20;
  if (bytes.size() > limit)
    return prefixed(payload, Status(ErrorCode::BadFile, "manifest.json: expected at most " +
                                                            std::to_string(limit) + " bytes"));
  if (zipCrc32(bytes) != (*entry)->crc32)
    return prefixed(payload,
                    Status(ErrorCode::BadFile, "manifest.json: the checksum does not match"));
  impl.manifestText.assign(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  Expected<Manifest> manifest = parseManifest(impl.manifestText);
  if (!manifest)
    return prefixed(payload, manifest.status());
  impl.manifest = std::move(*manifest);
  return Status();
}

static std::string join(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// The index of the code object to use.
static Expected<size_t> chooseCode(const Model::Impl &impl, const std::string &target) {
  const std::vector<CodeEntry> &code = impl.manifest.code;
  std::string reasons;
  const CodeEntry *best = nullptr;
  for (const CodeEntry &entry : code) {
    if (!target.empty() && entry.target != target)
      continue;
    std::vector<std::string> missing = missingCpuFeatures(entry.cpuFeatures);
    if (!missing.empty())
      reasons += (reasons.empty() ? "" : "; ") + entry.target + " needs " + join(missing);
    else if (!best || entry.cpuFeatures.size() > best->cpuFeatures.size())
      best = &entry;
  }
  if (best)
    return static_cast<size_t>(best - code.data());
  if (!reasons.empty())
    return Status(ErrorCode::Unsupported, "this CPU lacks features the model was compiled for (" +
                                              reasons +
                                              "); compile it with --target-cpu for this CPU");
  std::string targets;
  for (const CodeEntry &entry : code)
    targets += (targets.empty() ? "" : ", ") + entry.target;
  return Status(ErrorCode::InvalidArgument,
                "the model has no code for target '" + target + "'; it has " + targets);
}

static Status loadCode(Model::Impl &impl, const std::string &target) {
  const Payload &payload = *impl.payload;
  Expected<size_t> index = chooseCode(impl, target);
  if (!index)
    return prefixed(payload, index.status());
  impl.codeIndex = *index;
  const CodeEntry &code = impl.manifest.code[*index];
  Expected<const ZipEntry *> entry = payload.require(code.entry, payloadAlignment);
  if (!entry)
    return entry.status();
  Span<const uint8_t> bytes = payload.bytes(**entry);
  std::string name = payload.path() + ": " + code.entry;
  // What is about to run is checked in full; weights only by Model::verify.
  if (hexDigits(sha256(bytes)) != code.sha256)
    return Status(ErrorCode::BadFile, name + ": the code differs from the manifest's SHA-256; the "
                                             "file is corrupt");
  Expected<LoadedCode> loaded =
      LoadedCode::load(payload.descriptor(), (*entry)->offset, bytes, name);
  if (!loaded)
    return loaded.status();
  impl.code = std::move(*loaded);
  Expected<const rlx_model_t *> table = queryTable(impl.code.query(), name);
  if (!table)
    return table.status();
  impl.table = *table;
  return Status();
}

static Status loadWeights(Model::Impl &impl) {
  const Payload &payload = *impl.payload;
  const Manifest &manifest = impl.manifest;
  Expected<const ZipEntry *> entry = payload.require(manifest.weightsEntry, payloadAlignment);
  if (!entry)
    return entry.status();
  auto bad = [&](const std::string &message) {
    return Status(ErrorCode::BadFile,
                  payload.path() + ": entry '" + manifest.weightsEntry + "': " + message);
  };
  for (auto [bytes, who] : {std::pair{manifest.weightsBytes, "the manifest"},
                            std::pair{impl.table->weights_bytes, "the code"}})
    if ((*entry)->size != bytes)
      return bad(std::string("expected the ") + std::to_string(bytes) + " bytes of " + who +
                 " but got " + std::to_string((*entry)->size));
  Sha256 expected;
  std::memcpy(expected.data(), impl.table->weights_hash, expected.size());
  bool isBound = expected != Sha256{}; // all zeros: code for any weights of this layout
  if (isBound && hexDigits(expected) != manifest.weightsSha256)
    return bad("the code was compiled for other weights (SHA-256 " + hexDigits(expected) +
               ") than the manifest names (" + manifest.weightsSha256 + ")");
  impl.weights = payload.bytes(**entry);
  return Status();
}

Status loadPayload(Model::Impl &impl, const std::string &path, const std::string &target) {
  Expected<Payload> payload = Payload::open(path);
  if (!payload)
    return payload.status();
  impl.payload.emplace(std::move(*payload));
  if (Status status = loadManifest(impl); !status.ok())
    return status;
  if (Status status = loadCode(impl, target); !status.ok())
    return status;
  return loadWeights(impl);
}

} // namespace rlx
