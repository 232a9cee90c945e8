//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The dialect class: registration, and verification of its discardable
// attributes.

#include "rlx/IR/RLXOps.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

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

static LogicalResult verifySymbols(Operation *op, Attribute value) {
  auto list = dyn_cast<ArrayAttr>(value);
  if (!list)
    return op->emitOpError("expected 'rlx.symbols' to be an array of #rlx.symbol but got ")
           << value;
  llvm::DenseSet<StringAttr> seen;
  for (Attribute entry : list) {
    auto symbol = dyn_cast<SymbolAttr>(entry);
    if (!symbol)
      return op->emitOpError("expected an entry of 'rlx.symbols' to be #rlx.symbol but got ")
             << entry;
    if (!seen.insert(symbol.getName()).second)
      return op->emitOpError("symbol ") << symbol.getName() << " is declared twice";
  }
  return success();
}

LogicalResult RLXDialect::verifyOperationAttribute(Operation *op, NamedAttribute attr) {
  if (attr.getName() == kSymbolsAttr) {
    if (!isa<ModuleOp, FunctionOpInterface>(op))
      return op->emitOpError("expected 'rlx.symbols' on a module or a function");
    return verifySymbols(op, attr.getValue());
  }
  return success();
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
    total *= *size;
  }
  return total;
}
