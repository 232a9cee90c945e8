//===- RowReader.h - Rows of a weight, ready to be laid out -----*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Reads the rows of a recipe's combined sources in packed order, transformed.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_PACKING_ROWREADER_H
#define RLX_LIB_PACKING_ROWREADER_H

#include "rlx/Packing/PackWeights.h"

namespace rlx {

/// Memory for one row; each thread has its own.
struct RowBuffer {
  std::vector<float> values;
  std::vector<int8_t> quants;   ///< formats with blocks only
  std::vector<uint16_t> scales; ///< f16 bits, one for each block
};

/// Immutable, so that threads share it.
class RowReader {
public:
  explicit RowReader(const WeightRecipe &recipe);

  /// Rows in packed order, padding between sources included (not that at the end).
  uint64_t packedRows() const { return rowCount; }

  /// Fills `buffer.values`, or for formats with blocks `quants` and `scales`, with
  /// packed row `row`. Rows of padding, also those behind the end, are zero.
  void read(uint64_t row, RowBuffer &buffer) const;

private:
  struct Place {
    const Tensor *tensor; ///< null for padding
    uint64_t row;
  };
  Place locate(uint64_t row) const;

  const WeightRecipe &recipe;
  uint64_t rowCount;
  bool exact; ///< stored blocks are kept as they are
};

} // namespace rlx

#endif // RLX_LIB_PACKING_ROWREADER_H
