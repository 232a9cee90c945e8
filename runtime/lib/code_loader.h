//===-- runtime/lib/code_loader.h - maps a code object -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Maps a code object from a file into memory and finds its query function.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_CODE_LOADER_H
#define RLX_RUNTIME_LIB_CODE_LOADER_H

#include "elf_image.h"
#include "memory.h"

#include "rlx/runtime/abi.h"

namespace rlx {

/// A mapped code object; its code and tables live as long as it does.
class LoadedCode {
public:
  /// Maps the object whose bytes `image` are at `fileOffset` of `descriptor`.
  static Expected<LoadedCode> load(int descriptor, uint64_t fileOffset, Span<const uint8_t> image,
                                   const std::string &name);
  rlx_query_fn query() const { return function; }

private:
  MappedRegion memory;
  rlx_query_fn function = nullptr;
};

/// Calls the query function and checks that the table it returns is one this
/// runtime can use.
Expected<const rlx_model_t *> queryTable(rlx_query_fn query, const std::string &name);

/// The checks of queryTable on a table at hand.
Status checkTable(const rlx_model_t &table, const std::string &name);

} // namespace rlx

#endif // RLX_RUNTIME_LIB_CODE_LOADER_H
