//===- VerifyStage.cpp - What phases promise ------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks the contract between a phase and the next.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "WeightTable.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_VERIFYSTAGE
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
using Check = LogicalResult (*)(ModuleOp module, ArrayRef<func::FuncOp> functions);

struct Stage {
  StringLiteral name;
  Check check;
};
} // namespace

static LogicalResult checkOp(Operation &op) {
  if (!isa<RLXDialect>(op.getDialect()) && !isa<func::ReturnOp>(op))
    return op.emitOpError("expected only RLX ops in a forward function");
  for (Type type : op.getResultTypes())
    if (DimsAttr dims = getDims(type))
      for (StringAttr symbol : dims.getSymbols())
        if (failed(getRange(&op, symbol)))
          return failure();
  return success();
}

static LogicalResult checkImport(ModuleOp module, ArrayRef<func::FuncOp> functions) {
  for (StringRef symbol : {RLXDialect::kBatchSymbol, RLXDialect::kSeqSymbol,
                           RLXDialect::kPastSymbol, RLXDialect::kOutSymbol})
    if (failed(getRange(module, symbol)))
      return failure();
  if (llvm::none_of(functions, [](func::FuncOp f) { return getRole(f) == Role::Prefill; }))
    return module.emitError("expected a forward function with role prefill");
  for (func::FuncOp function : functions) {
    if (!function.getBody().hasOneBlock())
      return function.emitOpError("expected a forward function of one block");
    for (Operation &op : function.getBody().front())
      if (failed(checkOp(op)))
        return failure();
  }
  return success();
}

static LogicalResult checkFold(ModuleOp module, ArrayRef<func::FuncOp> functions) {
  for (func::FuncOp function : functions) {
    llvm::DenseSet<Attribute> ropes;
    for (Operation &op : function.getBody().front()) {
      if (auto norm = dyn_cast<RmsNormOp>(op); norm && norm.getGain() != GainConvention::Plain)
        return norm.emitOpError("expected a plain gain; run rlx-fold-constants before");
      if (auto angles = dyn_cast<RopeAnglesOp>(op);
          angles && !ropes.insert(angles.getRope()).second)
        return angles.emitOpError("expected the angles of a rope to be computed once; run "
                                  "rlx-share-rope-angles before");
    }
  }
  return success();
}

/// Whether the function of `variant` declares the ranges that its entry names.
static LogicalResult checkVariant(VariantOp variant, func::FuncOp function) {
  if (!function || getRole(function) != variant.getRole())
    return variant.emitOpError("expected ")
           << variant.getFunctionAttr() << " to be a function with role "
           << stringifyRole(variant.getRole());
  FailureOr<SymbolAttr> seq = getRange(function, RLXDialect::kSeqSymbol),
                        past = getRange(function, RLXDialect::kPastSymbol);
  if (failed(seq) || failed(past))
    return failure();
  auto agrees = [](SymbolAttr range, uint64_t min, uint64_t max) {
    return range.getMin() == static_cast<int64_t>(min) &&
           range.getMax() == static_cast<int64_t>(max);
  };
  if (!agrees(*seq, variant.getSeqMin(), variant.getSeqMax()) ||
      !agrees(*past, variant.getPastMin(), variant.getPastMax()))
    return variant.emitOpError("expected the ranges of ")
           << variant.getFunctionAttr() << ", " << *seq << " and " << *past;
  return success();
}

static LogicalResult checkSpecialize(ModuleOp module, ArrayRef<func::FuncOp> functions) {
  SymbolTable symbols(module);
  llvm::DenseSet<Operation *> called;
  for (auto variant : module.getOps<VariantOp>()) {
    auto function = symbols.lookup<func::FuncOp>(variant.getFunctionAttr().getAttr());
    if (failed(checkVariant(variant, function)))
      return failure();
    called.insert(function);
  }
  for (func::FuncOp function : functions)
    if (!called.contains(function))
      return function.emitOpError("expected every forward function to be some variant's");
  auto generic = symbols.lookup<VariantOp>("generic");
  SymbolAttr seq = *getRange(module, RLXDialect::kSeqSymbol),
             past = *getRange(module, RLXDialect::kPastSymbol);
  if (!generic || generic.getRole() != Role::Prefill ||
      generic.getSeqMax() != static_cast<uint64_t>(seq.getMax()) ||
      generic.getPastMax() != static_cast<uint64_t>(past.getMax()))
    return module.emitError("expected a prefill variant 'generic' for ") << seq << " and " << past;
  return success();
}

static LogicalResult checkPlan(ModuleOp module, ArrayRef<func::FuncOp> functions) {
  for (auto weight : module.getOps<WeightOp>())
    if (!isPacked(weight))
      return weight.emitOpError("expected a packed weight; run rlx-pack-weights before");
  for (func::FuncOp function : functions) {
    if (!function->hasAttr(kWorkspaceBytesAttr))
      return function.emitOpError("expected a planned function; run rlx-plan-memory before");
    for (Operation &op : function.getBody().front())
      if (llvm::any_of(op.getResultTypes(), [](Type t) { return isa<RankedTensorType>(t); }) &&
          !op.hasAttr(kOffsetsAttr))
        return op.emitOpError("expected its results to be placed; run rlx-plan-memory before");
  }
  return success();
}

namespace {
struct VerifyStage : rlx::impl::VerifyStageBase<VerifyStage> {
  using VerifyStageBase::VerifyStageBase;

  void runOnOperation() override {
    static const Stage stages[] = {{"import", checkImport},
                                   {"fuse", nullptr},
                                   {"fold", checkFold},
                                   {"specialize", checkSpecialize},
                                   {"plan", checkPlan}};
    ModuleOp module = getOperation();
    const auto *last = llvm::find_if(stages, [&](const Stage &s) { return s.name == stage; });
    if (last == std::end(stages)) {
      module.emitError("expected stage import, fuse, fold, specialize or plan but got '")
          << stage << "'";
      return signalPassFailure();
    }
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (getRole(function) && !function.isExternal())
        functions.push_back(function);
    for (const Stage *current = std::begin(stages); current <= last; ++current)
      if (current->check && failed(current->check(module, functions)))
        return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
