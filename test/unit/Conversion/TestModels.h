//===- TestModels.h - The bundled checkpoints, loaded -----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes a checkpoint of test/data/models all the way to loaded code.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_CONVERSION_TESTMODELS_H
#define RLX_TEST_UNIT_CONVERSION_TESTMODELS_H

#include "PlainWeights.h"
#include "rlx/runtime/abi.h"

namespace rlx::test {

struct LoadedModel {
  const rlx_model_t *table = nullptr;
  std::vector<Line> weights;
};

/// Compiles a checkpoint in f32 for chunks of 32 tokens: with all transforms if
/// `optimised`, else unfused with a memory plan that reuses nothing. The variants are
/// `generic` and `decode`.
llvm::Expected<LoadedModel> loadTestModel(llvm::StringRef name, bool optimised,
                                          bool sanitize = false);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_CONVERSION_TESTMODELS_H
