//===- ConvertToKernels.cpp - Forward functions to step functions ---------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Replaces each forward function by its step function and moves what the model
// table needs from functions to rlx.variant ops and the module.
//
//===----------------------------------------------------------------------===//
#include "StepBuilder.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_CONVERTTOKERNELS
#include "rlx/Conversion/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// The largest value of `symbol` at `op`, or `otherwise` where it is not declared.
static int64_t getMaximum(Operation *op, StringRef symbol, int64_t otherwise) {
  SymbolAttr range = lookupSymbol(op, StringAttr::get(op->getContext(), symbol));
  return range ? range.getMax() : otherwise;
}

namespace {
struct ConvertToKernels : rlx::impl::ConvertToKernelsBase<ConvertToKernels> {
  using ConvertToKernelsBase::ConvertToKernelsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::Expected<TargetDescription> target = resolveTarget(targetCpu);
    if (!target) {
      module.emitError(llvm::toString(target.takeError()));
      return signalPassFailure();
    }
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr(RLXDialect::kRoleAttr))
        functions.push_back(function);
    if (functions.empty()) {
      module.emitError("expected a function with the attribute ") << RLXDialect::kRoleAttr;
      return signalPassFailure();
    }
    KernelLibrary kernels(module, *target);
    setModelAttributes(functions.front(), target->name);
    for (func::FuncOp function : functions)
      if (failed(convertFunction(function, kernels)))
        return signalPassFailure();
    setProbes(kernels);
  }

private:
  /// Hands the probes on to the model table.
  void setProbes(const KernelLibrary &kernels) {
    Builder b(&getContext());
    SmallVector<Attribute> list;
    for (const KernelLibrary::Probe &probe : kernels.getProbes()) {
      func::FuncOp function = probe.function;
      list.push_back(b.getDictionaryAttr(
          {b.getNamedAttr("name", b.getStringAttr(probe.name)),
           b.getNamedAttr("operations", b.getI64IntegerAttr(probe.operations)),
           b.getNamedAttr("function", FlatSymbolRefAttr::get(function.getSymNameAttr()))}));
    }
    getOperation()->setAttr(kProbesAttr, b.getArrayAttr(list));
  }

  /// Sizes that are the same in every function.
  void setModelAttributes(func::FuncOp function, StringRef target) {
    ModuleOp module = getOperation();
    Builder builder(&getContext());
    auto lastSize = [&](unsigned result) {
      auto type = dyn_cast<RankedTensorType>(function.getResultTypes()[result]);
      return builder.getI64IntegerAttr(type ? type.getShape().back() : 0);
    };
    if (function.getNumResults() >= 2) {
      module->setAttr(kVocabSizeAttr, lastSize(0));
      module->setAttr(kHiddenSizeAttr, lastSize(1));
    }
    module->setAttr(kMaxContextAttr,
                    builder.getI64IntegerAttr(getMaximum(module, "PAST_SEQ", 0) + 1));
    module->setAttr(kTargetAttr, builder.getStringAttr(target));
  }

  LogicalResult convertFunction(func::FuncOp function, KernelLibrary &kernels) {
    auto workspace = function->getAttrOfType<IntegerAttr>(kWorkspaceBytesAttr);
    if (!workspace)
      return function.emitOpError("expected the attribute ")
             << kWorkspaceBytesAttr << "; run memory planning before";
    if (workspace.getInt() < 0 || workspace.getInt() > kMaxWorkspaceBytes)
      return function.emitOpError("expected a workspace of 0 to 2^44 bytes but got ")
             << workspace.getInt();
    OpBuilder builder(function);
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i32 = builder.getI32Type();
    auto entry = func::FuncOp::create(builder, function.getLoc(), function.getName(),
                                      builder.getFunctionType({pointer, i32, i32}, {}));
    StepBuilder step(function, entry, kernels);
    if (failed(step.build())) {
      entry.erase();
      return failure();
    }
    for (auto variant : getOperation().getOps<VariantOp>()) {
      if (variant.getFunction() != function.getName())
        continue;
      variant->setAttr(kWorkspaceBytesAttr, workspace);
      variant->setAttr(kStagesAttr, step.getStages().getAttr(&getContext()));
      variant->setAttr(kBatchMaxAttr, builder.getI64IntegerAttr(getMaximum(function, "BATCH", 1)));
      variant->setAttr(kOutMaxAttr, builder.getI64IntegerAttr(getMaximum(function, "OUT", 1)));
    }
    function.erase();
    return success();
  }
};
} // namespace
