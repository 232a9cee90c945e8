//===- Interpreter.h - Reference interpreter of RLX -------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Runs RLX functions op by op, as plain loops over scalars: what each op is
// defined to compute, against which compiled code is judged. Understands every
// op, fused or not, so any phase up to memory planning can be run.
//===----------------------------------------------------------------------===//
#ifndef RLX_INTERPRETER_INTERPRETER_H
#define RLX_INTERPRETER_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "rlx/Interpreter/WeightProvider.h"
#include "llvm/ADT/StringMap.h"
#include <map>

namespace rlx {

struct InterpreterOptions {
  /// Exact: everything in double. Single: every result is rounded to f32 and sums
  /// are f32, one fused multiply-add after the other.
  enum class Arithmetic { Exact, Single } arithmetic = Arithmetic::Exact;
  /// Round what enters the cache to the slot's type, f32 otherwise.
  bool roundCache = true;
  /// Products with quantised weights see their input as kernels do: blocks of 32
  /// rounded to 8 bits.
  bool quantizeActivations = false;
  /// Products with bf16 weights see their input rounded to bf16, as kernels with
  /// bf16 dot products do.
  bool roundToBf16 = false;
  /// Products of prefill with bf16 and quantised weights see both operands rounded to bf16, as
  /// matrix units do, where there are more than RLX_EXACT_TOKENS rows.
  bool tiles = false;
};

/// A dense, row-major tensor of any element type; rank 0 for an index.
struct Array {
  llvm::SmallVector<int64_t, 4> shape;
  std::vector<double> values;

  int64_t lastSize() const { return shape.empty() ? 1 : shape.back(); }
  /// How many rows of the last dimension there are.
  int64_t rows() const { return lastSize() ? int64_t(values.size()) / lastSize() : 0; }
};

/// The keys and values of every slot for `batch` sequences of equal length.
class InterpreterCache {
public:
  explicit InterpreterCache(mlir::ModuleOp module, int64_t batch = 1);

  int64_t pastLength() const { return past; }
  int64_t batchSize() const { return batch; }
  /// Forgets every position from `length` on.
  void rewind(int64_t length);

  /// Row `position` of a sequence: kv_heads * head_dim values.
  llvm::ArrayRef<float> key(llvm::StringRef slot, int64_t position, int64_t sequence = 0) const;
  llvm::ArrayRef<float> value(llvm::StringRef slot, int64_t position, int64_t sequence = 0) const;

  /// Sets the rows that follow the past ones: [batch, rows, kv_heads, head_dim].
  /// With `round` they are rounded to the slot's type.
  llvm::Error append(llvm::StringRef slot, const Array &key, const Array &value, bool round);
  /// Keys and values of the past and of what was appended since.
  llvm::Expected<std::pair<Array, Array>> read(llvm::StringRef slot) const;
  /// Makes `rows` appended rows part of the past.
  void advance(int64_t rows) { past += rows; }

private:
  struct Slot {
    KVType type = KVType::F32;
    int64_t heads = 0, headDim = 0;
    /// By sequence: rows of heads * headDim values.
    std::vector<std::vector<float>> keys, values;
  };
  llvm::StringMap<Slot> slots;
  int64_t batch, past = 0;
};

/// What a step returns: [batch, outCount, …].
struct StepResult {
  Array logits, hidden;
};

class Interpreter {
public:
  /// `module` must verify; it and `weights` must outlive this.
  Interpreter(mlir::ModuleOp module, WeightProvider &weights, InterpreterOptions options = {})
      : module(module), weights(weights), options(options) {}

  /// Runs a function with a role on `ids` ([batch][SEQ]) after what `cache` holds,
  /// and lengthens the cache. Results are for `outCount` positions of the step from
  /// `outBegin` on. After an error the cache is as before.
  llvm::Expected<StepResult> run(llvm::StringRef function, llvm::ArrayRef<int32_t> ids,
                                 InterpreterCache &cache, int64_t outBegin, int64_t outCount);

  using SymbolValues = std::map<std::string, int64_t, std::less<>>;

  /// Calls any function: tensors and indices as arrays, a cache argument as an
  /// empty array (`cache` stands for it). `symbols` gives each symbol's value.
  llvm::Expected<std::vector<Array>> call(llvm::StringRef function, std::vector<Array> arguments,
                                          const SymbolValues &symbols, InterpreterCache *cache);

private:
  mlir::ModuleOp module;
  WeightProvider &weights;
  InterpreterOptions options;
};

} // namespace rlx

#endif // RLX_INTERPRETER_INTERPRETER_H
