//===- ScreenHead.cpp - A coarse copy of the head's weight ----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Half of a small model's weights can be its head, of whose outputs sampling needs
// few. Both new weights are made of what the exact one holds, not of its sources, so
// that the norms bound the difference between the two.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "WeightTable.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_SCREENHEAD
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// The op that computes the logits of `function`, unless something else than a linear does.
static LinearOp findHead(func::FuncOp function) {
  auto end = cast<func::ReturnOp>(function.front().getTerminator());
  return end.getNumOperands() ? end.getOperand(0).getDefiningOp<LinearOp>() : LinearOp();
}

namespace {
struct ScreenHead : rlx::impl::ScreenHeadBase<ScreenHead> {
  using ScreenHeadBase::ScreenHeadBase;

  void runOnOperation() override {
    if (coarse != "q4_0") {
      getOperation().emitError("expected coarse to be q4_0 but got '") << coarse << "'";
      return signalPassFailure();
    }
    FailureOr<SmallVector<func::FuncOp>> functions =
        getFunctions(getOperation(), stringifyRole(Role::Decode));
    if (failed(functions))
      return signalPassFailure();
    for (func::FuncOp function : *functions)
      if (LinearOp head = findHead(function))
        if (!head->hasAttr(kGenericAttr) && failed(screen(head)))
          return signalPassFailure();
  }

private:
  LogicalResult screen(LinearOp head) {
    auto weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(head, head.getWeightAttr());
    auto stored = dyn_cast<QuantType>(weight.getTensorType().getElementType());
    auto type = QuantType::get(&getContext(), coarse);
    if (!stored || !isPacked(weight) ||
        stored.getBytes() * type.getBlock() <= type.getBytes() * stored.getBlock())
      return weight.emitError("expected a head of a quantised type with more bits than the ")
             << coarse << " of its coarse copy but got " << weight.getTensorType().getElementType()
             << "; quantise it, or leave out 'screen_head'";
    int64_t rows = weight.getTensorType().getDimSize(0);
    auto norms = ResidualNormsAttr::get(&getContext(), type);
    head.setCoarseAttr(derive(weight, ".coarse", weight.getTensorType().clone(type),
                              ConvertAttr::get(&getContext(), type), "r16"));
    head.setNormsAttr(derive(weight, ".norms",
                             RankedTensorType::get({rows, 2}, Float32Type::get(&getContext())),
                             norms, "row"));
    return success();
  }

  /// The weight that `transform` makes of what `weight` holds, for all heads that share it.
  FlatSymbolRefAttr derive(WeightOp weight, StringRef suffix, RankedTensorType type,
                           Attribute transform, StringRef layout) {
    std::string name = (weight.getSymName() + suffix).str();
    auto reference = FlatSymbolRefAttr::get(&getContext(), name);
    if (getOperation().lookupSymbol(name))
      return reference;
    SmallVector<Attribute> transforms(weight.getTransforms().getValue().drop_back());
    transforms.push_back(transform);
    transforms.push_back(PackAttr::get(&getContext(), StringAttr::get(&getContext(), layout)));
    OpBuilder builder(weight->getContext());
    builder.setInsertionPointAfter(weight);
    WeightOp::create(builder, weight.getLoc(), StringAttr::get(&getContext(), name),
                     TypeAttr::get(type), weight.getSourcesAttr(), weight.getCombineAttr(),
                     ArrayAttr::get(&getContext(), transforms), IntegerAttr(), IntegerAttr());
    return reference;
  }
};
} // namespace
