//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The dialect class, and helpers over symbolic sizes.

#include "rlx/IR/RLXOps.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace rlx;

#include "rlx/IR/RLXDialect.cpp.inc"

void RLXDialect::initialize() {
  registerAttributes();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "rlx/IR/RLXOps.cpp.inc"
      >();
}

DimsAttr rlx::getDims(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<DimsAttr>(tensor.getEncoding()) : DimsAttr();
}

RankedTensorType rlx::getTensorType(DimsAttr dims, Type elementType) {
  return RankedTensorType::get(dims.getShape(), elementType, dims);
}

SymbolAttr rlx::lookupSymbol(Operation *op, StringAttr symbol) {
  for (Operation *scope = op; scope; scope = scope->getParentOp()) {
    auto list = scope->getAttrOfType<ArrayAttr>(RLXDialect::kSymbolsAttr);
    if (!list)
      continue;
    for (Attribute entry : list)
      if (auto declaration = dyn_cast<SymbolAttr>(entry); declaration.getName() == symbol)
        return declaration;
  }
  return {};
}

std::optional<int64_t> rlx::getMaxElements(Operation *op, RankedTensorType type) {
  DimsAttr dims = getDims(type);
  if (!dims)
    return type.hasStaticShape() ? std::optional<int64_t>(type.getNumElements()) : std::nullopt;
  auto maximum = [&](StringAttr name) -> std::optional<int64_t> {
    SymbolAttr symbol = lookupSymbol(op, name);
    return symbol ? std::optional<int64_t>(symbol.getMax()) : std::nullopt;
  };
  int64_t total = 1;
  for (unsigned i = 0; i < dims.getRank(); ++i) {
    std::optional<int64_t> size = dims.evaluate(i, maximum);
    if (!size)
      return std::nullopt;
    if (llvm::MulOverflow(total, *size, total))
      return std::nullopt;
  }
  return total;
}
