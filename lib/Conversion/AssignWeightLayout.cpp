//===- AssignWeightLayout.cpp - Places in the packed weights --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Chooses layouts and lays weights out one after another.
//
//===----------------------------------------------------------------------===//
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Conversion/Weights.h"
#include "rlx/runtime/abi.h"
#include "llvm/Support/MathExtras.h"

namespace rlx {
#define GEN_PASS_DEF_ASSIGNWEIGHTLAYOUT
#include "rlx/Conversion/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// Kernels read vectors as f32.
static void appendLayout(WeightOp weight) {
  MLIRContext *context = weight.getContext();
  RankedTensorType type = weight.getTensorType();
  auto transforms = llvm::to_vector(weight.getTransforms());
  bool matrix = type.getRank() == 2;
  if (Type f32 = Float32Type::get(context); !matrix && type.getElementType() != f32) {
    transforms.push_back(ConvertAttr::get(context, f32));
    weight.setType(RankedTensorType::get(type.getShape(), f32));
  }
  transforms.push_back(PackAttr::get(context, StringAttr::get(context, matrix ? "r16" : "row")));
  weight.setTransformsAttr(ArrayAttr::get(context, transforms));
}

namespace {
struct AssignWeightLayout : rlx::impl::AssignWeightLayoutBase<AssignWeightLayout> {
  void runOnOperation() override {
    Builder builder(&getContext());
    uint64_t end = 0;
    for (auto weight : getOperation().getOps<WeightOp>()) {
      if (getWeightLayout(weight).empty())
        appendLayout(weight);
      FailureOr<int64_t> size = getPackedBytes(weight);
      if (failed(size))
        return signalPassFailure();
      uint64_t offset = llvm::alignTo(end, RLX_ALIGNMENT);
      weight.setOffset(offset);
      weight.setSize(*size);
      end = offset + *size;
    }
    getOperation()->setAttr(kWeightsBytesAttr, builder.getI64IntegerAttr(end));
  }
};
} // namespace
