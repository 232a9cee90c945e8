//===- Reference.h - What each op computes, on arrays -----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The formulas of the dialect, as functions of arrays and weights. Written to be
// read beside the op descriptions, not to be fast.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_INTERPRETER_REFERENCE_H
#define RLX_LIB_INTERPRETER_REFERENCE_H

#include "rlx/Interpreter/Interpreter.h"

namespace rlx::reference {

/// Rounds and sums as InterpreterOptions::arithmetic says.
class Arithmetic {
public:
  explicit Arithmetic(InterpreterOptions::Arithmetic kind)
      : single(kind == InterpreterOptions::Arithmetic::Single) {}

  double round(double value) const { return single ? static_cast<float>(value) : value; }
  /// sum + a * b, rounded once.
  double multiplyAdd(double a, double b, double sum) const;
  double dot(llvm::ArrayRef<double> a, llvm::ArrayRef<double> b) const;

private:
  bool single;
};

double gelu(double x);
double softcap(double x, double cap);

/// Applies `function` to each element, and rounds.
Array map(const Arithmetic &arithmetic, const Array &x,
          llvm::function_ref<double(double)> function);
Array map(const Arithmetic &arithmetic, const Array &x, const Array &y,
          llvm::function_ref<double(double, double)> function);

/// x * rsqrt(mean(x²) + eps) * gain over the last dimension.
Array rmsNorm(const Arithmetic &arithmetic, const Array &x, llvm::ArrayRef<double> gain,
              double eps);

/// Gives row n of a weight.
using ReadRow = llvm::function_ref<llvm::Error(int64_t n, llvm::MutableArrayRef<float> values)>;

/// y[…, n] = Σ_k x[…, k] W[n, k] for n < rows.
llvm::Expected<Array> linear(const Arithmetic &arithmetic, const Array &x, int64_t rows,
                             ReadRow readRow);

/// Gives the blocks of row n of a weight.
using ReadBlocks = llvm::function_ref<llvm::Error(int64_t n, BlockRow &blocks)>;

/// As linear, with x rounded to 8 bits in blocks of 32.
llvm::Expected<Array> quantizedLinear(const Arithmetic &arithmetic, const Array &x, int64_t rows,
                                      ReadBlocks readBlocks);

/// gelu(gate) * up of columns that interleave gate and up 16 by 16.
Array interleavedGeglu(const Arithmetic &arithmetic, const Array &x);

/// Columns [begin, begin + count) of the last dimension.
Array columns(const Array &x, int64_t begin, int64_t count);

/// Rows [begin, begin + count) of dimension 1 of [batch, rows, columns].
Array selectRows(const Array &x, int64_t begin, int64_t count);

/// positions [batch, rows] → cosines and sines [batch, rows, 2, dim/2].
Array ropeAngles(const Arithmetic &arithmetic, const Array &positions, RopeAttr rope);

/// Rotates the heads of x [batch, rows, heads, headDim].
Array rope(const Arithmetic &arithmetic, const Array &x, const Array &angles);

struct AttentionParameters {
  double scale = 1.0;
  std::optional<double> cap;
  std::optional<int64_t> window;
};

/// Causal attention of queries [batch, rows, heads, dim] over keys and values
/// [batch, past + rows, kvHeads, dim].
Array attention(const Arithmetic &arithmetic, const Array &query, const Array &key,
                const Array &value, const AttentionParameters &parameters);

} // namespace rlx::reference

#endif // RLX_LIB_INTERPRETER_REFERENCE_H
