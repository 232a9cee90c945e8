//===- FuseEpilogues.cpp - Epilogues of linears and norms -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rlx.softcap and rlx.add after rlx.linear, rlx.add after rlx.rms_norm ->
// the cap and residual of these ops.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// Whether `producer` is a linear or norm that can add `residual` itself.
static bool canAdd(Operation *producer, Value residual) {
  if (!producer || !producer->hasOneUse() || producer->getResult(0) == residual)
    return false;
  if (auto linear = dyn_cast<LinearOp>(producer))
    return !linear.getResidual();
  auto norm = dyn_cast<RmsNormOp>(producer);
  return norm && !norm.getResidual();
}

namespace {
struct AddInEpilogue : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    // The residual is the operand made earlier, as a rule the left one.
    for (auto [sum, residual] :
         {std::pair(op.getRhs(), op.getLhs()), std::pair(op.getLhs(), op.getRhs())}) {
      Operation *producer = sum.getDefiningOp();
      if (!canAdd(producer, residual))
        continue;
      if (auto linear = dyn_cast<LinearOp>(producer))
        rewriter.replaceOpWithNewOp<LinearOp>(
            op, op.getType(), linear.getInput(), linear.getWeightAttr(), linear.getNormAttr(),
            linear.getEpsAttr(), linear.getGegluAttr(), linear.getCapAttr(), residual);
      else if (auto norm = cast<RmsNormOp>(producer))
        rewriter.replaceOpWithNewOp<RmsNormOp>(op, op.getType(), norm.getInput(),
                                               norm.getWeightAttr(), norm.getGainAttr(),
                                               norm.getEpsAttr(), residual);
      return success();
    }
    return rewriter.notifyMatchFailure(
        op, "no operand is a linear or norm without residual and other uses");
  }
};

struct CapInEpilogue : OpRewritePattern<SoftcapOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SoftcapOp op, PatternRewriter &rewriter) const override {
    auto linear = op.getInput().getDefiningOp<LinearOp>();
    if (!linear || !linear->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the operand is no linear without another use");
    // The epilogue caps once, before it adds.
    if (linear.getCap() || linear.getResidual())
      return rewriter.notifyMatchFailure(op, "the linear caps or adds already");
    rewriter.replaceOpWithNewOp<LinearOp>(
        op, op.getType(), linear.getInput(), linear.getWeightAttr(), linear.getNormAttr(),
        linear.getEpsAttr(), linear.getGegluAttr(), op.getCapAttr(), Value());
    return success();
  }
};

struct FuseEpilogues : rlx::impl::FuseEpiloguesBase<FuseEpilogues> {
  using FuseEpiloguesBase::FuseEpiloguesBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<AddInEpilogue, CapInEpilogue>(&getContext());
    if (failed(rewriteFunctions(getOperation(), role, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
