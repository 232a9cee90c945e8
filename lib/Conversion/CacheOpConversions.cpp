//===- CacheOpConversions.cpp - Kernels of the ops on the KV cache --------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Appending to a slot and attention over it. Unfused attention reads the slot
// that its rlx.kv_read names: keys and values are never copied.
//
//===----------------------------------------------------------------------===//
#include "StepBuilder.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Scratch.h"

using namespace mlir;
using namespace rlx;

LogicalResult StepBuilder::convertAppend(Operation *op, FlatSymbolRefAttr slotName, Value key,
                                         Value value, Value angles) {
  auto slot = getSlot(op, slotName);
  FailureOr<View> keyView = getView(op, key);
  FailureOr<View> valueView = getView(op, value);
  if (failed(slot) || failed(keyView) || failed(valueView))
    return failure();
  KvAppendSpec spec;
  spec.kvHeads = slot->first.getKvHeads();
  spec.headDim = slot->first.getHeadDim();
  spec.kvType = static_cast<KvType>(slot->first.getKvType());
  spec.kStride = keyView->getStride();
  spec.vStride = valueView->getStride();
  SmallVector<Value> operands = {keyView->pointer, valueView->pointer};
  Accesses accesses{{keyView->region, valueView->region}, {}, {Region::cacheSlot(slot->second)}};
  if (angles) {
    FailureOr<View> anglesView = getView(op, angles);
    if (failed(anglesView))
      return failure();
    spec.rope = true;
    spec.ropeDim = getColumns(angles);
    operands.push_back(anglesView->pointer);
    accesses.reads.push_back(anglesView->region);
  }
  operands.append({step.sequences, getIndex(slot->second), step.batch, step.seq});
  return call(op, kernels.getKvAppend(spec), operands, accesses);
}

LogicalResult StepBuilder::convert(KVAppendOp op) {
  return convertAppend(op, op.getSlotAttr(), op.getKey(), op.getValue(), Value());
}

LogicalResult StepBuilder::convert(RopeAppendOp op) {
  return convertAppend(op, op.getSlotAttr(), op.getKey(), op.getValue(), op.getAngles());
}

// Where the product that makes the queries takes the matrix unit, so does attention: in a prompt,
// if weights are bf16 or quantised. A model of f32 weights keeps the precision that it has.
FailureOr<bool> StepBuilder::isTiled(Value query, int64_t maxRows) {
  Operation *op = query.getDefiningOp();
  while (op && !isa<LinearOp>(op) && op->getNumOperands() > 0)
    op = op->getOperand(0).getDefiningOp();
  if (maxRows <= RLX_EXACT_TOKENS || !isa_and_present<LinearOp>(op))
    return false;
  FailureOr<Product> product = getProduct(cast<LinearOp>(op), maxRows);
  if (failed(product))
    return failure();
  return product->reads.tiled;
}

LogicalResult StepBuilder::convertAttention(Operation *op, FlatSymbolRefAttr slotName, Value query,
                                            FloatAttr scale, FloatAttr cap, int64_t window) {
  auto slot = getSlot(op, slotName);
  FailureOr<View> in = getView(op, query);
  if (failed(slot) || failed(in))
    return failure();
  AttentionSpec spec;
  spec.heads = cast<RankedTensorType>(query.getType()).getDimSize(2);
  spec.kvHeads = slot->first.getKvHeads();
  spec.headDim = slot->first.getHeadDim();
  spec.kvType = static_cast<KvType>(slot->first.getKvType());
  spec.scale = scale.getValueAsDouble();
  if (cap)
    spec.cap = cap.getValueAsDouble();
  spec.window = window;
  spec.qStride = in->getStride();
  spec.generic = op->hasAttr(kGenericAttr);
  spec.chunks = getAttentionChunks(op, query, window);
  FailureOr<bool> tiled = isTiled(query, in->maxRows);
  FailureOr<View> out = makeResult(op->getResult(0), *in);
  if (failed(tiled) || failed(out))
    return failure();
  spec.tiled = *tiled && !spec.generic && canTile(spec, kernels.getTarget());
  StageWork work;
  work.kvSlot = slot->second;
  work.probe = kernels.getProbe(spec.tiled ? DotProduct::BF16Tiles : DotProduct::F32);
  work.keyOperations = 4 * spec.heads * spec.headDim; // a product with the key, one with the value
  View to = *out;
  if (spec.chunks) {
    int64_t bytes = spec.heads * spec.chunks * attentionChunkBytes(spec.headDim);
    FailureOr<View> parts = getScratch(op, *in, bytes, in->maxRows * bytes);
    if (failed(parts))
      return failure();
    to = *parts;
  }
  FailureOr<std::pair<Value, Region>> counter = takeCounter(op);
  if (failed(counter))
    return failure();
  if (failed(call(op, kernels.getAttention(spec),
                  {in->pointer, to.pointer, step.sequences, counter->first, getIndex(slot->second),
                   step.batch, step.seq},
                  {{in->region, Region::cacheSlot(slot->second), counter->second}, {}, {to.region}},
                  work)))
    return failure();
  if (!spec.chunks)
    return success();
  StageWork merge;
  merge.verb = "attention merge";
  return call(op, kernels.getAttentionMerge(spec),
              {to.pointer, out->pointer, step.sequences, step.batch},
              {{to.region}, {}, {out->region}}, merge);
}

LogicalResult StepBuilder::convert(CachedAttentionOp op) {
  return convertAttention(op, op.getSlotAttr(), op.getQuery(), op.getScaleAttr(), op.getCapAttr(),
                          op.getWindow().value_or(0));
}

LogicalResult StepBuilder::convert(AttentionOp op) {
  auto read = op.getKey().getDefiningOp<KVReadOp>();
  if (!read || op.getKey() != read.getKey() || op.getValue() != read.getValue())
    return op.emitOpError("expected the key and value of one rlx.kv_read");
  return convertAttention(op, read.getSlotAttr(), op.getQuery(), op.getScaleAttr(), op.getCapAttr(),
                          op.getWindow().value_or(0));
}
