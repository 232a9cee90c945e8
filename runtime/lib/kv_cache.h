//===-- runtime/lib/kv_cache.h - memory of one sequence -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The KV cache of one sequence: planes of every slot as abi.h lays them out,
// and which positions they hold.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_KV_CACHE_H
#define RLX_RUNTIME_LIB_KV_CACHE_H

#include "memory.h"

#include "rlx/runtime/abi.h"
#include "rlx/runtime/session.h"

namespace rlx {

/// What determines the sizes of a cache.
struct KVShape {
  Span<const rlx_kv_slot_info_t> slots;
  uint64_t context; ///< positions it must hold
  uint64_t chunk;   ///< tokens that a step appends at most
};

class KVCache {
public:
  /// Bytes of all planes, without guard pages.
  static uint64_t bytes(const KVShape &shape);
  /// With `guard`, each plane ends at an inaccessible page.
  static Expected<KVCache> create(const KVShape &shape, bool guard);

  const rlx_kv_slot_t *slots() const { return planes.data(); }

  /// Says that the positions before `past` have been written.
  void noteWritten(uint64_t past);
  /// Whether a step at `position` would find all keys that it attends to.
  bool canContinueAt(uint64_t position) const;
  /// The first position that slot still holds.
  uint64_t firstKept(uint32_t slot) const;
  /// A copy of one position's rows, which the slot must hold.
  KVRows rows(uint32_t slot, uint64_t position) const;
  /// Forgets everything and gives the pages back.
  void discard();

private:
  static uint64_t capacity(const rlx_kv_slot_info_t &slot, const KVShape &shape);

  std::vector<rlx_kv_slot_info_t> infos;
  std::vector<rlx_kv_slot_t> planes;
  std::vector<MappedRegion> memory; // the K and the V planes of each slot
  uint64_t written = 0;             // positions ever written since the last discard
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_KV_CACHE_H
