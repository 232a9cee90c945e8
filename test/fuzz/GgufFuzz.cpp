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
#include <vector>

using namespace rlx;

template <typename T> static bool drop(llvm::Expected<T> result) {
  if (result)
    return true;
  llvm::consumeError(result.takeError());
  return false;
}

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
  drop(readGgufConfig("fuzz.gguf", *file));
  drop(readGgufVocabulary("fuzz.gguf", *file));
  return 0;
}
