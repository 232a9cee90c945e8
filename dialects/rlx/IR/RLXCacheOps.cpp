//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verifiers of the ops on the KV cache.

#include "Verification.h"

using namespace mlir;
using namespace rlx;

static FailureOr<KVSlotOp> lookupSlot(Operation *op, SymbolTableCollection &symbols,
                                      FlatSymbolRefAttr name) {
  auto slot = symbols.lookupNearestSymbolFrom<KVSlotOp>(op, name);
  if (!slot)
    return op->emitOpError("expected a KV slot named ") << name;
  return slot;
}

/// Checks that the last two sizes of `type` are the slot's heads and head_dim.
static LogicalResult verifySlotSizes(Operation *op, StringRef name, Type type, KVSlotOp slot) {
  Sizes expected = getSizes(type);
  expected[2] = std::to_string(slot.getKvHeads());
  expected[3] = std::to_string(slot.getHeadDim());
  return verifySizes(op, name, type, expected);
}

/// Checks that a query sees no more keys than a ring keeps.
static LogicalResult verifyWindow(Operation *op, std::optional<uint64_t> window, KVSlotOp slot) {
  uint64_t ring = slot.getWindow();
  if (!ring || (window && *window <= ring))
    return success();
  InFlightDiagnostic error = op->emitOpError("expected a window of at most ")
                             << ring << " for KV slot '" << slot.getSymName() << "' but got ";
  if (window)
    error << *window;
  else
    error << "none";
  error.attachNote(slot.getLoc()) << "the slot is here";
  return error;
}

static LogicalResult verifyKeyValue(Operation *op, Type key, Type value) {
  if (failed(verifyRank(op, "key", key, 4)))
    return failure();
  return verifySizes(op, "value", value, getSizes(key));
}

/// cache_c1: nothing after `append` uses the state that it replaces. Positions
/// may: they depend on PAST_SEQ alone, which appending does not change.
static LogicalResult verifyNotStale(Operation *append, Value cache) {
  for (Operation *user : cache.getUsers()) {
    if (user == append || user->getBlock() != append->getBlock() || isa<PositionsOp>(user) ||
        user->isBeforeInBlock(append))
      continue;
    InFlightDiagnostic error =
        append->emitOpError("expected no use of its operand after it but got a stale cache state");
    error.attachNote(user->getLoc()) << "the earlier state is used here";
    return error;
  }
  return success();
}

template <typename Op>
static LogicalResult verifyAppendSlot(Op op, SymbolTableCollection &symbols) {
  FailureOr<KVSlotOp> slot = lookupSlot(op, symbols, op.getSlotAttr());
  return failed(slot) ? failure() : verifySlotSizes(op, "key", op.getKey().getType(), *slot);
}

// kv_append_c1: slot; kv_append_c3: its sizes.
LogicalResult KVAppendOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyAppendSlot(*this, symbols);
}

// kv_append_c2: keys and values.
LogicalResult KVAppendOp::verify() {
  if (failed(verifyKeyValue(*this, getKey().getType(), getValue().getType())))
    return failure();
  return verifyNotStale(*this, getCache());
}

// rope_append_c1: slot; rope_append_c3: its sizes.
LogicalResult RopeAppendOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyAppendSlot(*this, symbols);
}

// rope_append_c2: keys and values; rope_append_c4 and rope_append_c5: angles.
LogicalResult RopeAppendOp::verify() {
  if (failed(verifyKeyValue(*this, getKey().getType(), getValue().getType())) ||
      failed(verifyAngles(*this, getAngles().getType(), getKey().getType())))
    return failure();
  return verifyNotStale(*this, getCache());
}

// kv_read_c1: slot; kv_read_c3: its sizes; kv_read_c5: its window.
LogicalResult KVReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<KVSlotOp> slot = lookupSlot(*this, symbols, getSlotAttr());
  if (failed(slot) || failed(verifySlotSizes(*this, "key", getKey().getType(), *slot)))
    return failure();
  for (Operation *user : getKey().getUsers())
    if (auto attention = dyn_cast<AttentionOp>(user))
      if (failed(verifyWindow(attention, attention.getWindow(), *slot)))
        return failure();
  return success();
}

// kv_read_c2: keys and values; kv_read_c4: batch and rows.
LogicalResult KVReadOp::verify() {
  Type key = getKey().getType();
  if (failed(verifyKeyValue(*this, key, getValue().getType())))
    return failure();
  RankedTensorType ids = getForwardIds(*this);
  if (!ids)
    return success();
  Sizes expected = getSizes(key);
  expected[0] = getSizes(ids)[0];
  if (cast<RankedTensorType>(key).isDynamicDim(1))
    expected[1] = getPastPlus(ids, 1);
  return verifySizes(*this, "key", key, expected);
}

/// What rlx.attention and rlx.cached_attention have in common.
template <typename Op> static LogicalResult verifyAttention(Op op) {
  Type query = op.getQuery().getType();
  if (failed(verifyRank(op, "query", query, 4)) ||
      failed(verifyPositive(op, "scale", op.getScale())) ||
      failed(verifyPositive(op, "cap", op.getCap())))
    return failure();
  if (op.getWindow() && static_cast<int64_t>(*op.getWindow()) <= 0)
    return op.emitOpError("expected a positive window but got ")
           << static_cast<int64_t>(*op.getWindow());
  return verifySizes(op, "result", op.getResult().getType(), getSizes(query));
}

static LogicalResult verifyGroups(Operation *op, Type query, int64_t kvHeads) {
  int64_t heads = cast<RankedTensorType>(query).getDimSize(2);
  if (kvHeads <= 0 || heads % kvHeads)
    return op->emitOpError("expected the number of query heads to be a multiple of ")
           << kvHeads << " KV heads but got " << heads;
  return success();
}

// attention_c1 to attention_c4: keys and values; attention_c5 to attention_c8: verifyAttention.
LogicalResult AttentionOp::verify() {
  Type query = getQuery().getType(), key = getKey().getType();
  if (failed(verifyAttention(*this)) || failed(verifyKeyValue(*this, key, getValue().getType())))
    return failure();
  Sizes expected = getSizes(key), queries = getSizes(query);
  expected[0] = queries[0];
  expected[3] = queries[3];
  if (cast<RankedTensorType>(key).isDynamicDim(1))
    expected[1] = getPastPlus(query, 1);
  if (failed(verifySizes(*this, "key", key, expected)))
    return failure();
  return verifyGroups(*this, query, cast<RankedTensorType>(key).getDimSize(2));
}

// cached_attention_c1: slot; cached_attention_c2: head_dim; cached_attention_c3: heads;
// cached_attention_c4: window.
LogicalResult CachedAttentionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  FailureOr<KVSlotOp> slot = lookupSlot(*this, symbols, getSlotAttr());
  if (failed(slot))
    return failure();
  Type query = getQuery().getType();
  Sizes expected = getSizes(query);
  expected[3] = std::to_string(slot->getHeadDim());
  if (failed(verifySizes(*this, "query", query, expected)) ||
      failed(verifyGroups(*this, query, slot->getKvHeads())))
    return failure();
  return verifyWindow(*this, getWindow(), *slot);
}

// cached_attention_c5 to cached_attention_c8.
LogicalResult CachedAttentionOp::verify() { return verifyAttention(*this); }
