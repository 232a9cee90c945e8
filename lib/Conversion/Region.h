//===- Region.h - What a kernel reads and writes ----------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory regions, and the tracker that tells where a barrier is needed.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_CONVERSION_REGION_H
#define RLX_LIB_CONVERSION_REGION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace rlx {

/// A range of columns in rows of a buffer. Sizes are those at the symbols' maxima.
struct Region {
  enum class Space { Workspace, Logits, Hidden, Cache };
  Space space = Space::Workspace;
  int64_t begin = 0, end = 0;             ///< the buffer, in bytes; in the cache, the slot's index
  int64_t stride = 0;                     ///< bytes from one row to the next
  int64_t columnBegin = 0, columnEnd = 0; ///< bytes within a row

  /// The slot with this index.
  static Region cacheSlot(int64_t index);

  bool isSameView(const Region &other) const;
  bool overlaps(const Region &other) const;
};

/// The kernels since the last barrier, by what they touch.
class AccessTracker {
public:
  /// Notes a kernel. Returns whether a barrier has to stand before it.
  bool add(llvm::ArrayRef<Region> reads, llvm::ArrayRef<Region> writes);

private:
  llvm::SmallVector<Region> read, written;
};

} // namespace rlx

#endif // RLX_LIB_CONVERSION_REGION_H
