//===- FuseQkv.cpp - One linear for queries, keys and values --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linears of one input which are split into heads -> one linear over the
// concatenation of their weights.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "WeightTable.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_FUSEQKV
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// The op that cuts the result of `linear` into heads, where that is its only use
/// and the linear has no epilogue.
static SplitHeadsOp getOnlySplit(LinearOp linear) {
  if (linear.getGeglu() || linear.getCap() || linear.getResidual() || !linear->hasOneUse())
    return {};
  return dyn_cast<SplitHeadsOp>(*linear->user_begin());
}

namespace {
struct ProjectAtOnce : OpRewritePattern<LinearOp> {
  ProjectAtOnce(MLIRContext *context, WeightTable &weights)
      : OpRewritePattern(context), weights(weights) {}

  LogicalResult matchAndRewrite(LinearOp first, PatternRewriter &rewriter) const override {
    if (!getOnlySplit(first))
      return rewriter.notifyMatchFailure(first, "the result is not only split into heads");
    SmallVector<LinearOp> group = collect(first);
    if (group.front() != first)
      return rewriter.notifyMatchFailure(first, "another linear of the group comes first");
    if (group.size() == 1)
      return rewriter.notifyMatchFailure(first, "no other linear of this input fits");
    SmallVector<WeightOp> parts;
    for (LinearOp linear : group)
      parts.push_back(weights.lookup(linear.getWeightAttr()));
    fuse(group, weights.combine(parts, Combine::Concat), rewriter);
    return success();
  }

private:
  /// The linears of first's input that can join it, itself included, in order.
  SmallVector<LinearOp> collect(LinearOp first) const {
    SmallVector<LinearOp> group;
    WeightOp weight = weights.lookup(first.getWeightAttr());
    for (Operation *user : first.getInput().getUsers()) {
      auto linear = dyn_cast<LinearOp>(user);
      if (!linear || linear->getBlock() != first->getBlock() || !getOnlySplit(linear) ||
          linear.getNormAttr() != first.getNormAttr() || linear.getEpsAttr() != first.getEpsAttr())
        continue;
      if (linear == first ||
          !weights.whyNotCombine({weight, weights.lookup(linear.getWeightAttr())}, Combine::Concat))
        group.push_back(linear);
    }
    llvm::sort(group, [](LinearOp a, LinearOp b) { return a->isBeforeInBlock(b); });
    return group;
  }

  void fuse(ArrayRef<LinearOp> group, WeightOp weight, PatternRewriter &rewriter) const {
    LinearOp first = group.front();
    rewriter.setInsertionPoint(first);
    auto fused =
        LinearOp::create(rewriter, first.getLoc(),
                         withColumns(first.getType(), weight.getTensorType().getDimSize(0)),
                         first.getInput(), FlatSymbolRefAttr::get(weight.getSymNameAttr()),
                         first.getNormAttr(), first.getEpsAttr(), UnitAttr(), FloatAttr(), Value());
    SmallVector<Type> types;
    SmallVector<SplitHeadsOp> splits;
    for (LinearOp linear : group) {
      splits.push_back(getOnlySplit(linear));
      llvm::append_range(types, splits.back()->getResultTypes());
    }
    auto heads = SplitHeadsOp::create(rewriter, first.getLoc(), types, fused.getResult());
    unsigned next = 0;
    for (auto [linear, split] : llvm::zip(group, splits)) {
      unsigned count = split->getNumResults();
      rewriter.replaceOp(split, heads.getResults().slice(next, count));
      next += count;
      rewriter.eraseOp(linear);
    }
  }

  WeightTable &weights;
};

struct FuseQkv : rlx::impl::FuseQkvBase<FuseQkv> {
  using FuseQkvBase::FuseQkvBase;

  void runOnOperation() override {
    WeightTable weights(getOperation());
    RewritePatternSet patterns(&getContext());
    patterns.add<ProjectAtOnce>(&getContext(), weights);
    if (failed(rewriteFunctions(getOperation(), role, std::move(patterns))))
      return signalPassFailure();
    weights.eraseReplaced();
  }
};
} // namespace
