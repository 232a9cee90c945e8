//===- Screen.cpp - Which outputs can be among the greatest ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A coarse output a of row w' differs from the exact one of w by at most
// ‖w - w'‖ ‖x‖, besides rounding. Panels of 16 outputs are kept or dropped as one: if
// at least `top` panels have an output that is certainly as great as a threshold, so
// has no panel an output among the `top` greatest whose outputs are certainly less.
// Bounds are handled as i32 that have the order of the f32 they stand for.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "VectorMath.h"
#include <limits>

using namespace mlir;
using namespace rlx;

// Rounding of sums of up to 1024 blocks with intermediate results up to 8 times as great as the
// products of norms: 8 * 2 * 1024 * 2^-24. And of the soft cap, a few units in the last place.
static constexpr double kRounding = 0x1p-10, kCapRounding = 0x1p-20;

/// f32 as an integer of the same order; NaN is above or below all others.
static Value emitOrdered(KernelBuilder &b, Value x) {
  Value bits = b.bitcast(x, b.i32());
  Value flip = arith::AndIOp::create(b, arith::ShRSIOp::create(b, bits, b.constantInt(b.i32(), 31)),
                                     b.constantInt(b.i32(), 0x7fffffff));
  return arith::XOrIOp::create(b, bits, flip);
}

/// The norm of the activations of a prepared row of an integer format.
static Value emitActivationNorm(KernelBuilder &b, Value prepared, int64_t k) {
  Value sums = b.forEach(b.index(0), b.index(k), kLanes, b.constant(b.vf(), 0.0),
                         [&](Value i, ValueRange carried) {
                           Value code = b.load(b.vec(b.getI8Type()), b.at(prepared, i, 1));
                           Value wide = arith::ExtSIOp::create(b, b.vec(b.i32()), code);
                           Value scale = b.loadSplat(b.vf(), b.at(prepared, b.div(i, 32), 4, k));
                           Value x = b.mulf(arith::SIToFPOp::create(b, b.vf(), wide), scale);
                           return KernelBuilder::Values{b.fma(x, x, carried.front())};
                         })
                   .front();
  return math::SqrtOp::create(b, emitSum(b, sums));
}

namespace {
/// The bounds of each panel.
class BoundsEmitter {
public:
  BoundsEmitter(KernelBuilder &b, const ScreenSpec &spec)
      : b(b), spec(spec), panels(ceilDiv(spec.n, kLanes)) {}

  void emit() {
    // The kernel's `top`, and nothing to do where it is 0.
    Value work = b.mul(b.min(b.arg(4), b.index(1)), panels);
    norm = emitActivationNorm(b, b.arg(0), spec.k);
    IndexRange range = b.share(work);
    const int64_t whole = spec.n / kLanes;
    b.forEach(range.begin, b.min(range.end, b.index(whole)), 1,
              [&](Value panel) { emitPanel(panel); });
    if (whole != panels)
      b.ifThen(b.less(range.begin, range.end), [&] {
        b.ifThen(b.equal(range.end, b.index(panels)), [&] { emitLast(b.index(whole)); });
      });
  }

private:
  /// Lower and upper bounds of outputs of any type; NaN anywhere leaves +infinity above.
  std::pair<Value, Value> emitBounds(Value output, Value residual, Value own) {
    Type type = output.getType();
    auto constant = [&](double value) { return b.constant(type, value); };
    Value scale = isa<VectorType>(type) ? b.splat(norm, cast<VectorType>(type)) : norm;
    Value error = b.mulf(b.fma(own, constant(kRounding), residual), scale);
    Value lower = b.subf(output, error), upper = b.addf(output, error);
    Value isNumber = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, upper, upper);
    double infinity = std::numeric_limits<double>::infinity();
    upper = arith::SelectOp::create(b, isNumber, upper, constant(infinity));
    lower = arith::SelectOp::create(b, isNumber, lower, constant(-infinity));
    return {lower, upper};
  }

  void emitPanel(Value panel) {
    Value pairs = b.load(b.vf(2 * kLanes), b.at(b.arg(2), panel, kLanes * 8));
    SmallVector<int64_t> even, odd;
    for (int64_t i = 0; i < kLanes; ++i) {
      even.push_back(2 * i);
      odd.push_back(2 * i + 1);
    }
    Value outputs = b.load(b.vf(), b.at(b.arg(1), panel, kLanes * 4));
    auto [lower, upper] = emitBounds(outputs, b.shuffle(pairs, even), b.shuffle(pairs, odd));
    store(panel, emitMax(b, lower), emitMax(b, upper));
  }

