//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verification finds what it is there to find: sessions that compute something
// else, in prefill or in decode only.

#include "rlx/Interpreter/Verify.h"
#include "InterpreterFixture.h"
#include "rlx/Import/Checkpoint.h"
#include "rlx/Import/ImportModel.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

/// A session that the interpreter itself computes, with a change to its logits.
class ChangedSession : public CompiledSession {
public:
  using Change = std::function<void(std::vector<float> &logits, bool decode)>;

  ChangedSession(mlir::ModuleOp module, WeightProvider &weights, Change change)
      : interpreter(module, weights, options()), cache(module), change(std::move(change)) {}

  llvm::Expected<std::vector<float>> prefill(llvm::ArrayRef<int32_t> ids) override {
    return run("prefill", ids);
  }
  llvm::Expected<std::vector<float>> decode(int32_t id) override { return run("decode", {id}); }

private:
  static InterpreterOptions options() {
    InterpreterOptions result;
    result.arithmetic = InterpreterOptions::Arithmetic::Single;
    return result;
  }

  llvm::Expected<std::vector<float>> run(const char *name, llvm::ArrayRef<int32_t> ids) {
    auto step = interpreter.run(name, ids, cache, ids.size() - 1, 1);
    if (!step)
      return step.takeError();
    std::vector<float> logits(step->logits.values.begin(), step->logits.values.end());
    change(logits, name == std::string("decode"));
    return logits;
  }

  Interpreter interpreter;
  InterpreterCache cache;
  Change change;
};

class Verify : public ::testing::Test {
protected:
  void SetUp() override {
    auto opened = openCheckpoint(RLX_TEST_DATA "/models/tiny-gemma1");
    ASSERT_TRUE(bool(opened)) << llvm::toString(opened.takeError());
    checkpoint = std::move(*opened);
    ImportOptions options;
    options.kvType = KVType::F32;
    auto imported = importModel(context, *checkpoint.weights, checkpoint.config, options);
    ASSERT_TRUE(bool(imported)) << llvm::toString(imported.takeError());
    module = std::move(*imported);
  }

  VerifyReport verify(ChangedSession::Change change, uint32_t seed = 1) {
    SourceWeights weights(*checkpoint.weights);
    ChangedSession session(*module, weights, std::move(change));
    VerifyOptions options;
    options.prefillTokens = 5;
    options.decodeTokens = 2;
    options.seed = seed;
    auto report = verifyAgainstInterpreter(*module, weights, session, options);
    EXPECT_TRUE(bool(report)) << llvm::toString(report.takeError());
    return report ? *report : VerifyReport();
  }

  mlir::MLIRContext context;
  Checkpoint checkpoint;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace

TEST_F(Verify, PassesSinglePrecision) {
  VerifyReport report = verify([](std::vector<float> &, bool) {});
  EXPECT_TRUE(report.passed()) << describe(report);
  EXPECT_GT(report.maxError, 0); // the two sides do not share their arithmetic
  EXPECT_EQ(report.prefillTokens, 5u);
  EXPECT_EQ(report.decodeTokens, 2u);
}

TEST_F(Verify, FindsOneWrongLogit) {
  for (bool wrongDecode : {false, true}) {
    VerifyReport report = verify([=](std::vector<float> &logits, bool decode) {
      if (decode == wrongDecode)
        logits[1234] += 0.01f;
    });
    EXPECT_FALSE(report.passed()) << describe(report);
    EXPECT_NEAR(report.maxError, 0.01, 1e-3);
  }
}

TEST_F(Verify, NanIsNoPass) {
  VerifyReport report = verify([](std::vector<float> &logits, bool decode) {
    if (!decode)
      logits[7] = std::nanf("");
  });
  EXPECT_FALSE(report.passed());
}

TEST_F(Verify, CountsLogits) {
  SourceWeights weights(*checkpoint.weights);
  ChangedSession session(*module, weights,
                         [](std::vector<float> &logits, bool) { logits.pop_back(); });
  VerifyOptions options;
  options.prefillTokens = 1;
  auto report = verifyAgainstInterpreter(*module, weights, session, options);
  ASSERT_FALSE(bool(report));
  EXPECT_EQ(llvm::toString(report.takeError()), "expected 2048 logits but got 2047");
}
