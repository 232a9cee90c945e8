//===- FuseNormIntoLinear.cpp - Linears that normalise --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rlx.rms_norm + rlx.linear -> rlx.linear with a norm.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "WeightTable.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_FUSENORMINTOLINEAR
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
struct NormaliseInLinear : OpRewritePattern<RmsNormOp> {
  NormaliseInLinear(MLIRContext *context, WeightTable &weights)
      : OpRewritePattern(context), weights(weights) {}

  LogicalResult matchAndRewrite(RmsNormOp op, PatternRewriter &rewriter) const override {
    if (op.getResidual())
      return rewriter.notifyMatchFailure(op, "a residual is added to the norm");
    if (op->use_empty())
      return rewriter.notifyMatchFailure(op, "nothing uses the norm");
    SmallVector<LinearOp> linears;
    for (OpOperand &use : op->getUses()) {
      auto linear = dyn_cast<LinearOp>(use.getOwner());
      if (!linear || use.getOperandNumber() != 0)
        return rewriter.notifyMatchFailure(op, "the norm has a use that is no linear's input");
      if (linear.getNorm())
        return rewriter.notifyMatchFailure(op, "a linear normalises its input already");
      linears.push_back(linear);
    }
    WeightOp gain = weights.lookup(op.getWeightAttr());
    if (op.getGain() == GainConvention::OnePlus) {
      if (isPacked(gain))
        return rewriter.notifyMatchFailure(op, "the gain is packed before one was added");
      gain = weights.addOne(gain);
    }
    for (LinearOp linear : linears)
      rewriter.modifyOpInPlace(linear, [&] {
        linear.getInputMutable().assign(op.getInput());
        linear.setNormAttr(FlatSymbolRefAttr::get(gain.getSymNameAttr()));
        linear.setEpsAttr(op.getEpsAttr());
      });
    rewriter.eraseOp(op);
    return success();
  }

private:
  WeightTable &weights;
};

struct FuseNormIntoLinear : rlx::impl::FuseNormIntoLinearBase<FuseNormIntoLinear> {
  using FuseNormIntoLinearBase::FuseNormIntoLinearBase;

  void runOnOperation() override {
    WeightTable weights(getOperation());
    RewritePatternSet patterns(&getContext());
    patterns.add<NormaliseInLinear>(&getContext(), weights);
    if (failed(rewriteFunctions(getOperation(), role, std::move(patterns))))
      return signalPassFailure();
    weights.eraseReplaced();
  }
};
} // namespace
