//===- Decompose.cpp - Fused ops taken apart ------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The inverse of the fusion passes, one epilogue or weight at a time.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "WeightTable.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_DECOMPOSE
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

static FlatSymbolRefAttr refer(WeightOp weight) {
  return FlatSymbolRefAttr::get(weight.getSymNameAttr());
}

/// A linear without norm and epilogue.
static LinearOp makePlain(PatternRewriter &rewriter, Location loc, Type type, Value input,
                          FlatSymbolRefAttr weight) {
  return LinearOp::create(rewriter, loc, type, input, weight, FlatSymbolRefAttr(), FloatAttr(),
                          UnitAttr(), FloatAttr(), Value());
}

namespace {
/// Residual, cap and norm of a linear become ops of their own.
struct SplitEpilogue : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    if (Value residual = op.getResidual()) {
      auto linear = LinearOp::create(rewriter, loc, op.getType(), op.getInput(), op.getWeightAttr(),
                                     op.getNormAttr(), op.getEpsAttr(), op.getGegluAttr(),
                                     op.getCapAttr(), Value());
      rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), residual, linear);
      return success();
    }
    if (op.getCap()) {
      auto linear = LinearOp::create(rewriter, loc, op.getType(), op.getInput(), op.getWeightAttr(),
                                     op.getNormAttr(), op.getEpsAttr(), op.getGegluAttr(),
                                     FloatAttr(), Value());
      rewriter.replaceOpWithNewOp<SoftcapOp>(op, op.getType(), linear, op.getCapAttr());
      return success();
    }
    if (!op.getNorm())
      return rewriter.notifyMatchFailure(op, "there is no norm, cap or residual");
    auto plain = GainConventionAttr::get(getContext(), GainConvention::Plain);
    auto norm = RmsNormOp::create(rewriter, loc, op.getInput().getType(), op.getInput(),
                                  op.getNormAttr(), plain, op.getEpsAttr(), Value());
    rewriter.replaceOpWithNewOp<LinearOp>(op, op.getType(), norm, op.getWeightAttr(),
                                          FlatSymbolRefAttr(), FloatAttr(), op.getGegluAttr(),
                                          FloatAttr(), Value());
    return success();
  }
};

/// A linear over a fused weight becomes one for each of its parts.
struct SplitWeight : OpRewritePattern<LinearOp> {
  SplitWeight(MLIRContext *context, WeightTable &weights)
      : OpRewritePattern(context), weights(weights) {}

  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    if (op.getNorm() || op.getCap() || op.getResidual())
      return rewriter.notifyMatchFailure(op, "norm, cap and residual come first");
    WeightOp weight = weights.lookup(op.getWeightAttr());
    if (weight.getOffset())
      return rewriter.notifyMatchFailure(op, "the weight is laid out");
    if (op.getGeglu())
      return splitGate(op, weight, rewriter);
    if (weight.getCombine() != Combine::Concat)
      return rewriter.notifyMatchFailure(op, "the weight is no concatenation");
    return splitHeads(op, weight, rewriter);
  }

private:
  LogicalResult splitGate(LinearOp op, WeightOp weight, PatternRewriter &rewriter) const {
    if (weight.getCombine() != Combine::Interleave || weight.getSources().size() != 2)
      return rewriter.notifyMatchFailure(op, "the weight does not interleave two sources");
    SmallVector<Value> values;
    for (WeightOp part : weights.takeApart(weight))
      values.push_back(makePlain(rewriter, op.getLoc(), op.getType(), op.getInput(), refer(part)));
    rewriter.replaceOpWithNewOp<GegluOp>(op, op.getType(), values[0], values[1]);
    return success();
  }

  LogicalResult splitHeads(LinearOp op, WeightOp weight, PatternRewriter &rewriter) const {
    auto heads = op->hasOneUse() ? dyn_cast<SplitHeadsOp>(*op->user_begin()) : SplitHeadsOp();
    if (!heads || heads->getNumResults() != weight.getSources().size())
      return rewriter.notifyMatchFailure(op, "the result is not split as the weight is");
    for (auto [source, result] : llvm::zip(weight.getSources(), heads.getResults())) {
      auto type = cast<RankedTensorType>(result.getType());
      if (cast<SourceAttr>(source).getType().getDimSize(0) !=
          type.getDimSize(2) * type.getDimSize(3))
        return rewriter.notifyMatchFailure(op, "the result is not split as the weight is");
    }
    rewriter.setInsertionPoint(heads);
    SmallVector<Value> pieces;
    for (auto [part, type] : llvm::zip(weights.takeApart(weight), heads->getResultTypes())) {
      int64_t columns = part.getTensorType().getDimSize(0);
      auto linear = makePlain(rewriter, op.getLoc(), withColumns(op.getType(), columns),
                              op.getInput(), refer(part));
      pieces.push_back(
          SplitHeadsOp::create(rewriter, op.getLoc(), TypeRange(type), linear).getResult(0));
    }
    rewriter.replaceOp(heads, pieces);
    rewriter.eraseOp(op);
    return success();
  }

  WeightTable &weights;
};

