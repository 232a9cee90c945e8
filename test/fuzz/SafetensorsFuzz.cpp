//===- SafetensorsFuzz.cpp - Fuzzes the safetensors parser ----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Any bytes give tensors that lie within them, or an error.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Safetensors.h"
#include <cstdlib>

using namespace rlx;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::Expected<std::vector<Tensor>> tensors = parseSafetensors("fuzz", {data, size});
  if (!tensors) {
    llvm::consumeError(tensors.takeError());
    return 0;
  }
  for (const Tensor &tensor : *tensors)
    if (tensor.offset > size || tensor.bytes.size() > size - tensor.offset ||
        tensor.bytes.data() != data + tensor.offset)
      std::abort();
  return 0;
}
