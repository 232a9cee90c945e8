//===-- runtime/lib/kv_cache.cpp - memory of one sequence -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the KV cache.
//===----------------------------------------------------------------------===//
#include "kv_cache.h"

#include "half.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace rlx {

uint64_t KVCache::capacity(const rlx_kv_slot_info_t &slot, const KVShape &shape) {
  uint64_t whole = roundUp(shape.context, RLX_KV_CHUNK);
  if (slot.window == 0)
    return whole;
  // The first token of a chunk still sees window - 1 older keys when the last
  // one has been written.
  return std::min(whole, roundUp(uint64_t(slot.window) - 1 + shape.chunk, RLX_KV_CHUNK));
}

/// Bytes of one KV head's K or V plane.
static uint64_t planeBytes(const rlx_kv_slot_info_t &slot, uint64_t capacity) {
  return roundUp(saturatingMul(capacity, rlx_kv_position_bytes(slot.kv_type, slot.head_dim)),
                 RLX_ALIGNMENT);
}

uint64_t KVCache::bytes(const KVShape &shape) {
  uint64_t total = 0;
  for (const rlx_kv_slot_info_t &slot : shape.slots)
    total = saturatingAdd(
        total, saturatingMul(2 * uint64_t(slot.kv_heads), planeBytes(slot, capacity(slot, shape))));
  return total;
}

namespace {
/// Planes of equal size at a fixed distance.
struct PlaneGroup {
  MappedRegion region;
  uint8_t *first = nullptr;
  uint64_t stride = 0;
};
} // namespace

static Expected<PlaneGroup> allocatePlanes(uint64_t bytes, uint64_t count, bool guard) {
  PlaneGroup group;
  uint64_t body = guard ? roundUp(bytes, pageSize()) : bytes;
  group.stride = guard ? saturatingAdd(body, pageSize()) : bytes;
  Expected<MappedRegion> region = MappedRegion::anonymous(saturatingMul(group.stride, count));
  if (!region)
    return Status(ErrorCode::OutOfMemory, "KV cache: " + region.status().message());
  group.region = std::move(*region);
  group.first = group.region.data() + (body - bytes);
  for (uint64_t i = 0; guard && i < count; ++i)
    if (mprotect(group.region.data() + i * group.stride + body, pageSize(), PROT_NONE) != 0)
      return Status(ErrorCode::OutOfMemory,
                    std::string("KV cache: cannot protect a guard page: ") + std::strerror(errno));
  return group;
}

Expected<KVCache> KVCache::create(const KVShape &shape, bool guard) {
  KVCache cache;
  cache.infos = shape.slots.vec();
  for (const rlx_kv_slot_info_t &slot : shape.slots) {
    uint64_t positions = capacity(slot, shape);
    uint64_t bytes = planeBytes(slot, positions);
    Expected<PlaneGroup> k = allocatePlanes(bytes, slot.kv_heads, guard);
    if (!k)
      return k.status();
    Expected<PlaneGroup> v = allocatePlanes(bytes, slot.kv_heads, guard);
    if (!v)
      return v.status();
    cache.planes.push_back({k->first, v->first, k->stride, v->stride, positions});
    cache.memory.push_back(std::move(k->region));
    cache.memory.push_back(std::move(v->region));
  }
  return cache;
}

void KVCache::noteWritten(uint64_t past) { written = std::max(written, past); }

uint64_t KVCache::firstKept(uint32_t slot) const {
  uint64_t positions = planes[slot].capacity;
  return written > positions ? written - positions : 0;
}

bool KVCache::canContinueAt(uint64_t position) const {
  for (uint32_t slot = 0; slot < infos.size(); ++slot) {
    uint64_t window = infos[slot].window;
    uint64_t firstSeen = window == 0 || position < window ? 0 : position - window + 1;
    if (firstSeen < firstKept(slot))
      return false;
  }
  return true;
}

static float load16(const uint8_t *at, bool f16) {
  uint16_t bits;
  std::memcpy(&bits, at, sizeof(bits));
  return f16 ? floatFromF16(bits) : floatFromBF16(bits);
}

/// Element `index` of a block of keys or a row of values, with scales of its own where the type has
/// them: `scale` is the number of the element's among those behind `elements` codes.
static float loadElement(const uint8_t *part, uint64_t index, uint32_t kvType, uint64_t elements,
                         uint64_t scale) {
  switch (kvType) {
  case RLX_KV_F32: {
    float value;
    std::memcpy(&value, part + index * 4, sizeof(value));
    return value;
  }
  case RLX_KV_Q8_0:
    return static_cast<int8_t>(part[index]) * load16(part + elements + scale * 2, true);
  default:
    return load16(part + index * 2, kvType == RLX_KV_F16);
  }
}

KVRows KVCache::rows(uint32_t slot, uint64_t position) const {
  const rlx_kv_slot_info_t &info = infos[slot];
  const rlx_kv_slot_t &plane = planes[slot];
  KVRows rows{info.kv_heads, info.head_dim, {}, {}};
  uint64_t row = position % plane.capacity, lane = row % RLX_KV_BLOCK;
  uint64_t bytes = rlx_kv_position_bytes(info.kv_type, info.head_dim);
  for (uint64_t head = 0; head < info.kv_heads; ++head) {
    auto *k = static_cast<const uint8_t *>(plane.k) + head * plane.k_stride + (row - lane) * bytes;
    auto *v = static_cast<const uint8_t *>(plane.v) + head * plane.v_stride + row * bytes;
    for (uint64_t d = 0; d < info.head_dim; ++d) {
      uint64_t scaled = d / RLX_KV_SCALED;
      rows.k.push_back(loadElement(k, d * RLX_KV_BLOCK + lane, info.kv_type,
                                   info.head_dim * RLX_KV_BLOCK, scaled * RLX_KV_BLOCK + lane));
      rows.v.push_back(loadElement(v, d, info.kv_type, info.head_dim, scaled));
    }
  }
  return rows;
}

void KVCache::discard() {
  for (MappedRegion &region : memory)
    region.discard();
  written = 0;
}

} // namespace rlx