struct SplitResidual : OpRewritePattern<RmsNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RmsNormOp op, PatternRewriter &rewriter) const override {
    if (!op.getResidual())
      return rewriter.notifyMatchFailure(op, "there is no residual");
    auto norm = RmsNormOp::create(rewriter, op.getLoc(), op.getType(), op.getInput(),
                                  op.getWeightAttr(), op.getGainAttr(), op.getEpsAttr(), Value());
    rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), op.getResidual(), norm);
    return success();
  }
};

struct SplitGeglu : OpRewritePattern<GegluOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GegluOp op, PatternRewriter &rewriter) const override {
    auto gelu = GeluOp::create(rewriter, op.getLoc(), op.getType(), op.getLhs());
    rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), gelu, op.getRhs());
    return success();
  }
};

struct SplitRopeAppend : OpRewritePattern<RopeAppendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RopeAppendOp op, PatternRewriter &rewriter) const override {
    auto rope =
        RopeOp::create(rewriter, op.getLoc(), op.getKey().getType(), op.getKey(), op.getAngles());
    rewriter.replaceOpWithNewOp<KVAppendOp>(op, op.getType(), op.getCache(), op.getSlotAttr(), rope,
                                            op.getValue());
    return success();
  }
};

struct SplitCachedAttention : OpRewritePattern<CachedAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CachedAttentionOp op, PatternRewriter &rewriter) const override {
    auto slot = SymbolTable::lookupNearestSymbolFrom<KVSlotOp>(op, op.getSlotAttr());
    DimsAttr dims = getDims(op.getQuery().getType());
    if (!slot || !dims)
      return rewriter.notifyMatchFailure(op, "the query has no symbolic sizes");
    auto type = getTensorType(makeCacheDims(op, dims, slot), rewriter.getF32Type());
    auto read =
        KVReadOp::create(rewriter, op.getLoc(), type, type, op.getCache(), op.getSlotAttr());
    rewriter.replaceOpWithNewOp<AttentionOp>(op, op.getType(), op.getQuery(), read.getKey(),
                                             read.getValue(), op.getMaskAttr(), op.getScaleAttr(),
                                             op.getCapAttr(), op.getWindowAttr());
    return success();
  }

private:
  /// [BATCH, PAST_SEQ + SEQ, heads, head_dim], in terms of the query's sizes.
  static DimsAttr makeCacheDims(CachedAttentionOp op, DimsAttr query, KVSlotOp slot) {
    MLIRContext *context = op.getContext();
    auto name = StringAttr::get(context, RLXDialect::kPastSymbol);
    SmallVector<StringAttr> symbols(query.getSymbols());
    AffineExpr past = getAffineSymbolExpr(symbols.size(), context);
    symbols.push_back(name);
    if (SymbolAttr range = lookupSymbol(op, name); range && range.getMin() == range.getMax())
      past = getAffineConstantExpr(range.getMin(), context);
    return DimsAttr::get(context, symbols,
                         {query.getDim(0), past + query.getDim(1),
                          getAffineConstantExpr(slot.getKvHeads(), context),
                          getAffineConstantExpr(slot.getHeadDim(), context)});
  }
};

struct Decompose : rlx::impl::DecomposeBase<Decompose> {
  using DecomposeBase::DecomposeBase;

  void runOnOperation() override {
    WeightTable weights(getOperation());
    RewritePatternSet patterns(&getContext());
    patterns.add<SplitEpilogue, SplitResidual, SplitGeglu, SplitRopeAppend, SplitCachedAttention>(
        &getContext());
    patterns.add<SplitWeight>(&getContext(), weights);
    if (failed(rewriteFunctions(getOperation(), role, std::move(patterns))))
      return signalPassFailure();
    weights.eraseReplaced();
  }
};
} // namespace
