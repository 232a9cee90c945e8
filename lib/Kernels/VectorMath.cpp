//===- VectorMath.cpp - Elementary functions for kernels ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Range reduction plus Taylor polynomials, whose remainders are below the rounding
// error on the reduced range.
//
//===----------------------------------------------------------------------===//
#include "VectorMath.h"
#include <cmath>

using namespace mlir;
using namespace rlx;

// Adding it rounds a smaller number to an integer (ties to even), which then sits in the low bits.
static constexpr double kRoundF32 = 12582912.0;         // 1.5 * 2^23
static constexpr double kRoundF64 = 6755399441055744.0; // 1.5 * 2^52

static Type withElement(Value like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    return VectorType::get(vector.getShape(), element);
  return element;
}

static Value addi(KernelBuilder &b, Value x, int64_t c) {
  return arith::AddIOp::create(b, x, b.constantInt(x.getType(), c));
}
static Value andi(KernelBuilder &b, Value x, int64_t c) {
  return arith::AndIOp::create(b, x, b.constantInt(x.getType(), c));
}
static Value ori(KernelBuilder &b, Value x, int64_t c) {
  return arith::OrIOp::create(b, x, b.constantInt(x.getType(), c));
}
static Value shl(KernelBuilder &b, Value x, int64_t c) {
  return arith::ShLIOp::create(b, x, b.constantInt(x.getType(), c));
}
static Value shr(KernelBuilder &b, Value x, int64_t c) {
  return arith::ShRUIOp::create(b, x, b.constantInt(x.getType(), c));
}

/// c[0] + c[1] x + c[2] x^2 + …
static Value polynomial(KernelBuilder &b, Value x, ArrayRef<double> coefficients) {
  Value sum = b.constant(x.getType(), coefficients.back());
  for (double c : llvm::reverse(coefficients.drop_back()))
    sum = b.fma(sum, x, b.constant(x.getType(), c));
  return sum;
}

namespace {
/// e^x = scale * (1 + tail), scale a power of two, |tail| < 0.42.
struct ExpParts {
  Value scale, tail;
};
} // namespace

/// x in [-87.3, 88.3].
static ExpParts emitExpParts(KernelBuilder &b, Value x) {
  Type type = x.getType(), bits = withElement(x, b.i32());
  Value round = b.constant(type, kRoundF32);
  Value rounded = b.fma(x, b.constant(type, 1.4426950408889634), round);
  Value n = b.subf(rounded, round);
  // ln 2 in two parts, the first short enough for an exact product with n.
  Value r = b.fma(n, b.constant(type, -0.693145751953125), x);
  r = b.fma(n, b.constant(type, -1.42860682030941723e-6), r);
  Value series = polynomial(b, r, {1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040});
  Value tail = b.fma(b.mulf(r, r), series, r);
  // The low bits of `rounded` hold n; shifting them into the exponent drops the rest.
  Value scale = b.bitcast(shl(b, addi(b, b.bitcast(rounded, bits), 127), 23), type);
  return {scale, tail};
}

Value rlx::emitExp(KernelBuilder &b, Value x) {
  Value low = b.constant(x.getType(), -87.3);
  Value clamped = b.minf(b.constant(x.getType(), 88.3), b.maxf(low, x));
  ExpParts parts = emitExpParts(b, clamped);
  Value result = b.fma(parts.scale, parts.tail, parts.scale);
  Value underflow = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, low);
  return arith::SelectOp::create(b, underflow, b.constant(x.getType(), 0.0), result);
}

Value rlx::emitTanh(KernelBuilder &b, Value x) {
  // tanh |x| = m / (m + 2) with m = e^(2|x|) - 1, taken from the parts so that nothing cancels.
  Type type = x.getType(), bits = withElement(x, b.i32());
  Value absolute = b.bitcast(andi(b, b.bitcast(x, bits), 0x7fffffff), type);
  Value twice = b.minf(b.constant(type, 40.0), b.addf(absolute, absolute));
  ExpParts parts = emitExpParts(b, twice);
  Value m = b.fma(parts.scale, parts.tail, b.subf(parts.scale, b.constant(type, 1.0)));
  Value result = b.divf(m, b.addf(m, b.constant(type, 2.0)));
  Value sign = andi(b, b.bitcast(x, bits), int64_t(0x80000000));
  return b.bitcast(arith::OrIOp::create(b, b.bitcast(result, bits), sign), type);
}

Value rlx::emitGelu(KernelBuilder &b, Value x) {
  Type type = x.getType();
  const double twoRootTwoOverPi = 2 * 0.7978845608028654;
  Value cubic = b.fma(b.mulf(x, x), b.constant(type, -twoRootTwoOverPi * 0.044715),
                      b.constant(type, -twoRootTwoOverPi));
  Value e = emitExp(b, b.mulf(x, cubic));
  return b.divf(x, b.addf(e, b.constant(type, 1.0)));
}

Value rlx::emitSoftCap(KernelBuilder &b, Value x, double cap) {
  Type type = x.getType();
  return b.mulf(emitTanh(b, b.mulf(x, b.constant(type, 1.0 / cap))), b.constant(type, cap));
}

