//===- KvElements.h - Elements of the KV cache's planes ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits what reads and writes keys and values of every KvType, in the layout that
// rlx/runtime/abi.h describes.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_KVELEMENTS_H
#define RLX_LIB_KERNELS_KVELEMENTS_H

#include "KernelBuilder.h"

namespace rlx {

/// Planes of one type whose rows have `headDim` features.
class KvElements {
public:
  KvElements(KernelBuilder &b, KvType type, int64_t headDim) : b(b), type(type), headDim(headDim) {}

  /// Of one element, or of its code.
  int64_t elementBytes() const;
  /// Of a position in either plane, scales included: the V plane's rows lie one behind the other.
  int64_t positionBytes() const { return rlx_kv_position_bytes(uint32_t(type), headDim); }
  /// Of the K plane's blocks of 16 keys.
  int64_t blockBytes() const { return kLanes * positionBytes(); }

  /// Elements as f32, of which `scale` is that of their block or null; `lanes` 0: a scalar.
  mlir::Value load(int64_t lanes, mlir::Value pointer, int64_t offset, mlir::Value scale);
  /// The scales at feature `d` of the 16 keys of the block at `block` + `offset`; null if the type
  /// has none.
  mlir::Value keyScales(mlir::Value block, mlir::Value d, int64_t offset);
  /// The same of the key at `lane`.
  mlir::Value keyScale(mlir::Value block, mlir::Value d, mlir::Value lane);
  /// The scale at feature `d` of the value row at `row`, a scalar; null if the type has none.
  mlir::Value valueScale(mlir::Value row, mlir::Value d);

  /// Stores `headDim` f32 at `source` as the key at `lane` of a block, or as a value row.
  void storeKey(mlir::Value source, mlir::Value block, mlir::Value lane);
  void storeValue(mlir::Value source, mlir::Value row);

private:
  struct Quantized {
    mlir::Value codes[2]; ///< 16 s8 each
    mlir::Value scale;    ///< f16
  };

  bool hasScales() const { return type == KvType::Q8_0; }
  mlir::Value loadScale(mlir::Value pointer, int64_t lanes);
  mlir::Value convert(mlir::Value values);
  /// 32 features at `source`.
  Quantized quantize(mlir::Value source);
  void storeLanes(mlir::Value vector, mlir::Value address);

  KernelBuilder &b;
  KvType type;
  int64_t headDim;
};

} // namespace rlx

#endif // RLX_LIB_KERNELS_KVELEMENTS_H
