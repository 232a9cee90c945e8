//===- VectorMath.h - Elementary functions for kernels ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits exp, tanh, gelu, sin, cos, conversions and reductions as plain arithmetic:
// no library call, and the same bits on every target. Error bounds are those that
// the tests hold against the C library.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_VECTORMATH_H
#define RLX_LIB_KERNELS_VECTORMATH_H

#include "KernelBuilder.h"

namespace rlx {

/// e^x of an f32 scalar or vector, within 2 ulp. Exactly 1 at 0; 0 below -87.3, also at
/// -infinity; saturates at 88.3; NaN stays NaN.
mlir::Value emitExp(KernelBuilder &b, mlir::Value x);

/// tanh(x), within 3 ulp.
mlir::Value emitTanh(KernelBuilder &b, mlir::Value x);

/// The tanh form of GELU, computed as x / (1 + exp(-2u)), u = sqrt(2/pi) (x + 0.044715 x^3),
/// which has no cancellation for negative x.
mlir::Value emitGelu(KernelBuilder &b, mlir::Value x);

/// cap * tanh(x / cap)
mlir::Value emitSoftCap(KernelBuilder &b, mlir::Value x, double cap);

/// Cosine and sine of `turns` full turns (f64 scalar or vector, |turns| < 2^50), error < 1e-13.
std::pair<mlir::Value, mlir::Value> emitCosSinTurns(KernelBuilder &b, mlir::Value turns);

/// f32 to the bits of the nearest bf16 (ties to even), as i16; NaN stays NaN.
mlir::Value emitToBF16Bits(KernelBuilder &b, mlir::Value x);

/// Bits of bf16 (i16) to f32, exact.
mlir::Value emitFromBF16Bits(KernelBuilder &b, mlir::Value bits);

/// The f32 values of pairs of bf16 (i32): the lower ones, the upper ones.
std::pair<mlir::Value, mlir::Value> emitFromBF16Pairs(KernelBuilder &b, mlir::Value pairs);

/// Pairs whose bf16 values are two vectors of f32 (16 lanes each) without their lower 16 bits.
mlir::Value emitToBF16Pairs(KernelBuilder &b, mlir::Value lower, mlir::Value upper);

/// The nearest integer (ties to even) of each lane, as i32; |x| < 2^22.
mlir::Value emitNearestInteger(KernelBuilder &b, mlir::Value x);

/// The greatest magnitude in vectors of 16 lanes.
mlir::Value emitMaxAbs(KernelBuilder &b, llvm::ArrayRef<mlir::Value> vectors);

/// Sum and maximum over the 16 lanes, halving in a fixed order.
mlir::Value emitSum(KernelBuilder &b, mlir::Value vector);
mlir::Value emitMax(KernelBuilder &b, mlir::Value vector);

} // namespace rlx

#endif // RLX_LIB_KERNELS_VECTORMATH_H
