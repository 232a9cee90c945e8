//===- ShardIndexFuzz.cpp - Fuzzes the index of sharded checkpoints -------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Any text gives an index whose files lie beside it, or an error.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Safetensors.h"
#include <cstdlib>

using namespace rlx;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  llvm::Expected<ShardIndex> index = parseShardIndex("fuzz.json", text);
  if (!index) {
    llvm::consumeError(index.takeError());
    return 0;
  }
  for (const ShardIndex::Shard &shard : index->shards)
    if (shard.tensors.empty() || shard.file.find('/') != std::string::npos)
      std::abort();
  return 0;
}
