//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Small models with random weights in memory, which together have everything that
// a Gemma layer may have.

#ifndef RLX_TEST_TRANSFORMS_RANDOMMODEL_H
#define RLX_TEST_TRANSFORMS_RANDOMMODEL_H

#include "rlx/Import/ImportModel.h"

namespace rlx::test {

struct RandomModel {
  ModelConfig config;
  InMemoryWeightSource weights;

  mlir::OwningOpRef<mlir::ModuleOp> import(mlir::MLIRContext &context);
};

/// Plain layers, stored gains as they are applied, a head of its own.
std::unique_ptr<RandomModel> makePlainModel();

/// Norms around everything, caps on scores and logits, sliding and global layers
/// with different ropes, gains less one, a tied head.
std::unique_ptr<RandomModel> makeRichModel();

} // namespace rlx::test

#endif // RLX_TEST_TRANSFORMS_RANDOMMODEL_H
