//===- RowConverter.h - Activations as products read them -------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Converts rows of f32 to the formats of ActivationFormat. The layouts are described
// there and at preparedRowBytes.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_ROWCONVERTER_H
#define RLX_LIB_KERNELS_ROWCONVERTER_H

#include "KernelBuilder.h"

namespace rlx {

/// Writes one row of k activations, which it reads through `load(column, lanes)`.
class RowConverter {
public:
  using Load = llvm::function_ref<mlir::Value(mlir::Value, int64_t)>;

  /// Row `row` of the prepared buffer at `buffer`.
  RowConverter(KernelBuilder &b, ActivationFormat format, int64_t k, mlir::Value buffer,
               mlir::Value row, Load load);

  /// All columns, with their padding.
  void emitRow();
  /// Columns `column` … `column` + count - 1, both multiples of 16; in the integer formats, of 32.
  void emitColumns(mlir::Value column, int64_t count);

private:
  void emitVector(mlir::Value column, int64_t lanes);
  void emitPadding();
  void emitBlock(mlir::Value column);
  void emitSums(mlir::Value column, llvm::ArrayRef<mlir::Value> sums, mlir::Value scale);
  bool isInteger() const { return dotProduct(format) == DotProduct::Int8; }
  /// Where a column of 2 bytes is.
  mlir::Value placeOfBF16(mlir::Value column);

  KernelBuilder &b;
  ActivationFormat format;
  int64_t k;
  mlir::Value out; ///< of the row
  Load load;
};

} // namespace rlx

#endif // RLX_LIB_KERNELS_ROWCONVERTER_H
