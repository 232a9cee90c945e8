//===- HfConfigFuzz.cpp - Fuzzes the readers of Hugging Face's JSON -------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Any text gives a model that passes its own checks, or an error.
//===----------------------------------------------------------------------===//
#include "rlx/Import/HfConfig.h"
#include <cstdlib>
#include <nlohmann/json.hpp>

using namespace rlx;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  llvm::Expected<std::string> chatTemplate = parseChatTemplate("fuzz.json", text);
  if (!chatTemplate)
    llvm::consumeError(chatTemplate.takeError());
  llvm::Expected<ModelConfig> config = parseHfConfig("fuzz.json", text);
  if (!config) {
    llvm::consumeError(config.takeError());
    return 0;
  }
  if (llvm::Error error = validate(*config, "fuzz.json")) {
    llvm::consumeError(std::move(error));
    std::abort();
  }
  llvm::consumeError(addGenerationConfig("fuzz.json", text, *config));
  if (toJson(*config).dump().empty())
    std::abort();
  return 0;
}
