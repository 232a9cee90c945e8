//===- FuseAttention.cpp - Attention over the cache -----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rlx.kv_read + rlx.attention -> rlx.cached_attention.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_FUSEATTENTION
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
struct ReadCacheInAttention : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    auto read = op.getKey().getDefiningOp<KVReadOp>();
    if (!read || op.getKey() != read.getKey() || op.getValue() != read.getValue())
      return rewriter.notifyMatchFailure(op, "keys and values are not those of one kv_read");
    // A state of the cache is dead once a later one was made.
    for (Operation *user : read.getCache().getUsers())
      if (isa<KVAppendOp, RopeAppendOp>(user) && user->isBeforeInBlock(op))
        return rewriter.notifyMatchFailure(op, "a later state of the cache was made in between");
    rewriter.replaceOpWithNewOp<CachedAttentionOp>(
        op, op.getType(), op.getQuery(), read.getCache(), read.getSlotAttr(), op.getMaskAttr(),
        op.getScaleAttr(), op.getCapAttr(), op.getWindowAttr());
    return success();
  }
};

struct FuseAttention : rlx::impl::FuseAttentionBase<FuseAttention> {
  using FuseAttentionBase::FuseAttentionBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ReadCacheInAttention>(&getContext());
    if (failed(rewriteFunctions(getOperation(), role, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
