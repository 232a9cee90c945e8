//===- Checkpoint.h - Opening whatever holds a model ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Finds and reads everything that a compile needs from the user's INPUT.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_CHECKPOINT_H
#define RLX_IMPORT_CHECKPOINT_H

#include "rlx/Import/ModelConfig.h"
#include "rlx/Import/Vocabulary.h"
#include "rlx/Import/WeightSource.h"
#include <memory>
#include <optional>
#include <string>

namespace rlx {

enum class InputKind : uint8_t { HuggingFaceFolder, Safetensors, SafetensorsIndex, Gguf };

struct CheckpointOptions {
  /// Replaces the config.json beside the weights; for a GGUF it is an error.
  std::string configFile;
};

struct Checkpoint {
  InputKind kind = InputKind::HuggingFaceFolder;
  std::string input;  ///< as the user gave it
  std::string folder; ///< the one that holds the weights, for files beside them
  std::unique_ptr<WeightSource> weights;
  ModelConfig config;
  /// Tokenizer: a `tokenizer.model` file, an embedded vocabulary, or neither.
  std::string tokenizerFile;
  std::optional<Vocabulary> vocabulary;
  /// The files that were read besides the weights.
  std::vector<std::string> otherFiles;
  /// What the user should know about files that were not used, or not as they say, a
  /// line each.
  std::vector<std::string> notes;
};

/// Opens a Hugging Face folder, a safetensors file or index, or a GGUF file,
/// told apart by content and through symbolic links.
llvm::Expected<Checkpoint> openCheckpoint(llvm::StringRef input,
                                          const CheckpointOptions &options = {});

} // namespace rlx

#endif // RLX_IMPORT_CHECKPOINT_H
