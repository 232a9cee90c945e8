//===- ShareRopeAngles.cpp - One table of angles for each rope ------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Equal rlx.rope_angles -> the first of them.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_SHAREROPEANGLES
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// Replaces the results of ops that stand for one value by the first one's.
/// `makeKey` tells what the value depends on.
template <typename OpT, typename Key> static void shareFirst(func::FuncOp function, Key makeKey) {
  llvm::DenseMap<std::pair<decltype(makeKey(OpT())), Type>, OpT> firsts;
  for (auto op : llvm::make_early_inc_range(function.getBody().front().getOps<OpT>())) {
    auto [found, isNew] = firsts.try_emplace({makeKey(op), op.getType()}, op);
    if (isNew)
      continue;
    op.getResult().replaceAllUsesWith(found->second.getResult());
    op.erase();
  }
}

namespace {
struct ShareRopeAngles : rlx::impl::ShareRopeAnglesBase<ShareRopeAngles> {
  void runOnOperation() override {
    FailureOr<SmallVector<func::FuncOp>> functions = getFunctions(getOperation());
    if (failed(functions))
      return signalPassFailure();
    for (func::FuncOp function : *functions) {
      // Every state of the cache has the positions of the step.
      shareFirst<PositionsOp>(function, [](PositionsOp) { return Attribute(); });
      shareFirst<RopeAnglesOp>(
          function, [](RopeAnglesOp op) { return std::pair(op.getPositions(), op.getRope()); });
    }
  }
};
} // namespace
