//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Runs one function of a module given as text, on weights held in memory.

#ifndef RLX_TEST_INTERPRETER_FIXTURE_H
#define RLX_TEST_INTERPRETER_FIXTURE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Parser/Parser.h"
#include "rlx/Interpreter/Interpreter.h"
#include "gtest/gtest.h"

namespace rlx::test {

class InterpreterFixture : public ::testing::Test {
protected:
  InterpreterFixture() {
    context.loadDialect<RLXDialect, mlir::func::FuncDialect, mlir::arith::ArithDialect>();
  }

  /// Parses `text` as the body of a module that declares S (rows), PAST_SEQ and OUT.
  void parse(const std::string &text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(
        "module attributes {rlx.symbols = [#rlx.symbol<\"BATCH\", 1, 4>, #rlx.symbol<\"SEQ\", 1, "
        "64>, #rlx.symbol<\"PAST_SEQ\", 0, 64>, #rlx.symbol<\"OUT\", 0, 64>]} {\n" +
            text + "\n}",
        &context);
    ASSERT_TRUE(module) << text;
  }

  void addWeight(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                 llvm::ArrayRef<float> values) {
    llvm::Error error = source.addTensor(name, shape, values);
    ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  }

  /// Calls @f; SEQ is the second size of the first argument.
  std::vector<Array> call(std::vector<Array> arguments, InterpreterOptions options = {},
                          InterpreterCache *cache = nullptr, int64_t out = 0) {
    SourceWeights weights(source);
    Interpreter interpreter(*module, weights, options);
    Interpreter::SymbolValues symbols = {{"BATCH", arguments[0].shape[0]},
                                         {"SEQ", arguments[0].shape[1]},
                                         {"PAST_SEQ", cache ? cache->pastLength() : 0},
                                         {"OUT", out}};
    auto results = interpreter.call("f", std::move(arguments), symbols, cache);
    if (!results) {
      error = llvm::toString(results.takeError());
      return {};
    }
    return std::move(*results);
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  InMemoryWeightSource source;
  std::string error; ///< of the last call
};

inline void expectNear(const Array &actual, llvm::ArrayRef<double> expected, double bound = 1e-12) {
  ASSERT_EQ(actual.values.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(actual.values[i], expected[i], bound) << "element " << i;
}

} // namespace rlx::test

#endif // RLX_TEST_INTERPRETER_FIXTURE_H
