//===- Sequences.h - Reads the ABI's structs in kernels ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits the loads of rlx_sequence_t and rlx_kv_slot_t fields.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_SEQUENCES_H
#define RLX_LIB_KERNELS_SEQUENCES_H

#include "KernelBuilder.h"
#include "rlx/runtime/abi.h"

namespace rlx {

inline mlir::Value emitLoadPointer(KernelBuilder &b, mlir::Value address, int64_t offset) {
  return b.load(mlir::LLVM::LLVMPointerType::get(b.getContext()), address, offset);
}

inline mlir::Value emitLoadIndex(KernelBuilder &b, mlir::Value address, int64_t offset) {
  return b.toIndex(b.load(b.getI64Type(), address, offset));
}

/// One element of rlx_step_args_t::sequences.
class SequenceAddress {
public:
  SequenceAddress(KernelBuilder &b, mlir::Value sequences, mlir::Value number)
      : b(b), address(b.at(sequences, number, sizeof(rlx_sequence_t))) {}

  mlir::Value past() { return emitLoadIndex(b, address, offsetof(rlx_sequence_t, past)); }
  mlir::Value ids() { return emitLoadPointer(b, address, offsetof(rlx_sequence_t, ids)); }
  mlir::Value slot(mlir::Value number) {
    mlir::Value slots = emitLoadPointer(b, address, offsetof(rlx_sequence_t, slots));
    return b.at(slots, number, sizeof(rlx_kv_slot_t));
  }

private:
  KernelBuilder &b;
  mlir::Value address;
};

/// The planes of one KV head.
struct KvPlanes {
  mlir::Value k, v, capacity;

  KvPlanes(KernelBuilder &b, mlir::Value slot, mlir::Value head) {
    auto plane = [&](int64_t base, int64_t stride) {
      return b.at(emitLoadPointer(b, slot, base), b.mul(emitLoadIndex(b, slot, stride), head), 1);
    };
    k = plane(offsetof(rlx_kv_slot_t, k), offsetof(rlx_kv_slot_t, k_stride));
    v = plane(offsetof(rlx_kv_slot_t, v), offsetof(rlx_kv_slot_t, v_stride));
    capacity = emitLoadIndex(b, slot, offsetof(rlx_kv_slot_t, capacity));
  }
};

} // namespace rlx

#endif // RLX_LIB_KERNELS_SEQUENCES_H
