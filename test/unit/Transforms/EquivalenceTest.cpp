//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Runs models before and after each pass, in the reference interpreter: a
// transformation must not change what a model computes.

#include "RandomModel.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "rlx/Interpreter/Interpreter.h"
#include "rlx/Transforms/Passes.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

/// Logits and hidden states of a first chunk, a second one after it, and a token.
struct Outputs {
  std::vector<double> values;
  std::vector<float> keys;
};

struct Case {
  const char *name;
  const char *before; ///< passes that make the pass under test applicable
  const char *passes;
};

void PrintTo(const Case &test, std::ostream *os) { *os << test.name; }

std::string print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os);
  return text;
}

void runPasses(mlir::ModuleOp module, const char *passes) {
  mlir::PassManager manager(module.getContext());
  std::string message;
  llvm::raw_string_ostream os(message);
  ASSERT_TRUE(succeeded(mlir::parsePassPipeline(passes, manager, os))) << message;
  ASSERT_TRUE(succeeded(manager.run(module)));
}

/// The functions that may compute a step: those of the variants that fit, or the
/// one named like the role.
std::vector<std::string> functionsFor(mlir::ModuleOp module, uint64_t seq, uint64_t past) {
  std::vector<std::string> names;
  for (auto variant : module.getOps<VariantOp>())
    if (variant.getSeqMin() <= seq && seq <= variant.getSeqMax() && variant.getPastMin() <= past &&
        past <= variant.getPastMax())
      names.push_back(variant.getFunction().str());
  if (names.empty())
    names.push_back(seq == 1 ? "decode" : "prefill");
  return names;
}

/// Logits and hidden states of a step by the first function that may compute it;
/// all others must give the same.
std::vector<double> runStep(Interpreter &interpreter, const std::vector<std::string> &functions,
                            const std::vector<int32_t> &ids, InterpreterCache &cache) {
  std::vector<double> first;
  const InterpreterCache before = cache;
  for (const std::string &function : functions) {
    cache = before;
    auto step = interpreter.run(function, ids, cache, 0, ids.size());
    if (!step) {
      ADD_FAILURE() << llvm::toString(step.takeError());
      return first;
    }
    std::vector<double> values = step->logits.values;
    values.insert(values.end(), step->hidden.values.begin(), step->hidden.values.end());
    if (first.empty())
      first = values;
    EXPECT_EQ(values, first) << function;
  }
  return first;
}

Outputs evaluate(mlir::ModuleOp module, const WeightSource &source) {
  SourceWeights weights(source);
  Interpreter interpreter(module, weights);
  InterpreterCache cache(module);
  Outputs outputs;
  const std::vector<int32_t> chunks[] = {{2, 7, 30, 41, 7, 19}, {3, 49, 0}, {11}, {12}};
  for (const std::vector<int32_t> &ids : chunks) {
    std::vector<double> values =
        runStep(interpreter, functionsFor(module, ids.size(), cache.pastLength()), ids, cache);
    outputs.values.insert(outputs.values.end(), values.begin(), values.end());
  }
  for (auto slot : module.getOps<KVSlotOp>())
    for (int64_t position = 0; position < cache.pastLength(); ++position) {
      llvm::ArrayRef<float> key = cache.key(slot.getSymName(), position);
      outputs.keys.insert(outputs.keys.end(), key.begin(), key.end());
    }
  return outputs;
}

/// Largest difference, as a part of the largest expected value.
template <typename T>
double distance(const std::vector<T> &expected, const std::vector<T> &actual) {
  if (expected.empty() || expected.size() != actual.size())
    return INFINITY;
  double largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::fabs(double(expected[i])));
    difference = std::max(difference, std::fabs(double(expected[i]) - double(actual[i])));
  }
  return difference / largest;
}

class Equivalence : public ::testing::TestWithParam<std::tuple<bool, Case>> {
protected:
  static void SetUpTestSuite() {
    static bool once = (registerTransformsPasses(), true);
    (void)once;
  }
};

// In exact arithmetic only 1 + g, which folding rounds to f32, differs.
constexpr double kBound = 4 * 0x1p-24;

} // namespace

