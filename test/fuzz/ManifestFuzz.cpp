//===-- ManifestFuzz.cpp - manifest of a payload -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Parses any text as a manifest, of a file and of a model in memory.
//===----------------------------------------------------------------------===//
#include "manifest.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  rlx::Expected<rlx::Manifest> file = rlx::parseManifest(text);
  rlx::Expected<rlx::Manifest> embedded = rlx::parseEmbeddedManifest(text);
  // What a file may say, a model in memory may say too.
  if (file && (!embedded || file->code.empty() || file->eosIds != embedded->eosIds))
    std::abort();
  return 0;
}