  /// The last panel, some of whose rows there are not.
  void emitLast(Value panel) {
    Value none = b.constant(b.f32(), -std::numeric_limits<double>::infinity());
    Value first = b.mul(panel, kLanes);
    KernelBuilder::Values most = b.forEach(
        first, b.index(spec.n), 1, ValueRange{none, none}, [&](Value row, ValueRange carried) {
          Value pair = b.at(b.arg(2), row, 8);
          auto [lower, upper] = emitBounds(b.load(b.f32(), b.at(b.arg(1), row, 4)),
                                           b.load(b.f32(), pair), b.load(b.f32(), pair, 4));
          return KernelBuilder::Values{b.maxf(lower, carried[0]), b.maxf(upper, carried[1])};
        });
    store(panel, most[0], most[1]);
  }

  void store(Value panel, Value lower, Value upper) {
    if (spec.cap) {
      Value slack = b.constant(b.f32(), *spec.cap * kCapRounding);
      lower = b.subf(emitSoftCap(b, lower, *spec.cap), slack);
      upper = b.addf(emitSoftCap(b, upper, *spec.cap), slack);
    }
    b.store(emitOrdered(b, upper), b.at(b.arg(3), panel, 4, kScreenUppers));
    b.store(emitOrdered(b, lower), b.at(b.arg(3), panel, 4, screenLowers(spec.n)));
  }

  KernelBuilder &b;
  const ScreenSpec &spec;
  int64_t panels;
  Value norm;
};
} // namespace

void rlx::emitScreenBounds(KernelBuilder &b, const ScreenSpec &spec) {
  BoundsEmitter(b, spec).emit();
}

/// How many of `count` i32 at `values` are at least `bound`.
static Value emitCount(KernelBuilder &b, Value values, int64_t count, Value bound) {
  auto step = [&](Value i, Value sum, Type type) -> Value {
    Value limit = isa<VectorType>(type) ? b.splat(bound, cast<VectorType>(type)) : bound;
    Value isLess = arith::CmpIOp::create(b, arith::CmpIPredicate::slt,
                                         b.load(type, b.at(values, i, 4)), limit);
    Value zero = b.constantInt(type, 0), one = b.constantInt(type, 1);
    return arith::AddIOp::create(b, sum, arith::SelectOp::create(b, isLess, zero, one));
  };
  VectorType wide = b.vec(b.i32());
  int64_t whole = count / kLanes * kLanes;
  Value sums = b.forEach(b.index(0), b.index(whole), kLanes, b.constantInt(wide, 0),
                         [&](Value i, ValueRange carried) {
                           return KernelBuilder::Values{step(i, carried.front(), wide)};
                         })
                   .front();
  Value sum = vector::ReductionOp::create(b, vector::CombiningKind::ADD, sums);
  return b
      .forEach(b.index(whole), b.index(count), 1, sum,
               [&](Value i, ValueRange carried) {
                 return KernelBuilder::Values{step(i, carried.front(), b.i32())};
               })
      .front();
}

void rlx::emitScreenSelect(KernelBuilder &b, const ScreenSpec &spec) {
  const int64_t panels = ceilDiv(spec.n, kLanes);
  Value lowers = b.at(b.arg(0), screenLowers(spec.n));
  b.forRows(b.index(1), [&](Value) {
    Value least = b.constantInt(b.i32(), std::numeric_limits<int32_t>::min());
    b.store(least, b.arg(0));
    // The greatest number that enough lower bounds reach, bit after bit. As a first bound they are
    // counted against 0, the half of all numbers.
    Value top = arith::IndexCastUIOp::create(b, b.i32(), b.min(b.arg(1), b.index(panels)));
    b.ifThen(b.less(b.index(0), b.arg(1)), [&] {
      Value found = b.forEach(b.index(0), b.index(32), 1, least, [&](Value i, ValueRange carried) {
                       Value number = arith::IndexCastUIOp::create(b, b.i32(), i);
                       Value bit = arith::ShRUIOp::create(b, least, number);
                       Value next = arith::AddIOp::create(b, carried.front(), bit);
                       Value count = emitCount(b, lowers, panels, next);
                       Value enough =
                           arith::CmpIOp::create(b, arith::CmpIPredicate::uge, count, top);
                       return KernelBuilder::Values{
                           arith::SelectOp::create(b, enough, next, carried.front())};
                     }).front();
      b.store(found, b.arg(0));
    });
  });
}
