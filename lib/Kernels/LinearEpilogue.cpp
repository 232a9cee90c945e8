//===- LinearEpilogue.cpp - What follows a product ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GeGLU, soft cap and residual of one token's sums, while they are in registers.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "VectorMath.h"

using namespace mlir;
using namespace rlx;

void rlx::emitLinearEpilogue(KernelBuilder &b, const LinearSpec &spec, ArrayRef<Value> sums,
                             Value panel, Value token, bool tail) {
  unsigned perOutput = spec.geglu ? 2 : 1;
  Value column = b.mul(spec.geglu ? b.div(panel, 2) : panel, kLanes);
  Value out = b.at(b.at(b.arg(2), token, spec.outStride * 4), column, 4);
  Value residual;
  if (spec.residual)
    residual = b.at(b.at(b.arg(3), token, spec.residualStride * 4), column, 4);
  for (unsigned i = 0; i < sums.size() / perOutput; ++i) {
    bool last = tail && i + 1 == sums.size() / perOutput && spec.n % kLanes;
    int64_t lanes = last ? spec.n % kLanes : kLanes;
    Value value = sums[i * perOutput];
    if (spec.geglu)
      value = b.mulf(emitGelu(b, value), sums[i * perOutput + 1]);
    if (spec.cap)
      value = emitSoftCap(b, value, *spec.cap);
    value = b.slice(value, 0, lanes);
    if (spec.residual)
      value = b.addf(b.load(b.vf(lanes), residual, i * kLanes * 4), value);
    b.store(value, out, i * kLanes * 4);
  }
}
