//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Each transform changes a model's text and none changes its results: imported
// models are run by the interpreter before and after.

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "rlx/Import/Checkpoint.h"
#include "rlx/Import/ImportModel.h"
#include "rlx/Interpreter/Interpreter.h"
#include "rlx/Transforms/Passes.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace rlx;

namespace {

struct Pipeline {
  const char *name;
  const char *passes;
  /// An op or attribute that the result must contain, or must not ("!…").
  const char *evidence;
};

// One for each pass that computes anything anew, then whole phases.
const Pipeline kPipelines[] = {
    {"qkv", "rlx-fuse-qkv", "combine concat"},
    {"geglu", "rlx-fuse-geglu", "rlx.geglu"},
    {"gate_up", "rlx-fuse-gate-up", "combine interleave"},
    {"norm_into_linear", "rlx-fold-constants,rlx-fuse-qkv,rlx-fuse-norm-into-linear", "norm(@"},
    {"epilogues", "rlx-fuse-epilogues", "residual("},
    {"rope_append", "rlx-fuse-rope-append", "rlx.rope_append"},
    {"attention", "rlx-fuse-attention", "rlx.cached_attention"},
    {"fold", "rlx-fold-constants", "!gain one_plus"},
    {"share_rope_angles", "rlx-share-rope-angles", "rlx.rope_angles"},
    {"fuse", "rlx-fuse", "rlx.cached_attention"},
    {"decompose", "rlx-fuse,rlx-decompose", "!rlx.cached_attention"},
    {"everything",
     "rlx-fuse,rlx-fold,rlx-specialize{prefill-seq-min=16 prefill-seq-max=32 decode-past-min=16 "
     "decode-past-max=32},rlx-plan,canonicalize,cse",
     "rlx.offsets"},
};

const char *const kModels[] = {"models/tiny-gemma1", "models/tiny-gemma2", "models/tiny-gemma3",
                               "goldens/gguf/gemma3-Q8_0.gguf"};

class Execution : public ::testing::TestWithParam<std::tuple<const char *, Pipeline>> {
protected:
  static void SetUpTestSuite() {
    registerTransformsPasses();
    mlir::registerTransformsPasses();
  }

  void SetUp() override {
    auto opened =
        openCheckpoint(std::string(RLX_TEST_DATA) + "/" + std::get<const char *>(GetParam()));
    ASSERT_TRUE(bool(opened)) << llvm::toString(opened.takeError());
    checkpoint = std::move(*opened);
    auto imported = importModel(context, *checkpoint.weights, checkpoint.config);
    ASSERT_TRUE(bool(imported)) << llvm::toString(imported.takeError());
    module = std::move(*imported);
  }

  std::string text() {
    std::string result;
    llvm::raw_string_ostream(result) << *module;
    return result;
  }

  /// Every function that may compute the step: those of the variants that fit, or
  /// the one named like the role.
  std::vector<std::string> candidates(llvm::StringRef role, size_t seq, int64_t past) {
    std::vector<std::string> result;
    for (auto variant : module->getOps<VariantOp>())
      if ((stringifyRole(variant.getRole()) == role || seq == 1) && variant.getSeqMin() <= seq &&
          seq <= variant.getSeqMax() && int64_t(variant.getPastMin()) <= past &&
          past <= int64_t(variant.getPastMax()))
        result.push_back(variant.getFunction().str());
    if (result.empty())
      result.push_back(role.str());
    return result;
  }

  /// Logits of 18 tokens, past the GGUF's window of 16, then of two decode steps.
  std::vector<double> run() {
    SourceWeights weights(*checkpoint.weights);
    Interpreter interpreter(*module, weights);
    InterpreterCache cache(*module);
    std::vector<int32_t> ids;
    for (int32_t i = 0; i < 18; ++i)
      ids.push_back((7 + 31 * i) % checkpoint.config.vocabSize);
    std::vector<double> result;
    auto step = [&](llvm::StringRef role, llvm::ArrayRef<int32_t> part) {
      InterpreterCache past = cache;
      for (const std::string &function : candidates(role, part.size(), past.pastLength())) {
        cache = past;
        auto logits = interpreter.run(function, part, cache, part.size() - 1, 1);
        ASSERT_TRUE(bool(logits)) << llvm::toString(logits.takeError());
        std::vector<double> values = std::move(logits->logits.values);
        values.insert(values.end(), logits->hidden.values.begin(), logits->hidden.values.end());
        if (function != candidates(role, part.size(), past.pastLength()).front())
          EXPECT_EQ(values, std::vector<double>(result.end() - values.size(), result.end()))
              << function;
        else
          result.insert(result.end(), values.begin(), values.end());
      }
    };
    step("prefill", ids);
    step("decode", {3});
    step("decode", {5});
    return result;
  }

  mlir::MLIRContext context;
  Checkpoint checkpoint;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace

TEST_P(Execution, KeepsResults) {
  Pipeline pipeline = std::get<Pipeline>(GetParam());
  std::vector<double> before = run();
  mlir::PassManager manager(&context);
  ASSERT_TRUE(mlir::succeeded(mlir::parsePassPipeline(pipeline.passes, manager)));
  ASSERT_TRUE(mlir::succeeded(manager.run(*module)));
  std::string after = text();
  bool absent = pipeline.evidence[0] == '!';
  EXPECT_EQ(after.find(pipeline.evidence + absent) == std::string::npos, absent)
      << pipeline.evidence;

  std::vector<double> values = run();
  ASSERT_EQ(values.size(), before.size());
  double largest = 0, error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, std::fabs(before[i]));
    error = std::max(error, std::fabs(values[i] - before[i]));
  }
  // Sums are in double; folded gains and the cache are rounded to f32 and f16.
  EXPECT_LE(error, 1e-6 * largest);
}

INSTANTIATE_TEST_SUITE_P(Models, Execution,
                         ::testing::Combine(::testing::ValuesIn(kModels),
                                            ::testing::ValuesIn(kPipelines)),
                         [](const auto &info) {
                           std::string model = std::get<0>(info.param);
                           model = model.substr(model.rfind('/') + 1);
                           for (char &c : model)
                             if (!std::isalnum(static_cast<unsigned char>(c)))
                               c = '_';
                           return model + "_" + std::get<1>(info.param).name;
                         });
