//===- GgufFuzz.cpp - Fuzzes the GGUF importer ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Any bytes give a file or an error: container, metadata, vocabulary, tensors.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Dequantize.h"
#include "rlx/Import/Gguf.h"
#include <nlohmann/json.hpp>
#include <vector>

using namespace rlx;

/// Reads the first and the last row: every byte of a tensor must be mapped.
static void readRows(const Tensor &tensor) {
  if (tensor.type == DType::Unsupported || tensor.numElements() == 0)
    return;
  std::vector<float> row(tensor.shape.empty() ? 1 : tensor.shape.back());
  dequantizeRow(tensor.type, tensor.bytes.take_front(tensor.rowBytes()), row);
  dequantizeRow(tensor.type, tensor.bytes.take_back(tensor.rowBytes()), row);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::Expected<GgufFile> file = parseGguf("fuzz.gguf", {data, size});
  if (!file) {
    llvm::consumeError(file.takeError());
    return 0;
  }
  for (const auto &entry : file->metadata) {
    const GgufValue &value = entry.getValue();
    value.asInteger();
    value.asNumber();
    value.asBool();
    value.asString();
    value.asIntegers();
    value.asFloats();
    value.asStrings();
  }
  for (const Tensor &tensor : file->tensors)
    readRows(tensor);
  std::vector<std::string> notes;
  llvm::Expected<ModelConfig> config = readGgufConfig("fuzz.gguf", *file, notes);
  if (config)
    toJson(*config).dump(); // throws for text that is not UTF-8
  else
    llvm::consumeError(config.takeError());
  llvm::Expected<std::optional<Vocabulary>> vocabulary =
      readGgufVocabulary("fuzz.gguf", *file, /*size=*/1 << 16);
  if (!vocabulary)
    llvm::consumeError(vocabulary.takeError());
  return 0;
}
