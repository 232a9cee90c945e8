//===- ForwardFunctions.cpp - The functions that passes work on -----------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Roles, ranges, and the driver of function patterns.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace rlx;

std::optional<Role> rlx::getRole(func::FuncOp function) {
  auto role = function->getAttrOfType<StringAttr>(RLXDialect::kRoleAttr);
  return role ? symbolizeRole(role.getValue()) : std::nullopt;
}

FailureOr<SmallVector<func::FuncOp>> rlx::getFunctions(ModuleOp module, StringRef role) {
  std::optional<Role> wanted = symbolizeRole(role);
  if (!role.empty() && !wanted)
    return module.emitError("expected role prefill or decode but got '") << role << "'";
  SmallVector<func::FuncOp> result;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.getBody().hasOneBlock() && (!wanted || getRole(function) == wanted))
      result.push_back(function);
  }
  return result;
}

LogicalResult rlx::rewriteFunctions(ModuleOp module, StringRef role, RewritePatternSet patterns) {
  FailureOr<SmallVector<func::FuncOp>> functions = getFunctions(module, role);
  if (failed(functions))
    return failure();
  FrozenRewritePatternSet frozen(std::move(patterns));
  for (func::FuncOp function : *functions)
    if (failed(applyPatternsGreedily(function, frozen)))
      return function.emitError("expected the rewriting to come to an end");
  return success();
}

RankedTensorType rlx::withColumns(RankedTensorType type, int64_t columns) {
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = columns;
  DimsAttr dims = getDims(type);
  if (!dims)
    return RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
  SmallVector<AffineExpr> sizes(dims.getMap().getResults());
  sizes.back() = getAffineConstantExpr(columns, type.getContext());
  return getTensorType(DimsAttr::get(type.getContext(), dims.getSymbols(), sizes),
                       type.getElementType());
}

FailureOr<SymbolAttr> rlx::getRange(Operation *op, StringRef symbol) {
  SymbolAttr range = lookupSymbol(op, StringAttr::get(op->getContext(), symbol));
  if (!range)
    return op->emitError("expected the symbol ") << symbol << " to be declared in 'rlx.symbols'";
  return range;
}

FailureOr<int64_t> rlx::getMaxTokens(func::FuncOp function) {
  constexpr int64_t kLimit = int64_t(1) << 24;
  FailureOr<SymbolAttr> batch = getRange(function, RLXDialect::kBatchSymbol),
                        seq = getRange(function, RLXDialect::kSeqSymbol);
  if (failed(batch) || failed(seq))
    return failure();
  if (batch->getMax() > kLimit / std::max<int64_t>(seq->getMax(), 1))
    return function.emitError("expected at most 2^24 tokens in a step but got up to ")
           << batch->getMax() << " sequences of " << seq->getMax();
  return batch->getMax() * seq->getMax();
}
