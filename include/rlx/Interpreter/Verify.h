//===- Verify.h - Compiled code against the interpreter ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Runs a compiled model and the interpreter side by side on random tokens, a
// prefill step and some decode steps, and compares their logits.
//===----------------------------------------------------------------------===//
#ifndef RLX_INTERPRETER_VERIFY_H
#define RLX_INTERPRETER_VERIFY_H

#include "rlx/Interpreter/WeightProvider.h"
#include <cstdint>
#include <functional>

namespace rlx {

/// A compiled model with one sequence. The runtime implements it, which the
/// compiler's libraries do not depend on.
class CompiledSession {
public:
  virtual ~CompiledSession();
  /// Appends tokens; the logits after the last.
  virtual llvm::Expected<std::vector<float>> prefill(llvm::ArrayRef<int32_t> ids) = 0;
  /// Appends a token by a decode step; the logits after it.
  virtual llvm::Expected<std::vector<float>> decode(int32_t id) = 0;
};

/// Opens a model binary; `target` names which of its code objects to run.
using OpenCompiled = std::function<llvm::Expected<std::unique_ptr<CompiledSession>>(
    const std::string &path, const std::string &target)>;

struct VerifyOptions {
  size_t prefillTokens = 0; ///< 0: as many as the interpreter runs in seconds
  size_t decodeTokens = 4;
  uint32_t seed = 1;
  /// The code multiplies bf16 weights with activations rounded to bf16.
  bool bf16Dot = false;
  /// The code multiplies in tiles of bf16 (InterpreterOptions::tiles).
  bool tiles = false;
};

struct VerifyReport {
  size_t prefillTokens = 0, decodeTokens = 0;
  double maxLogit = 0; ///< the interpreter's
  double maxError = 0; ///< of any logit
  double bound = 0;    ///< what maxError may be

  /// A NaN is no pass.
  bool passed() const { return maxError <= bound; }
};

/// Compares `compiled` with `module`: best the imported functions, before any
/// transform but that of the weights' types. Errors are those of running either side; a
/// difference is in the report.
llvm::Expected<VerifyReport> verifyAgainstInterpreter(mlir::ModuleOp module,
                                                      WeightProvider &weights,
                                                      CompiledSession &compiled,
                                                      const VerifyOptions &options = {});

/// One line for people: what was compared, the error and the bound.
std::string describe(const VerifyReport &report);

} // namespace rlx

#endif // RLX_INTERPRETER_VERIFY_H