TEST_P(Equivalence, SameResults) {
  const auto &[rich, test] = GetParam();
  std::unique_ptr<RandomModel> model = rich ? makeRichModel() : makePlainModel();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module = model->import(context);
  ASSERT_TRUE(module);
  Outputs expected = evaluate(*module, model->weights);
  runPasses(*module, test.before);
  std::string unchanged = print(*module);
  runPasses(*module, test.passes);
  EXPECT_NE(print(*module), unchanged) << "the passes did nothing";
  Outputs actual = evaluate(*module, model->weights);
  EXPECT_LE(distance(expected.values, actual.values), kBound);
  EXPECT_LE(distance(expected.keys, actual.keys), kBound);
}

static const Case kCases[] = {
    {"FuseQkv", "", "rlx-fuse-qkv"},
    {"FuseGeglu", "rlx-decompose", "rlx-fuse-geglu"},
    {"FuseGateUp", "", "rlx-fuse-gate-up"},
    {"FuseNormIntoLinear", "", "rlx-fuse-norm-into-linear"},
    {"FuseNormIntoLinearOfDecode", "", "rlx-fuse-norm-into-linear{role=decode}"},
    {"FuseEpilogues", "", "rlx-fuse-epilogues"},
    {"FuseRopeAppend", "", "rlx-fuse-rope-append"},
    {"FuseAttention", "", "rlx-fuse-attention"},
    {"AllFusions", "", "rlx-fuse"},
    {"Decompose", "rlx-fuse", "rlx-decompose"},
    {"DecomposeFolded", "rlx-fuse,rlx-fold", "rlx-decompose"},
    {"FuseAgain", "rlx-fuse,rlx-decompose", "rlx-fuse"},
    {"BindSymbol", "", "rlx-bind-symbol{symbol=SEQ value=1 function=decode}"},
    {"Specialize", "", "rlx-specialize"},
    {"Buckets", "rlx-fuse,rlx-fold",
     "rlx-specialize{prefill-seq-min=4 prefill-seq-max=8 prefill-past-min=8 prefill-past-max=8 "
     "decode-past-min=16 decode-past-max=32}"},
    {"PackWeights", "rlx-fuse,rlx-fold", "rlx-pack-weights"},
    {"WholePlan", "rlx-fuse,rlx-fold,rlx-specialize", "rlx-plan"},
    {"UnfusedPlan", "rlx-fold,rlx-specialize", "rlx-plan"},
};

static std::string nameOf(const ::testing::TestParamInfo<std::tuple<bool, Case>> &info) {
  return std::string(std::get<1>(info.param).name) + (std::get<0>(info.param) ? "Rich" : "Plain");
}

INSTANTIATE_TEST_SUITE_P(Passes, Equivalence,
                         ::testing::Combine(::testing::Bool(), ::testing::ValuesIn(kCases)),
                         nameOf);

// Only the rich model has gains less one.
INSTANTIATE_TEST_SUITE_P(RichPasses, Equivalence,
                         ::testing::Combine(::testing::Values(true),
                                            ::testing::Values(Case{"FoldConstants", "",
                                                                   "rlx-fold-constants"})),
                         nameOf);

// Import shares angles itself: here each use has its own before the pass.
TEST(ShareRopeAngles, SameResults) {
  registerTransformsPasses();
  for (bool rich : {false, true}) {
    std::unique_ptr<RandomModel> model = rich ? makeRichModel() : makePlainModel();
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    mlir::OwningOpRef<mlir::ModuleOp> module = model->import(context);
    ASSERT_TRUE(module);
    Outputs expected = evaluate(*module, model->weights);
    auto count = [&] {
      int64_t ops = 0;
      module->walk([&](RopeAnglesOp) { ++ops; });
      return ops;
    };
    int64_t shared = count();
    std::vector<RopeAnglesOp> all;
    module->walk([&](RopeAnglesOp op) { all.push_back(op); });
    for (RopeAnglesOp op : all)
      for (mlir::OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
        mlir::OpBuilder builder(op);
        use.set(builder.clone(*op)->getResult(0));
      }
    EXPECT_GT(count(), shared);
    runPasses(*module, "rlx-share-rope-angles");
    EXPECT_LE(count(), shared);
    Outputs actual = evaluate(*module, model->weights);
    EXPECT_EQ(distance(expected.values, actual.values), 0);
    EXPECT_EQ(distance(expected.keys, actual.keys), 0);
  }
}
