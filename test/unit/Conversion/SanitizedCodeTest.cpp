//===- SanitizedCodeTest.cpp - Generated code under AddressSanitizer ------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// This program is linked with AddressSanitizer and runs code that is instrumented:
// a whole model stays within its workspace, cache planes, weights and outputs, and
// one byte beyond is noticed.
//
//===----------------------------------------------------------------------===//
#include "StepRun.h"
#include "TestModels.h"
#include <cmath>
#include <gmock/gmock.h>

using namespace rlx::test;

/// Forty tokens in chunks, then three by decode steps.
static std::vector<float> runModel(const LoadedModel &model, const rlx_model_t &table) {
  StepRun run(table, model.weights.data(), 2);
  std::vector<int32_t> ids(32);
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<int32_t>(i * 61 % table.vocab_size);
  run.run("generic", ids);
  run.run("generic", {3, 1, 4, 1, 5, 9, 2, 6});
  // The last row of the embedding table is the last of its panel.
  run.run("decode", {static_cast<int32_t>(table.vocab_size) - 1});
  run.run("decode", {0});
  return run.run("decode", {7});
}

class SanitizedCode : public testing::TestWithParam<const char *> {};

TEST_P(SanitizedCode, StaysInItsMemory) {
  LoadedModel checked = llvm::cantFail(loadTestModel(GetParam(), true, true));
  for (float logit : runModel(checked, *checked.table))
    ASSERT_TRUE(std::isfinite(logit));
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, SanitizedCode, testing::Values("tiny-gemma2", "tiny-gemma3"));

TEST(SanitizedCodeDeathTest, WorkspaceThatIsTooSmallIsNoticed) {
  LoadedModel checked = llvm::cantFail(loadTestModel("tiny-gemma1", true, true));
  std::vector<rlx_variant_t> variants(checked.table->variants,
                                      checked.table->variants + checked.table->variant_count);
  for (rlx_variant_t &variant : variants)
    variant.workspace_bytes -= RLX_ALIGNMENT;
  rlx_model_t table = *checked.table;
  table.variants = variants.data();
  EXPECT_DEATH(runModel(checked, table), "AddressSanitizer: heap-buffer-overflow");
}
