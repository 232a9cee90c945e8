//===- FuseGateUp.cpp - One linear for gate and up ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two linears + rlx.geglu -> one linear with interleaved weight and epilogue.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "WeightTable.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_FUSEGATEUP
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
struct GateInEpilogue : OpRewritePattern<GegluOp> {
  GateInEpilogue(MLIRContext *context, WeightTable &weights)
      : OpRewritePattern(context), weights(weights) {}

  LogicalResult matchAndRewrite(GegluOp op, PatternRewriter &rewriter) const override {
    auto gate = op.getLhs().getDefiningOp<LinearOp>();
    auto up = op.getRhs().getDefiningOp<LinearOp>();
    if (!gate || !up || gate == up)
      return rewriter.notifyMatchFailure(op, "gate and up are not two linears");
    for (LinearOp linear : {gate, up})
      if (!linear->hasOneUse() || linear.getGeglu() || linear.getCap() || linear.getResidual())
        return rewriter.notifyMatchFailure(op, "a linear has an epilogue or another use");
    if (gate.getInput() != up.getInput() || gate.getNormAttr() != up.getNormAttr() ||
        gate.getEpsAttr() != up.getEpsAttr())
      return rewriter.notifyMatchFailure(op, "gate and up differ in their input");
    WeightOp parts[] = {weights.lookup(gate.getWeightAttr()), weights.lookup(up.getWeightAttr())};
    if (std::optional<std::string> reason = weights.whyNotCombine(parts, Combine::Interleave))
      return rewriter.notifyMatchFailure(op, *reason);
    WeightOp weight = weights.combine(parts, Combine::Interleave);
    rewriter.replaceOpWithNewOp<LinearOp>(
        op, op.getType(), gate.getInput(), FlatSymbolRefAttr::get(weight.getSymNameAttr()),
        gate.getNormAttr(), gate.getEpsAttr(), rewriter.getUnitAttr(), FloatAttr(), Value());
    return success();
  }

private:
  WeightTable &weights;
};

struct FuseGateUp : rlx::impl::FuseGateUpBase<FuseGateUp> {
  using FuseGateUpBase::FuseGateUpBase;

  void runOnOperation() override {
    WeightTable weights(getOperation());
    RewritePatternSet patterns(&getContext());
    patterns.add<GateInEpilogue>(&getContext(), weights);
    if (failed(rewriteFunctions(getOperation(), role, std::move(patterns))))
      return signalPassFailure();
    weights.eraseReplaced();
  }
};
} // namespace
