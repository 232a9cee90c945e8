//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verification of the attributes that modules and functions carry: the symbols
// declared, and the signature that a function's role asks for.

#include "Verification.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace rlx;

static SymbolAttr findDeclaration(Operation *scope, StringAttr name) {
  if (auto list = scope->getAttrOfType<ArrayAttr>(RLXDialect::kSymbolsAttr))
    for (Attribute entry : list)
      if (auto symbol = dyn_cast<SymbolAttr>(entry); symbol && symbol.getName() == name)
        return symbol;
  return {};
}

// symbols_c4: a function narrows what its module declares.
static LogicalResult verifyNarrowed(Operation *op, SymbolAttr symbol) {
  SymbolAttr outer = findDeclaration(op->getParentOp(), symbol.getName());
  if (!outer)
    return op->emitOpError("expected symbol ")
           << symbol.getName() << " to be declared by the module as well";
  if (symbol.getMin() < outer.getMin() || symbol.getMax() > outer.getMax())
    return op->emitOpError("expected range of symbol ")
           << symbol.getName() << " to lie within the module's [" << outer.getMin() << ", "
           << outer.getMax() << "] but got [" << symbol.getMin() << ", " << symbol.getMax() << "]";
  return success();
}

// symbols_c1: place; symbols_c2: type; symbols_c3: declared once.
static LogicalResult verifySymbols(Operation *op, Attribute value) {
  if (!isa<ModuleOp, FunctionOpInterface>(op))
    return op->emitOpError("expected 'rlx.symbols' on a module or a function");
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
      return op->emitOpError("expected symbol ")
             << symbol.getName() << " to be declared once but got two declarations";
    if (!isa<ModuleOp>(op) && failed(verifyNarrowed(op, symbol)))
      return failure();
  }
  return success();
}

/// f32 [BATCH, OUT, …], BATCH being that of the ids.
static LogicalResult verifyOutput(FunctionOpInterface function, unsigned index, Type ids) {
  std::string name = "result " + std::to_string(index);
  auto type = dyn_cast<RankedTensorType>(function.getResultTypes()[index]);
  if (!type || !type.getElementType().isF32() || type.getRank() != 3)
    return function.emitOpError("expected ")
           << name << " to be an f32 tensor of rank 3 but got " << function.getResultTypes()[index];
  Sizes expected = getSizes(type);
  expected[0] = getSizes(ids)[0];
  return verifySizes(function, name, type, expected);
}

// role_c2: arguments; role_c3: results; role_c4: SEQ of a decode function.
static LogicalResult verifySignature(FunctionOpInterface function, Role role) {
  ArrayRef<Type> arguments = function.getArgumentTypes(), results = function.getResultTypes();
  auto ids = arguments.empty() ? RankedTensorType() : dyn_cast<RankedTensorType>(arguments[0]);
  if (arguments.size() != 3 || !ids || ids.getRank() != 2 || !ids.getElementType().isInteger(32) ||
      !isa<KVCacheType>(arguments[1]) || !arguments[2].isIndex())
    return function.emitOpError("expected arguments (i32 tensor of rank 2, !rlx.kv_cache, index) "
                                "for a function with a role but got (")
           << arguments << ")";
  if (results.size() < 2 || results.size() > 3 || !isa<KVCacheType>(results.back()))
    return function.emitOpError("expected results (logits, hidden states, !rlx.kv_cache) for a "
                                "function with a role but got (")
           << results << ")";
  for (unsigned i = 0; i + 1 < results.size(); ++i)
    if (failed(verifyOutput(function, i, ids)))
      return failure();
  if (role == Role::Decode && ids.getDimSize(1) != 1)
    return function.emitOpError("expected dimension 1 of ids to be '1' for decode but got '")
           << getSizes(ids)[1] << "'";
  return success();
}

// role_c1: name and place.
static LogicalResult verifyRole(Operation *op, Attribute value) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  auto text = dyn_cast<StringAttr>(value);
  std::optional<Role> role = text ? symbolizeRole(text.getValue()) : std::nullopt;
  if (!function || !role)
    return op->emitOpError("expected 'rlx.role' to be \"prefill\" or \"decode\" on a function but "
                           "got ")
           << value;
  return verifySignature(function, *role);
}

LogicalResult RLXDialect::verifyOperationAttribute(Operation *op, NamedAttribute attr) {
  if (attr.getName() == kSymbolsAttr)
    return verifySymbols(op, attr.getValue());
  if (attr.getName() == kRoleAttr)
    return verifyRole(op, attr.getValue());
  return success();
}

RankedTensorType rlx::getForwardIds(Operation *op) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  if (!function || !function->hasAttr(RLXDialect::kRoleAttr) || !function.getNumArguments())
    return {};
  return dyn_cast<RankedTensorType>(function.getArgumentTypes()[0]);
}
