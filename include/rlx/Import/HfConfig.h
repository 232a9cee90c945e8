//===- HfConfig.h - Hugging Face's JSON files -----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Readers of the JSON files of a Hugging Face model folder.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_HFCONFIG_H
#define RLX_IMPORT_HFCONFIG_H

#include "rlx/Import/ModelConfig.h"

namespace rlx {

/// The model that a config.json describes; absent keys take the defaults of the
/// model's class in Hugging Face's library. `path` is for messages.
llvm::Expected<ModelConfig> parseHfConfig(llvm::StringRef path, llvm::StringRef text);

/// Adds what a generation_config.json says: sampling defaults, special tokens.
llvm::Error addGenerationConfig(llvm::StringRef path, llvm::StringRef text, ModelConfig &config);

/// The chat template in a tokenizer_config.json or chat_template.json; empty if
/// there is none.
llvm::Expected<std::string> parseChatTemplate(llvm::StringRef path, llvm::StringRef text);

} // namespace rlx

#endif // RLX_IMPORT_HFCONFIG_H
