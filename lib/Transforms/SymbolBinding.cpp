//===- SymbolBinding.cpp - Symbols replaced by constants ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Narrowing of ranges, and replacement of symbols in types.
//
//===----------------------------------------------------------------------===//
#include "SymbolBinding.h"

#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;
using namespace rlx;

void rlx::narrowSymbol(func::FuncOp function, SymbolAttr range) {
  SmallVector<Attribute> symbols;
  if (auto own = function->getAttrOfType<ArrayAttr>(RLXDialect::kSymbolsAttr))
    symbols.assign(own.begin(), own.end());
  auto *earlier = llvm::find_if(symbols, [&](Attribute symbol) {
    return cast<SymbolAttr>(symbol).getName() == range.getName();
  });
  if (earlier == symbols.end())
    symbols.push_back(range);
  else
    *earlier = range;
  function->setAttr(RLXDialect::kSymbolsAttr, ArrayAttr::get(function.getContext(), symbols));
}

void rlx::bindSymbol(func::FuncOp function, StringAttr symbol, int64_t value) {
  narrowSymbol(function, SymbolAttr::get(function.getContext(), symbol, value, value));
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](RankedTensorType type) -> std::optional<Type> {
    DimsAttr dims = getDims(type);
    if (!dims)
      return std::nullopt;
    DimsAttr replaced = dims.substitute([&](StringAttr name) {
      return name == symbol ? std::optional<int64_t>(value) : std::nullopt;
    });
    return getTensorType(replaced, type.getElementType());
  });
  replacer.recursivelyReplaceElementsIn(function, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}
