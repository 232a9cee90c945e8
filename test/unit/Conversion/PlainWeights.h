//===- PlainWeights.h - Weights packed in f32 -------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A second, plain packer, so that kernels are tested without the compiler's own.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_CONVERSION_PLAINWEIGHTS_H
#define RLX_TEST_UNIT_CONVERSION_PLAINWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"
#include "rlx/Import/WeightSource.h"

namespace rlx::test {

/// Makes every weight f32.
void convertWeightsToF32(mlir::ModuleOp module);

/// 64 bytes, the alignment of packed weights.
struct alignas(64) Line {
  float values[16] = {};
};

/// The packed weights of a module whose weights are f32 and have their places.
std::vector<Line> packWeights(mlir::ModuleOp module, const WeightSource &source);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_CONVERSION_PLAINWEIGHTS_H
