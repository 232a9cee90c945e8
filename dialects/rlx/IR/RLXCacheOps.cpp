//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verifiers of the ops on the KV cache.

#include "rlx/IR/RLXOps.h"

using namespace mlir;
using namespace rlx;

static LogicalResult verifySlot(Operation *op, SymbolTableCollection &symbols,
                                FlatSymbolRefAttr name) {
  if (!symbols.lookupNearestSymbolFrom<KVSlotOp>(op, name))
    return op->emitOpError("expected a KV slot named ") << name;
  return success();
}

LogicalResult KVAppendOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifySlot(*this, symbols, getSlotAttr());
}
LogicalResult KVReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifySlot(*this, symbols, getSlotAttr());
}
LogicalResult RopeAppendOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifySlot(*this, symbols, getSlotAttr());
}
LogicalResult CachedAttentionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifySlot(*this, symbols, getSlotAttr());
}

LogicalResult KVAppendOp::verify() { return success(); }
LogicalResult KVReadOp::verify() { return success(); }
LogicalResult AttentionOp::verify() { return success(); }
LogicalResult RopeAppendOp::verify() { return success(); }
LogicalResult CachedAttentionOp::verify() { return success(); }
