//===-- runtime/lib/manifest.h - what a payload says about itself -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The parts of manifest.json that the runtime itself needs.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_MANIFEST_H
#define RLX_RUNTIME_LIB_MANIFEST_H

#include "rlx/runtime/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace rlx {

/// The payload format that this runtime reads.
constexpr int64_t payloadFormat = 1;

struct CodeEntry {
  std::string target;
  std::string entry;
  std::vector<std::string> cpuFeatures;
  std::string sha256;
};

struct Manifest {
  std::vector<CodeEntry> code;
  std::string weightsEntry;
  uint64_t weightsBytes = 0;
  std::string weightsSha256;
  std::vector<int32_t> eosIds;
  /// The KV slot of each layer; empty where layers and slots are the same.
  std::vector<uint32_t> layerSlots;
};

/// Parses the manifest of a payload: format, code and weights are required.
Expected<Manifest> parseManifest(const std::string &text);

/// Parses the manifest of a model in memory, where everything is optional.
Expected<Manifest> parseEmbeddedManifest(const std::string &text);

} // namespace rlx

#endif // RLX_RUNTIME_LIB_MANIFEST_H
