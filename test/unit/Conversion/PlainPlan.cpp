//===- PlainPlan.cpp - A memory plan without reuse ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Results and scratch memory one after another.
//
//===----------------------------------------------------------------------===//
#include "PlainPlan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Scratch.h"
#include "rlx/IR/RLXOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace rlx;

static int64_t take(int64_t &end, int64_t bytes) {
  int64_t offset = end;
  end = llvm::alignTo(end + bytes, 64);
  return offset;
}

static void planFunction(func::FuncOp function) {
  Builder builder(function.getContext());
  int64_t end = 0, rows = 1, counters = 0;
  function.walk([&](Operation *op) {
    SmallVector<int64_t> offsets;
    for (Type type : op->getResultTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      std::optional<int64_t> elements;
      if (tensor)
        elements = getMaxElements(op, tensor);
      offsets.push_back(elements ? take(end, *elements * 8) : -1);
      if (elements && tensor.getRank() == 3)
        rows = std::max(rows, *elements / tensor.getShape().back());
    }
    op->setAttr(kOffsetsAttr, builder.getDenseI64ArrayAttr(offsets));
    counters += countClaims(op);
    if (int64_t bytes = scratchBytes(op, rows))
      op->setAttr(kScratchAttr, builder.getI64IntegerAttr(take(end, bytes)));
  });
  function->setAttr(kCountersAttr,
                    builder.getDenseI64ArrayAttr({take(end, counters * 64), counters}));
  function->setAttr(kWorkspaceBytesAttr, builder.getI64IntegerAttr(end));
}

void rlx::test::planWithoutReuse(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    planFunction(function);
}

void rlx::test::addVariants(ModuleOp module) {
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  for (auto function : llvm::to_vector(module.getOps<func::FuncOp>())) {
    auto range = [&](StringRef name) {
      return lookupSymbol(function, builder.getStringAttr(name));
    };
    bool decode = function.getName() == "decode";
    // Functions and variants share one table of names.
    function.setName((function.getName() + "_step").str());
    VariantOp::create(builder, function.getLoc(), decode ? "decode" : "generic", function.getName(),
                      decode ? Role::Decode : Role::Prefill, 1, decode ? 1 : range("SEQ").getMax(),
                      0, range("PAST_SEQ").getMax());
  }
}
