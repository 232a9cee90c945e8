//===- TestModels.h - The bundled checkpoints, loaded -----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Takes a checkpoint of test/data all the way to loaded code.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_CONVERSION_TESTMODELS_H
#define RLX_TEST_UNIT_CONVERSION_TESTMODELS_H

#include "PlainWeights.h"
#include "rlx/runtime/abi.h"
#include <string>

namespace rlx::test {

struct LoadedModel {
  const rlx_model_t *table = nullptr;
  std::vector<Line> weights;
};

struct TestModelOptions {
  /// All transforms; else unfused, with a memory plan that reuses nothing.
  bool optimised = true;
  /// The code checks its loads and stores by AddressSanitizer.
  bool sanitize = false;
  /// A quantised format, which only optimised models have; empty: f32, or in a GGUF
  /// file as stored.
  std::string quantize;
  std::string target = "x86-64-v3";
  /// The most tokens of a step.
  int64_t chunk = 32;
  /// The most sequences of a step.
  int64_t batch = 1;
  /// Keys and values in q8_0, and a coarse copy of a quantised head.
  bool reduced = false;
};

/// Compiles a folder of models/ or a file of goldens/gguf/ (NAME.gguf) with a cache in
/// f32, or as `reduced` says; the variants are `generic` and `decode`.
llvm::Expected<LoadedModel> loadTestModel(llvm::StringRef name, const TestModelOptions &options);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_CONVERSION_TESTMODELS_H
