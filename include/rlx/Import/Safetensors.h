//===- Safetensors.h - The safetensors container --------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Parsers of safetensors headers and of the index of a sharded checkpoint.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_SAFETENSORS_H
#define RLX_IMPORT_SAFETENSORS_H

#include "rlx/Import/WeightSource.h"

namespace rlx {

/// Whether `bytes` begin as a safetensors file does.
bool looksLikeSafetensors(llvm::ArrayRef<uint8_t> bytes);

/// The tensors of file `path`, whose content is `bytes`, by rising offset.
llvm::Expected<std::vector<Tensor>> parseSafetensors(llvm::StringRef path,
                                                     llvm::ArrayRef<uint8_t> bytes);

/// Which file, named relative to the index, holds which tensors.
struct ShardIndex {
  struct Shard {
    std::string file;
    std::vector<std::string> tensors;
  };
  std::vector<Shard> shards; ///< by rising file name
};

llvm::Expected<ShardIndex> parseShardIndex(llvm::StringRef path, llvm::StringRef text);

} // namespace rlx

#endif // RLX_IMPORT_SAFETENSORS_H
