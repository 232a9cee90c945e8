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

void rlx::storeOutputs(KernelBuilder &b, const LinearSpec &spec, Value outputs, Value token,
                       Value column) {
  b.store(outputs, b.at(b.at(b.arg(2), token, spec.outStride * 4), column, 4));
}

void rlx::emitLinearEpilogue(KernelBuilder &b, const LinearSpec &spec, ArrayRef<Value> sums,
                             Value panel, Value token, bool tail, StoreOutputs store) {
  unsigned perOutput = spec.geglu ? 2 : 1;
  Value first = b.mul(spec.geglu ? b.div(panel, 2) : panel, kLanes);
  for (unsigned i = 0; i < sums.size() / perOutput; ++i) {
    bool last = tail && i + 1 == sums.size() / perOutput && spec.n % kLanes;
    int64_t lanes = last ? spec.n % kLanes : kLanes;
    Value column = b.add(first, i * kLanes);
    Value value = sums[i * perOutput];
    if (spec.geglu)
      value = b.mulf(emitGelu(b, value), sums[i * perOutput + 1]);
    if (spec.cap)
      value = emitSoftCap(b, value, *spec.cap);
    value = b.slice(value, 0, lanes);
    if (spec.residual) {
      Value residual = b.at(b.at(b.arg(3), token, spec.residualStride * 4), column, 4);
      value = b.addf(b.load(b.vf(lanes), residual), value);
    }
    store(value, column);
  }
}
