//===- BindSymbol.cpp - Symbolic sizes made constant ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Replaces one symbol by a value in the types of functions.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "SymbolBinding.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_BINDSYMBOL
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
struct BindSymbol : rlx::impl::BindSymbolBase<BindSymbol> {
  using BindSymbolBase::BindSymbolBase;

  void runOnOperation() override {
    FailureOr<SmallVector<func::FuncOp>> functions = getFunctions(getOperation());
    if (failed(functions))
      return signalPassFailure();
    bool found = false;
    for (func::FuncOp candidate : *functions) {
      if (!function.empty() && candidate.getSymName() != function.getValue())
        continue;
      found = true;
      if (failed(bind(candidate)))
        return signalPassFailure();
    }
    if (!found && !function.empty()) {
      getOperation().emitError("expected a function named ") << function.getValue();
      signalPassFailure();
    }
  }

private:
  LogicalResult bind(func::FuncOp candidate) {
    FailureOr<SymbolAttr> range = getRange(candidate, symbol);
    if (failed(range))
      return failure();
    if (value < range->getMin() || value > range->getMax())
      return candidate.emitOpError("expected a value of ")
             << range->getName() << " in [" << range->getMin() << ", " << range->getMax()
             << "] but got " << value.getValue();
    bindSymbol(candidate, range->getName(), value);
    return success();
  }
};
} // namespace
