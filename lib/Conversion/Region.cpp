//===- Region.cpp - What a kernel reads and writes ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Overlap of memory regions.
//
//===----------------------------------------------------------------------===//
#include "Region.h"
#include "llvm/ADT/STLExtras.h"

using namespace rlx;

Region Region::cacheSlot(int64_t index) {
  Region region;
  region.space = Space::Cache;
  region.begin = index;
  region.end = index + 1;
  return region;
}

bool Region::isSameView(const Region &other) const {
  return space == other.space && begin + columnBegin == other.begin + other.columnBegin &&
         stride == other.stride && columnEnd - columnBegin == other.columnEnd - other.columnBegin;
}

bool Region::overlaps(const Region &other) const {
  if (space != other.space || begin >= other.end || other.begin >= end)
    return false;
  bool sameRows = begin == other.begin && stride == other.stride && stride != 0;
  return !sameRows || (columnBegin < other.columnEnd && other.columnBegin < columnEnd);
}

static bool overlapsAny(const Region &region, llvm::ArrayRef<Region> others) {
  return llvm::any_of(others, [&](const Region &other) { return region.overlaps(other); });
}

bool AccessTracker::add(llvm::ArrayRef<Region> reads, llvm::ArrayRef<Region> writes) {
  bool conflict =
      llvm::any_of(reads, [&](const Region &region) { return overlapsAny(region, written); }) ||
      llvm::any_of(writes, [&](const Region &region) {
        return overlapsAny(region, written) || overlapsAny(region, read);
      });
  if (conflict) {
    read.clear();
    written.clear();
  }
  read.append(reads.begin(), reads.end());
  written.append(writes.begin(), writes.end());
  return conflict;
}
