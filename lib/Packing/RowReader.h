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

#include "rlx/Import/Dequantize.h"
#include "rlx/Packing/PackWeights.h"

namespace rlx {

/// Squared sums over quantised rows.
struct SquaredError {
  double error = 0, values = 0;
};

/// Memory for one row; each thread has its own.
struct RowBuffer {
  std::vector<float> values;
  BlockRow blocks;     ///< quantised formats only
  SquaredError errors; ///< of the row just read; zero where nothing was quantised
};

/// Immutable, so that threads share it.
class RowReader {
public:
  explicit RowReader(const WeightRecipe &recipe);

  /// Rows in packed order, padding between sources included (not that at the end).
  uint64_t packedRows() const { return rowCount; }

  /// Whether rows are quantised here, rather than kept as they are stored.
  bool quantizes() const { return isQuantized(recipe.format) && !exact; }

  /// Fills `buffer.values`, or for quantised formats `buffer.blocks`, with packed row
  /// `row`. Rows of padding, also those behind the end, are zero.
  void read(uint64_t row, RowBuffer &buffer) const;

private:
  struct Place {
    const Tensor *tensor; ///< null for padding
    uint64_t row;
  };
  Place locate(uint64_t row) const;
  void readPadding(RowBuffer &buffer) const;

  const WeightRecipe &recipe;
  uint64_t rowCount;
  bool exact; ///< stored blocks are kept as they are
};

} // namespace rlx

#endif // RLX_LIB_PACKING_ROWREADER_H
