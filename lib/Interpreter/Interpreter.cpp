//===- Interpreter.cpp - Runs RLX functions -------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Binds symbols to the sizes of a step and evaluates the function.
//===----------------------------------------------------------------------===//
#include "rlx/Interpreter/Interpreter.h"
#include "Evaluation.h"

using namespace mlir;
using namespace rlx;

llvm::Expected<std::vector<Array>> Interpreter::call(StringRef name, std::vector<Array> arguments,
                                                     const SymbolValues &symbols,
                                                     InterpreterCache *cache) {
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function)
    return llvm::createStringError("expected a function named '" + name + "'");
  return Evaluation(module, weights, options, symbols, cache).run(function, std::move(arguments));
}

llvm::Expected<StepResult> Interpreter::run(StringRef function, ArrayRef<int32_t> ids,
                                            InterpreterCache &cache, int64_t outBegin,
                                            int64_t outCount) {
  int64_t batch = cache.batchSize(), rows = ids.size() / batch, past = cache.pastLength();
  if (rows == 0 || ids.size() % batch)
    return llvm::createStringError("expected tokens for each of " + llvm::Twine(batch) +
                                   " sequences but got " + llvm::Twine(ids.size()));
  Array tokens;
  tokens.shape = {batch, rows};
  tokens.values.assign(ids.begin(), ids.end());
  SymbolValues symbols = {{RLXDialect::kBatchSymbol.str(), batch},
                          {RLXDialect::kSeqSymbol.str(), rows},
                          {RLXDialect::kPastSymbol.str(), past},
                          {RLXDialect::kOutSymbol.str(), outCount}};
  auto results = call(function, {tokens, Array(), Array{{}, {double(outBegin)}}}, symbols, &cache);
  if (!results) {
    cache.rewind(past);
    return results.takeError();
  }
  cache.advance(rows);
  StepResult step;
  step.logits = std::move(results->front());
  if (results->size() > 2)
    step.hidden = std::move((*results)[1]);
  return step;
}
