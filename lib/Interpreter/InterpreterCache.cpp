//===- InterpreterCache.cpp - The interpreter's KV cache ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Keeps every position: a ring is what compiled code makes of it.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Dequantize.h"
#include "rlx/Interpreter/Interpreter.h"
#include <algorithm>
#include <cmath>

using namespace rlx;

InterpreterCache::InterpreterCache(mlir::ModuleOp module, int64_t batch) : batch(batch) {
  for (auto op : module.getOps<KVSlotOp>()) {
    Slot &slot = slots[op.getSymName()];
    slot.type = op.getKvType();
    slot.heads = op.getKvHeads();
    slot.headDim = op.getHeadDim();
    slot.keys.resize(batch);
    slot.values.resize(batch);
  }
}

void InterpreterCache::rewind(int64_t length) {
  past = std::min(past, length);
  for (auto &entry : slots) {
    Slot &slot = entry.getValue();
    size_t size = past * slot.heads * slot.headDim;
    for (auto *planes : {&slot.keys, &slot.values})
      for (std::vector<float> &plane : *planes)
        plane.resize(std::min(plane.size(), size));
  }
}

llvm::ArrayRef<float> InterpreterCache::key(llvm::StringRef name, int64_t position,
                                            int64_t sequence) const {
  const Slot &slot = slots.find(name)->getValue();
  int64_t size = slot.heads * slot.headDim;
  return llvm::ArrayRef<float>(slot.keys[sequence]).slice(position * size, size);
}

llvm::ArrayRef<float> InterpreterCache::value(llvm::StringRef name, int64_t position,
                                              int64_t sequence) const {
  const Slot &slot = slots.find(name)->getValue();
  int64_t size = slot.heads * slot.headDim;
  return llvm::ArrayRef<float>(slot.values[sequence]).slice(position * size, size);
}

/// 32 features, in the same single-precision steps as compiled code takes.
static void roundToQ8_0(llvm::MutableArrayRef<float> block) {
  float largest = 0;
  for (float value : block)
    largest = std::max(largest, std::fabs(value));
  float scale = halfToFloat(floatToHalf(largest / 127));
  float inverse = scale == 0 ? 0 : 1 / scale;
  for (float &value : block)
    value = std::nearbyint(std::clamp(value * inverse, -127.0f, 127.0f)) * scale;
}

/// Rounds rows of features to what a cache of `type` keeps of them.
static void roundTo(KVType type, llvm::MutableArrayRef<float> values) {
  if (type == KVType::Q8_0)
    for (size_t i = 0; i < values.size(); i += 32)
      roundToQ8_0(values.slice(i, 32));
  for (float &value : values) {
    if (type == KVType::F16)
      value = halfToFloat(floatToHalf(value));
    if (type == KVType::BF16)
      value = bfloat16ToFloat(floatToBfloat16(value));
  }
}

llvm::Error InterpreterCache::append(llvm::StringRef name, const Array &key, const Array &value,
                                     bool round) {
  auto found = slots.find(name);
  if (found == slots.end() || key.shape[0] != batch)
    return llvm::createStringError("the cache has no slot '" + name + "' for " +
                                   llvm::Twine(key.shape[0]) + " sequences");
  Slot &slot = found->getValue();
  KVType type = round ? slot.type : KVType::F32;
  size_t begin = past * slot.heads * slot.headDim;
  size_t count = key.values.size() / batch;
  for (int64_t b = 0; b < batch; ++b)
    for (auto [plane, source] :
         {std::pair(&slot.keys[b], &key), std::pair(&slot.values[b], &value)}) {
      plane->resize(begin);
      for (size_t i = 0; i < count; ++i)
        plane->push_back(static_cast<float>(source->values[b * count + i]));
      roundTo(type, llvm::MutableArrayRef<float>(*plane).drop_front(begin));
    }
  return llvm::Error::success();
}

llvm::Expected<std::pair<Array, Array>> InterpreterCache::read(llvm::StringRef name) const {
  auto found = slots.find(name);
  if (found == slots.end())
    return llvm::createStringError("the cache has no slot '" + name + "'");
  const Slot &slot = found->getValue();
  auto gather = [&](const std::vector<std::vector<float>> &planes) {
    Array result;
    int64_t rows = planes[0].size() / (slot.heads * slot.headDim);
    result.shape = {batch, rows, slot.heads, slot.headDim};
    for (const std::vector<float> &plane : planes)
      result.values.insert(result.values.end(), plane.begin(), plane.end());
    return result;
  };
  return std::pair(gather(slot.keys), gather(slot.values));
}
