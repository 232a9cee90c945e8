//===- FoldConstants.cpp - What does not depend on tokens -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Makes norm gains plain and moves the embedding's scale into its op.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "WeightTable.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
struct AddOneToGain : OpRewritePattern<RmsNormOp> {
  AddOneToGain(MLIRContext *context, WeightTable &weights)
      : OpRewritePattern(context), weights(weights) {}

  LogicalResult matchAndRewrite(RmsNormOp op, PatternRewriter &rewriter) const override {
    if (op.getGain() == GainConvention::Plain)
      return rewriter.notifyMatchFailure(op, "the gain is plain");
    WeightOp gain = weights.lookup(op.getWeightAttr());
    if (isPacked(gain))
      return rewriter.notifyMatchFailure(op, "the gain is packed before one was added");
    WeightOp plain = weights.addOne(gain);
    rewriter.modifyOpInPlace(op, [&] {
      op.setWeightAttr(FlatSymbolRefAttr::get(plain.getSymNameAttr()));
      op.setGain(GainConvention::Plain);
    });
    return success();
  }

private:
  WeightTable &weights;
};

struct FoldScale : OpRewritePattern<ScaleOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScaleOp op, PatternRewriter &rewriter) const override {
    auto embedding = op.getInput().getDefiningOp<EmbeddingOp>();
    if (!embedding || !embedding->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the operand is no embedding without another use");
    // The product of two factors would be rounded differently.
    if (!embedding.getScale().isExactlyValue(1.0))
      return rewriter.notifyMatchFailure(op, "the embedding is scaled already");
    rewriter.replaceOpWithNewOp<EmbeddingOp>(op, op.getType(), embedding.getIds(),
                                             embedding.getWeightAttr(), op.getFactorAttr());
    return success();
  }
};

struct FoldConstants : rlx::impl::FoldConstantsBase<FoldConstants> {
  void runOnOperation() override {
    WeightTable weights(getOperation());
    RewritePatternSet patterns(&getContext());
    patterns.add<AddOneToGain>(&getContext(), weights);
    patterns.add<FoldScale>(&getContext());
    if (failed(rewriteFunctions(getOperation(), "", std::move(patterns))))
      return signalPassFailure();
    weights.eraseReplaced();
  }
};
} // namespace
