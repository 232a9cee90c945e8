//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verifiers of the ops that stand in the module's body.

#include "rlx/IR/RLXOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace rlx;

// weight_c1: sources; weight_c2: combine; weight_c3: transforms; weight_c4: place.
LogicalResult WeightOp::verify() {
  if (getSources().empty())
    return emitOpError("expected at least one source");
  for (Attribute source : getSources())
    if (!isa<SourceAttr>(source))
      return emitOpError("expected a source to be #rlx.source but got ") << source;
  if (getCombine() == Combine::None && getSources().size() != 1)
    return emitOpError("expected exactly one source without 'combine' but got ")
           << getSources().size();
  for (Attribute transform : getTransforms())
    if (!isa<AddScalarAttr, ConvertAttr, PackAttr>(transform))
      return emitOpError("expected a transform to be add_scalar, convert or pack but got ")
             << transform;
  if (getOffset().has_value() != getSize().has_value())
    return emitOpError("expected offset and size together");
  return success();
}

LogicalResult KVSlotOp::verify() {
  if (getKvHeads() <= 0 || getHeadDim() <= 0 || getHeadDim() % 2)
    return emitOpError("expected positive heads and an even, positive head_dim but got ")
           << getKvHeads() << " and " << getHeadDim();
  if (static_cast<int64_t>(getWindow()) < 0)
    return emitOpError("expected a window of 0 or more but got ") << getWindow();
  return success();
}

LogicalResult VariantOp::verify() {
  if (getSeqMin() < 1 || getSeqMax() < getSeqMin())
    return emitOpError("expected a SEQ range with 1 <= min <= max");
  if (static_cast<int64_t>(getPastMin()) < 0 || getPastMax() < getPastMin())
    return emitOpError("expected a PAST_SEQ range with 0 <= min <= max");
  if (getRole() == Role::Decode && getSeqMax() != 1)
    return emitOpError("expected a decode variant to have SEQ 1 but got up to ") << getSeqMax();
  return success();
}

LogicalResult VariantOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom<SymbolOpInterface>(*this, getFunctionAttr()))
    return emitOpError("expected a function named ") << getFunctionAttr();
  return success();
}
