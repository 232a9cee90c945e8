//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Plans of whole models: they hold with any scratch memory, reuse what is dead, and
// the verifier sees a plan that does not hold.

#include "RandomModel.h"
#include "mlir/Pass/PassManager.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Transforms/Passes.h"
#include "gmock/gmock.h"

using namespace rlx;
using namespace rlx::test;

namespace {

class Plan : public ::testing::Test {
protected:
  void SetUp() override {
    module = model->import(context);
    ASSERT_TRUE(module);
  }

  template <typename... Passes> bool run(Passes... passes) {
    mlir::PassManager manager(&context);
    (manager.addPass(std::move(passes)), ...);
    return succeeded(manager.run(*module));
  }

  int64_t workspaceOf(llvm::StringRef function) {
    auto op = module->lookupSymbol<mlir::func::FuncOp>(function);
    return op->getAttrOfType<mlir::IntegerAttr>(kWorkspaceBytesAttr).getInt();
  }

  /// Bytes of all results of `function` beside each other.
  int64_t resultBytesOf(llvm::StringRef function) {
    int64_t bytes = 0;
    module->lookupSymbol<mlir::func::FuncOp>(function).walk([&](mlir::Operation *op) {
      auto offsets = op->getAttrOfType<mlir::DenseI64ArrayAttr>(kOffsetsAttr);
      if (offsets && offsets[0] >= 0)
        bytes +=
            4 * *getMaxElements(op, mlir::cast<mlir::RankedTensorType>(op->getResult(0).getType()));
    });
    return bytes;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::unique_ptr<RandomModel> model = makeRichModel();
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace

TEST_F(Plan, ReusesMemory) {
  ASSERT_TRUE(run(createPlanMemory(), createVerifyPlan()));
  EXPECT_GT(workspaceOf("prefill"), 0);
  EXPECT_LT(workspaceOf("prefill"), resultBytesOf("prefill") / 4);
  EXPECT_LT(workspaceOf("decode"), workspaceOf("prefill"));
}

TEST_F(Plan, HoldsWithAnyScratchMemory) {
  ScratchBytesFn odd = [](mlir::Operation *op, int64_t maxTokens) -> int64_t {
    return mlir::isa<LinearOp, CachedAttentionOp>(op) ? 1000 * maxTokens + 8 : 0;
  };
  ASSERT_TRUE(run(createPlanMemory(odd), createVerifyPlan(odd)));
  EXPECT_GE(workspaceOf("prefill"), 16008);
  EXPECT_GE(workspaceOf("decode"), 16008) << "the range of SEQ still is the module's";
}

// A result that is moved to the workspace's start mostly meets another that lives.
TEST_F(Plan, VerifierRefusesMovedResults) {
  ASSERT_TRUE(run(createPlanMemory()));
  mlir::ScopedDiagnosticHandler quiet(&context, [](mlir::Diagnostic &) {});
  unsigned moved = 0, refused = 0;
  module->lookupSymbol<mlir::func::FuncOp>("prefill").walk([&](mlir::Operation *op) {
    auto offsets = op->getAttrOfType<mlir::DenseI64ArrayAttr>(kOffsetsAttr);
    if (!offsets || offsets.size() != 1 || offsets[0] <= 0)
      return;
    ++moved;
    op->setAttr(kOffsetsAttr, mlir::Builder(&context).getDenseI64ArrayAttr({0}));
    refused += !run(createVerifyPlan());
    op->setAttr(kOffsetsAttr, offsets);
  });
  EXPECT_GT(moved, 10u);
  EXPECT_GT(refused, moved / 2);
  EXPECT_TRUE(run(createVerifyPlan()));
}
