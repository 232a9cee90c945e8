//===- ForwardTest.cpp - Whole models through code generation -------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bundled checkpoints against reference logits: unfused with a memory plan that
// reuses nothing, and with all transforms. Weights are f32 and packed by a plain
// second packer; what the compiler's packer and the runtime add is tested with them.
//
//===----------------------------------------------------------------------===//
#include "CompiledModel.h"
#include "Npz.h"
#include "PlainPlan.h"
#include "PlainWeights.h"
#include "StepRun.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Conversion/Scratch.h"
#include "rlx/Import/Checkpoint.h"
#include "rlx/Import/ImportModel.h"
#include "rlx/Transforms/Passes.h"
#include <gmock/gmock.h>

using namespace rlx;
using namespace rlx::test;

namespace {
struct Loaded {
  const rlx_model_t *table = nullptr;
  std::vector<Line> weights;
};
} // namespace

/// Everything between import and code generation.
static mlir::LogicalResult transform(mlir::ModuleOp module, bool optimised) {
  mlir::PassManager manager(module.getContext());
  if (optimised) {
    PlanOptions plan;
    plan.weights.dtype = "f32";
    plan.scratchBytes = scratchBytes;
    buildFusionPipeline(manager, {});
    buildFoldPipeline(manager);
    buildSpecializePipeline(manager, {});
    buildPlanPipeline(manager, plan);
  } else {
    convertWeightsToF32(module);
    planWithoutReuse(module);
    addVariants(module);
  }
  manager.addPass(createAssignWeightLayout());
  return manager.run(module);
}

static llvm::Expected<Loaded> load(const std::string &name, bool optimised) {
  llvm::Expected<Checkpoint> checkpoint = openCheckpoint(RLX_TEST_DATA "/models/" + name);
  if (!checkpoint)
    return checkpoint.takeError();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  ImportOptions options;
  options.chunk = 32;
  options.maxOutputs = 32;
  options.kvType = KVType::F32;
  auto module = importModel(context, *checkpoint->weights, checkpoint->config, options);
  if (!module)
    return module.takeError();
  if (mlir::failed(transform(**module, optimised)))
    return llvm::createStringError("the transforms failed");
  auto object = compileToSharedObject(**module, "x86-64-v3");
  if (!object)
    return object.takeError();
  auto table = loadSharedObject(*object);
  if (!table)
    return table.takeError();
  return Loaded{*table, packWeights(**module, *checkpoint->weights)};
}

static const Loaded &getModel(const std::string &name, bool optimised) {
  static std::map<std::pair<std::string, bool>, Loaded> models;
  auto found = models.find({name, optimised});
  if (found == models.end())
    found = models.emplace(std::pair(name, optimised), llvm::cantFail(load(name, optimised))).first;
  return found->second;
}

/// Logits of all positions, `chunk` tokens at a time.
static std::vector<float> prefill(const Loaded &model, const std::vector<int32_t> &ids,
                                  size_t chunk, uint32_t threads,
                                  const std::string &variant = "generic") {
  StepRun run(*model.table, model.weights.data(), threads);
  std::vector<float> logits;
  for (size_t begin = 0; begin < ids.size(); begin += chunk) {
    std::vector<int32_t> part(ids.begin() + begin,
                              ids.begin() + std::min(begin + chunk, ids.size()));
    std::vector<float> rows = run.run(variant, part);
    logits.insert(logits.end(), rows.begin(), rows.end());
  }
  return logits;
}

class Forward : public testing::TestWithParam<std::tuple<std::string, bool>> {
protected:
  std::string name = std::get<0>(GetParam());
  const Loaded &model = getModel(name, std::get<1>(GetParam()));
};

TEST_P(Forward, LogitsMatchTheReference) {
  for (const GoldenSequence &golden : readGolden(RLX_TEST_DATA "/goldens/hf/" + name + ".npz")) {
    std::vector<float> logits = prefill(model, golden.ids, 32, 2);
    ASSERT_EQ(logits.size(), golden.logits.size());
    float error = 0, largest = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
      ASSERT_FALSE(std::isnan(logits[i])) << "position " << i / golden.vocab;
      error = std::max(error, std::abs(logits[i] - golden.logits[i]));
      largest = std::max(largest, std::abs(golden.logits[i]));
    }
    EXPECT_LE(error, 2e-4f * largest);
  }
}

TEST_P(Forward, TransformsDoNotChangeBits) {
  std::vector<int32_t> ids = {2, 17, 1999, 5, 300, 300, 64};
  EXPECT_EQ(prefill(model, ids, 32, 2), prefill(getModel(name, false), ids, 32, 2));
}

TEST_P(Forward, BitsDependNeitherOnThreadsNorOnChunks) {
  std::vector<int32_t> ids;
  for (const GoldenSequence &golden : readGolden(RLX_TEST_DATA "/goldens/hf/" + name + ".npz"))
    if (golden.ids.size() > ids.size())
      ids = golden.ids;
  ASSERT_GT(ids.size(), 64u) << "beyond the sliding window";
  std::vector<float> expected = prefill(model, ids, 32, 1);
  EXPECT_EQ(prefill(model, ids, 32, 3), expected);
  EXPECT_EQ(prefill(model, ids, 7, 2), expected);
  EXPECT_EQ(prefill(model, ids, 1, 2, "decode"), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Checkpoints, Forward,
    testing::Combine(testing::Values("tiny-gemma1", "tiny-gemma2", "tiny-gemma3"), testing::Bool()),
    [](const auto &info) {
      return std::get<0>(info.param).substr(5) +
             (std::get<1>(info.param) ? "_optimised" : "_plain");
    });
