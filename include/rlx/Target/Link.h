//===- Link.h - Objects to a shared object, in memory -----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linking with lld as a library. A code object is an ELF image that needs no
// dynamic linker: its only relocations are relative, so the runtime maps its
// segments, adds the base and calls it.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TARGET_LINK_H
#define RLX_TARGET_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <array>

namespace rlx {

struct LinkOptions {
  /// Leaves undefined symbols to the process that loads the object. Only code
  /// with a sanitizer needs it; the runtime's own loader refuses such objects.
  bool allowUndefined = false;
};

/// Links ELF objects of one machine into a shared object. Nothing is written to
/// a disk, so a full one cannot break it. Same input, same bytes. May be called
/// from several threads, one link runs at a time. lld resets every cl::opt.
llvm::Expected<llvm::SmallVector<char, 0>>
linkSharedObject(llvm::ArrayRef<llvm::ArrayRef<char>> objects, const LinkOptions &options = {});

using WeightsHash = std::array<uint8_t, 32>;

/// Writes the SHA-256 of the packed weights into the model table of a
/// relocatable or shared object. The hash is known only when packing ends, code
/// generation need not wait for it.
llvm::Error setWeightsHash(llvm::MutableArrayRef<char> object, const WeightsHash &hash);

} // namespace rlx

#endif // RLX_TARGET_LINK_H
