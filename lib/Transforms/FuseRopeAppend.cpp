//===- FuseRopeAppend.cpp - Rotation of appended keys ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rlx.rope + rlx.kv_append -> rlx.rope_append.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_FUSEROPEAPPEND
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
struct RotateInAppend : OpRewritePattern<KVAppendOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(KVAppendOp op, PatternRewriter &rewriter) const override {
    auto rope = op.getKey().getDefiningOp<RopeOp>();
    if (!rope)
      return rewriter.notifyMatchFailure(op, "the keys are not rotated");
    if (!rope->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the rotated keys have another use");
    rewriter.replaceOpWithNewOp<RopeAppendOp>(op, op.getType(), op.getCache(), op.getSlotAttr(),
                                              rope.getInput(), op.getValue(), rope.getAngles());
    return success();
  }
};

struct FuseRopeAppend : rlx::impl::FuseRopeAppendBase<FuseRopeAppend> {
  using FuseRopeAppendBase::FuseRopeAppendBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RotateInAppend>(&getContext());
    if (failed(rewriteFunctions(getOperation(), role, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
