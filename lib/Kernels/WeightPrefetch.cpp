//===- WeightPrefetch.cpp - Asking for weights ahead of their use ---------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One in `spread` steps asks for its columns; which one depends on the pass.
//
//===----------------------------------------------------------------------===//
#include "WeightPrefetch.h"

using namespace mlir;
using namespace rlx;

// Passes that share the work at most: more would not even it out more.
static constexpr int64_t kMaxSpread = 8;

void rlx::prefetchColumns(KernelBuilder &b, const LinearSpec &spec, Value panel, Value k,
                          int64_t count, int64_t ahead, bool nearest) {
  int64_t columnBytes = packedWeightBytes(spec.format, kLanes, spec.k) / spec.k;
  b.prefetch(b.at(panel, k, columnBytes, ahead), columnBytes * count, nearest);
}

SharedPrefetch::SharedPrefetch(KernelBuilder &b, const LinearSpec &spec, Value passes)
    : b(b), spec(spec), spread(b.index(1)) {
  for (int64_t most = 2; most <= kMaxSpread; most *= 2)
    spread = arith::SelectOp::create(b, b.less(passes, b.index(most)), spread, b.index(most));
}

void SharedPrefetch::emitStep(ArrayRef<Value> panels, Value pass, Value k, int64_t count,
                              int64_t ahead) const {
  if (b.getTarget().prefetchBytes == 0)
    return;
  // The step's number modulo `spread`, times count: passes from number `spread` on never ask.
  Value turn = arith::AndIOp::create(b, k, b.mul(b.sub(spread, b.index(1)), count));
  b.ifThen(b.equal(turn, b.mul(pass, count)), [&] {
    for (Value panel : panels)
      prefetchColumns(b, spec, panel, k, count, ahead, /*nearest=*/false);
  });
}
