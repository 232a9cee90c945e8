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

void rlx::narrowSymbols(func::FuncOp function, ArrayRef<SymbolAttr> ranges) {
  llvm::MapVector<StringAttr, SymbolAttr> all;
  if (auto own = function->getAttrOfType<ArrayAttr>(RLXDialect::kSymbolsAttr))
    for (auto symbol : own.getAsRange<SymbolAttr>())
      all[symbol.getName()] = symbol;
  llvm::DenseMap<StringAttr, int64_t> bound;
  for (SymbolAttr range : ranges) {
    all[range.getName()] = range;
    if (range.getMin() == range.getMax())
      bound[range.getName()] = range.getMin();
  }
  SmallVector<Attribute> list;
  for (auto &entry : all)
    list.push_back(entry.second);
  function->setAttr(RLXDialect::kSymbolsAttr, ArrayAttr::get(function.getContext(), list));
  if (bound.empty())
    return;

  AttrTypeReplacer replacer;
  replacer.addReplacement([&](RankedTensorType type) -> std::optional<Type> {
    DimsAttr dims = getDims(type);
    if (!dims)
      return std::nullopt;
    DimsAttr replaced = dims.substitute([&](StringAttr name) -> std::optional<int64_t> {
      auto found = bound.find(name);
      return found == bound.end() ? std::nullopt : std::optional(found->second);
    });
    return getTensorType(replaced, type.getElementType());
  });
  replacer.recursivelyReplaceElementsIn(function, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}
