//===- TestCache.h - A KV cache slot for tests ------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The planes of one slot for each sequence, at guard pages, and their ABI structs.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_KERNELS_TESTCACHE_H
#define RLX_TEST_UNIT_KERNELS_TESTCACHE_H

#include "KernelHarness.h"
#include "TestWeights.h"
#include "rlx/runtime/abi.h"

namespace rlx::test {

inline int64_t bytesOf(KvType type) { return type == KvType::F32 ? 4 : 2; }

/// The value that a cache of `type` keeps of `value`.
inline float stored(KvType type, float value) {
  if (type == KvType::F32)
    return value;
  return type == KvType::F16 ? halfToFloat(floatToHalf(value)) : bf16ToFloat(floatToBF16(value));
}

/// Slot 1 of each sequence is the one under test; slot 0 is null.
class TestCache {
public:
  TestCache(int64_t batch, int64_t kvHeads, int64_t headDim, KvType type, int64_t capacity)
      : headDim(headDim), capacity(capacity), type(type), slots(2 * batch), sequences(batch) {
    size_t plane = capacity * headDim * bytesOf(type);
    for (int64_t b = 0; b < batch; ++b) {
      keys.emplace_back(kvHeads * plane);
      values.emplace_back(kvHeads * plane);
      slots[2 * b + 1] = {keys[b].data(), values[b].data(), plane, plane, uint64_t(capacity)};
      sequences[b].slots = &slots[2 * b];
    }
  }

  float key(int64_t b, int64_t head, int64_t position, int64_t d) const {
    int64_t row = position % capacity;
    return read(keys[b], head, (row / 16 * headDim + d) * 16 + row % 16);
  }
  float value(int64_t b, int64_t head, int64_t position, int64_t d) const {
    return read(values[b], head, position % capacity * headDim + d);
  }
  rlx_sequence_t &sequence(int64_t b) { return sequences[b]; }
  rlx_sequence_t *data() { return sequences.data(); }

private:
  float read(const Buffer<uint8_t> &plane, int64_t head, int64_t index) const {
    const uint8_t *at = plane.data() + (head * capacity * headDim + index) * bytesOf(type);
    float wide;
    uint16_t narrow;
    std::memcpy(&wide, at, bytesOf(type) == 4 ? 4 : 0);
    std::memcpy(&narrow, at, 2);
    return type == KvType::F32   ? wide
           : type == KvType::F16 ? halfToFloat(narrow)
                                 : bf16ToFloat(narrow);
  }

  int64_t headDim, capacity;
  KvType type;
  std::vector<Buffer<uint8_t>> keys, values;
  Buffer<rlx_kv_slot_t> slots;
  Buffer<rlx_sequence_t> sequences;
};

} // namespace rlx::test

#endif // RLX_TEST_UNIT_KERNELS_TESTCACHE_H
