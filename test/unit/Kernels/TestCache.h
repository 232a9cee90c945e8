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
#include <algorithm>
#include <cmath>

namespace rlx::test {

/// What a cache of `type` keeps of rows of features, whose number is a multiple of 32 where that
/// many share a scale.
inline std::vector<float> stored(KvType type, std::vector<float> values) {
  for (size_t i = 0; i < values.size(); i += 32) {
    if (type != KvType::Q8_0)
      break;
    float largest = 0;
    for (size_t j = i; j < i + 32; ++j)
      largest = std::max(largest, std::abs(values[j]));
    float scale = halfToFloat(floatToHalf(largest / 127));
    for (size_t j = i; j < i + 32; ++j)
      values[j] =
          std::clamp(std::nearbyint(values[j] * (scale == 0 ? 0 : 1 / scale)), -127.0f, 127.0f) *
          scale;
  }
  for (float &value : values) {
    if (type == KvType::F16)
      value = halfToFloat(floatToHalf(value));
    if (type == KvType::BF16)
      value = bf16ToFloat(floatToBF16(value));
  }
  return values;
}

/// Slot 1 of each sequence is the one under test; slot 0 is null.
class TestCache {
public:
  TestCache(int64_t batch, int64_t kvHeads, int64_t headDim, KvType type, int64_t capacity)
      : headDim(headDim), capacity(capacity),
        position(rlx_kv_position_bytes(uint32_t(type), headDim)), type(type), slots(2 * batch),
        sequences(batch) {
    size_t plane = capacity * position;
    for (int64_t b = 0; b < batch; ++b) {
      keys.emplace_back(kvHeads * plane);
      values.emplace_back(kvHeads * plane);
      // NaN, whatever the type: nobody may use what was not written.
      for (Buffer<uint8_t> *fresh : {&keys[b], &values[b]})
        std::fill(fresh->data(), fresh->data() + fresh->size(), uint8_t(0xff));
      slots[2 * b + 1] = {keys[b].data(), values[b].data(), plane, plane, uint64_t(capacity)};
      sequences[b].slots = &slots[2 * b];
    }
  }

  float key(int64_t b, int64_t head, int64_t position, int64_t d) const {
    int64_t row = position % capacity, lane = row % 16;
    return read(keys[b], head, row - lane, d * 16 + lane, headDim * 16, d / 32 * 16 + lane);
  }
  float value(int64_t b, int64_t head, int64_t position, int64_t d) const {
    return read(values[b], head, position % capacity, d, headDim, d / 32);
  }
  rlx_sequence_t &sequence(int64_t b) { return sequences[b]; }
  rlx_sequence_t *data() { return sequences.data(); }

private:
  /// Element `index` of the block or row that begins at `row`; its scale is one of those behind
  /// `codes` elements.
  float read(const Buffer<uint8_t> &plane, int64_t head, int64_t row, int64_t index, int64_t codes,
             int64_t scale) const {
    const uint8_t *part = plane.data() + (head * capacity + row) * position;
    if (type == KvType::F32)
      return load<float>(part + index * 4);
    if (type == KvType::F16)
      return halfToFloat(load<uint16_t>(part + index * 2));
    if (type == KvType::BF16)
      return bf16ToFloat(load<uint16_t>(part + index * 2));
    return load<int8_t>(part + index) * halfToFloat(load<uint16_t>(part + codes + scale * 2));
  }

  template <typename T> static T load(const uint8_t *at) {
    T value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }

  int64_t headDim, capacity, position;
  KvType type;
  std::vector<Buffer<uint8_t>> keys, values;
  Buffer<rlx_kv_slot_t> slots;
  Buffer<rlx_sequence_t> sequences;
};

} // namespace rlx::test

#endif // RLX_TEST_UNIT_KERNELS_TESTCACHE_H
