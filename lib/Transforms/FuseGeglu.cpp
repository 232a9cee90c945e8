//===- FuseGeglu.cpp - Gated GELU -----------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rlx.gelu + rlx.mul -> rlx.geglu.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_FUSEGEGLU
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
struct GateWithGelu : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    for (auto [gate, up] :
         {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto gelu = gate.getDefiningOp<GeluOp>();
      if (!gelu || !gelu->hasOneUse())
        continue;
      rewriter.replaceOpWithNewOp<GegluOp>(op, op.getType(), gelu.getInput(), up);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no factor is a GELU without another use");
  }
};

struct FuseGeglu : rlx::impl::FuseGegluBase<FuseGeglu> {
  using FuseGegluBase::FuseGegluBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<GateWithGelu>(&getContext());
    if (failed(rewriteFunctions(getOperation(), role, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
