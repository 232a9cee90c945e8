//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// What the options of the phases' pipelines select.

#include "RandomModel.h"
#include "mlir/Pass/PassManager.h"
#include "rlx/Transforms/Passes.h"
#include "gmock/gmock.h"

using namespace rlx;
using namespace rlx::test;

namespace {

template <typename OpT> size_t countIn(mlir::ModuleOp module, llvm::StringRef function) {
  size_t count = 0;
  module.lookupSymbol<mlir::func::FuncOp>(function).walk([&](OpT) { ++count; });
  return count;
}

class Pipelines : public ::testing::Test {
protected:
  void fuse(const FusionOptions &options) {
    module = model->import(context);
    ASSERT_TRUE(module);
    mlir::PassManager manager(&context);
    buildFusionPipeline(manager, options);
    ASSERT_TRUE(succeeded(manager.run(*module)));
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::unique_ptr<RandomModel> model = makeRichModel();
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace

TEST(Fusions, NamesRoundTrip) {
  for (Fusion fusion : getAllFusions())
    EXPECT_EQ(symbolizeFusion(stringifyFusion(fusion)), fusion);
  EXPECT_EQ(symbolizeFusion("norm-into-linear"), Fusion::NormIntoLinear);
  EXPECT_EQ(symbolizeFusion("all"), std::nullopt);
}

TEST_F(Pipelines, AllFusions) {
  fuse({});
  for (llvm::StringRef function : {"prefill", "decode"}) {
    EXPECT_EQ(countIn<LinearOp>(*module, function), 4u * 3 + 1);
    EXPECT_EQ(countIn<CachedAttentionOp>(*module, function), 3u);
    EXPECT_EQ(countIn<RopeAppendOp>(*module, function), 3u);
    EXPECT_EQ(countIn<AddOp>(*module, function), 0u);
    EXPECT_EQ(countIn<SoftcapOp>(*module, function), 0u);
    // After attention and the MLP, of q and k, and the last.
    EXPECT_EQ(countIn<RmsNormOp>(*module, function), 4u * 3 + 1);
  }
}

TEST_F(Pipelines, NoFusion) {
  fuse({{}, {}});
  EXPECT_EQ(countIn<LinearOp>(*module, "prefill"), 7u * 3 + 1);
  EXPECT_EQ(countIn<AttentionOp>(*module, "decode"), 3u);
}

TEST_F(Pipelines, OneFusionOfOneRole) {
  fuse({{}, {Fusion::GateUp}});
  EXPECT_EQ(countIn<GegluOp>(*module, "prefill"), 3u);
  EXPECT_EQ(countIn<GegluOp>(*module, "decode"), 0u);
  EXPECT_EQ(countIn<LinearOp>(*module, "decode"), 6u * 3 + 1);
  EXPECT_EQ(countIn<AttentionOp>(*module, "decode"), 3u);
  // Each role reads its own form of the weights.
  EXPECT_TRUE(module->lookupSymbol<WeightOp>("layers.0.gate_up"));
  EXPECT_TRUE(module->lookupSymbol<WeightOp>("layers.0.gate"));
}

TEST_F(Pipelines, FusedWeightsReplaceTheirParts) {
  fuse({});
  EXPECT_TRUE(module->lookupSymbol<WeightOp>("layers.2.q_k_v"));
  for (const char *name : {"layers.2.q", "layers.2.gate", "layers.2.input_norm"})
    EXPECT_FALSE(module->lookupSymbol<WeightOp>(name)) << name;
}