/// Flips the sign of x where bit 1 of `quadrant` is set.
static Value flipSign(KernelBuilder &b, Value x, Value quadrant) {
  Value sign = shl(b, andi(b, quadrant, 2), 62);
  Value bits = arith::XOrIOp::create(b, b.bitcast(x, quadrant.getType()), sign);
  return b.bitcast(bits, x.getType());
}

std::pair<Value, Value> rlx::emitCosSinTurns(KernelBuilder &b, Value turns) {
  Type type = turns.getType(), bits = withElement(turns, b.getI64Type());
  Value round = b.constant(type, kRoundF64);
  // No constant before the subtraction but 4, which is exact: all error is that of `turns`.
  Value quarters = b.mulf(turns, b.constant(type, 4.0));
  Value rounded = b.addf(quarters, round);
  Value angle = b.mulf(b.subf(quarters, b.subf(rounded, round)), b.constant(type, M_PI / 2));
  Value square = b.mulf(angle, angle);
  auto factorial = [](int n) { return std::tgamma(n + 1.0); };
  SmallVector<double> cosine, sine;
  for (int i = 0, sign = 1; i <= 14; i += 2, sign = -sign) {
    cosine.push_back(sign / factorial(i));
    sine.push_back(sign / factorial(i + 1));
  }
  Value c = polynomial(b, square, cosine);
  Value s = b.mulf(angle, polynomial(b, square, sine));
  Value quadrant = b.bitcast(rounded, bits);
  Value zero = b.constantInt(bits, 0);
  Value odd = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, andi(b, quadrant, 1), zero);
  Value cosQuadrant = arith::SelectOp::create(b, odd, s, c);
  Value sinQuadrant = arith::SelectOp::create(b, odd, c, s);
  return {flipSign(b, cosQuadrant, addi(b, quadrant, 1)), flipSign(b, sinQuadrant, quadrant)};
}

Value rlx::emitToBF16Bits(KernelBuilder &b, Value x) {
  // An instruction there, which makes 0 of denormal numbers.
  if (b.getTarget().bf16Dot)
    return b.bitcast(arith::TruncFOp::create(b, withElement(x, b.getBF16Type()), x),
                     withElement(x, b.getI16Type()));
  Value bits = b.bitcast(x, withElement(x, b.i32()));
  Value odd = andi(b, shr(b, bits, 16), 1);
  Value rounded = shr(b, arith::AddIOp::create(b, addi(b, bits, 0x7fff), odd), 16);
  // Rounding could carry a NaN's payload into infinity.
  Value quiet = ori(b, shr(b, bits, 16), 0x40);
  Value nan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
  Value result = arith::SelectOp::create(b, nan, quiet, rounded);
  return arith::TruncIOp::create(b, withElement(x, b.getI16Type()), result);
}

Value rlx::emitFromBF16Bits(KernelBuilder &b, Value bits) {
  Value wide = arith::ExtUIOp::create(b, withElement(bits, b.i32()), bits);
  return b.bitcast(shl(b, wide, 16), withElement(bits, b.f32()));
}

std::pair<Value, Value> rlx::emitFromBF16Pairs(KernelBuilder &b, Value pairs) {
  Type values = withElement(pairs, b.f32());
  Value upper = andi(b, pairs, int64_t(0xffff0000));
  return {b.bitcast(shl(b, pairs, 16), values), b.bitcast(upper, values)};
}

Value rlx::emitToBF16Pairs(KernelBuilder &b, Value lower, Value upper) {
  VectorType bits = b.vec(b.i32());
  Value kept = andi(b, b.bitcast(upper, bits), int64_t(0xffff0000));
  return arith::OrIOp::create(b, kept, shr(b, b.bitcast(lower, bits), 16));
}

Value rlx::emitNearestInteger(KernelBuilder &b, Value x) {
  // Adding 1.5 * 2^23 rounds to an integer in the low bits.
  VectorType bits = b.vec(b.i32());
  Value rounded = b.addf(x, b.constant(b.vf(), 12582912.0));
  return arith::SubIOp::create(b, b.bitcast(rounded, bits), b.constantInt(bits, 0x4b400000));
}

Value rlx::emitMaxAbs(KernelBuilder &b, ArrayRef<Value> vectors) {
  VectorType bits = b.vec(b.i32());
  Value mask = b.constantInt(bits, 0x7fffffff), largest;
  for (Value vector : vectors) {
    Value absolute = b.bitcast(arith::AndIOp::create(b, b.bitcast(vector, bits), mask), b.vf());
    largest = largest ? b.maxf(largest, absolute) : absolute;
  }
  return emitMax(b, largest);
}

static Value reduceHalves(KernelBuilder &b, Value vector,
                          llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t half = cast<VectorType>(vector.getType()).getNumElements() / 2; half; half /= 2)
    vector = combine(b.slice(vector, 0, half), b.slice(vector, half, half));
  return b.lane(vector, 0);
}

Value rlx::emitSum(KernelBuilder &b, Value vector) {
  return reduceHalves(b, vector, [&](Value x, Value y) { return b.addf(x, y); });
}

Value rlx::emitMax(KernelBuilder &b, Value vector) {
  return reduceHalves(b, vector, [&](Value x, Value y) { return b.maxf(x, y); });
}
