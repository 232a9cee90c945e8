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
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace rlx::test;

static LoadedModel loadChecked(const std::string &name, const std::string &quantize,
                               const std::string &target, bool reduced = false) {
  TestModelOptions options;
  options.sanitize = true;
  options.quantize = quantize;
  options.target = target;
  options.chunk = 144;
  options.reduced = reduced;
  return llvm::cantFail(loadTestModel(name, options));
}

static std::vector<int32_t> someIds(const rlx_model_t &table, size_t count) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i)
    ids[i] = static_cast<int32_t>(i * 61 % table.vocab_size);
  // The last row of the embedding table is the last of its panel.
  ids.back() = static_cast<int32_t>(table.vocab_size) - 1;
  return ids;
}

/// A prompt and two decode steps.
static std::vector<float> runModel(const rlx_model_t &table, const LoadedModel &model,
                                   size_t tokens) {
  StepRun run(table, model.weights.data(), 2);
  std::vector<float> logits = run.run("generic", someIds(table, tokens));
  for (int32_t id : {0, static_cast<int32_t>(table.vocab_size) - 1})
    for (float logit : run.run("decode", {id}))
      logits.push_back(logit);
  return logits;
}

/// Lengths around the tiles of the kernels, the blocks of attention and of the cache,
/// and the sliding windows of the checkpoints.
static constexpr size_t kLengths[] = {1, 15, 16, 17, 63, 64, 65, 130};

struct SanitizedModel {
  const char *name, *quantize, *target;
};

class SanitizedCode : public testing::TestWithParam<SanitizedModel> {};

TEST_P(SanitizedCode, StaysInItsMemory) {
  LoadedModel model = loadChecked(GetParam().name, GetParam().quantize, GetParam().target);
  const rlx_model_t &table = *model.table;
  auto finite = [](float logit) { return std::isfinite(logit); };
  for (size_t tokens : kLengths)
    EXPECT_TRUE(llvm::all_of(runModel(table, model, tokens), finite)) << tokens << " tokens";
  // One after the other: from places in the cache that are no multiple of anything.
  StepRun run(table, model.weights.data(), 3);
  for (size_t tokens : kLengths)
    EXPECT_TRUE(llvm::all_of(run.run("generic", someIds(table, tokens)), finite)) << tokens;
}

// "native": with the vectors and dot products of whatever machine this is.
INSTANTIATE_TEST_SUITE_P(Checkpoints, SanitizedCode,
                         testing::Values(SanitizedModel{"tiny-gemma2", "", "x86-64-v3"},
                                         SanitizedModel{"tiny-gemma3", "", "native"},
                                         SanitizedModel{"tiny-gemma2", "q8_0", "native"},
                                         SanitizedModel{"tiny-gemma3", "q8_0", "x86-64-v3"},
                                         SanitizedModel{"tiny-gemma3", "q4_0", "x86-64-v3"},
                                         SanitizedModel{"tiny-gemma1", "q4_k", "native"}));

// A cache of q8_0 and a screened head: steps of every kind, with any number of greatest logits.
TEST(SanitizedReducedCode, StaysInItsMemory) {
  for (auto [name, quantize, target] :
       {std::tuple("tiny-gemma2", "q8_0", "native"), {"tiny-gemma3", "q4_k", "x86-64-v3"}}) {
    LoadedModel model = loadChecked(name, quantize, target, /*reduced=*/true);
    const rlx_model_t &table = *model.table;
    StepRun run(table, model.weights.data(), 3), plain(table, model.weights.data(), 2);
    for (size_t tokens : {1, 17, 130})
      EXPECT_EQ(run.run("generic", someIds(table, tokens)),
                plain.run("generic", someIds(table, tokens)));
    for (uint64_t top : {uint64_t(0), uint64_t(1), uint64_t(40), table.vocab_size}) {
      run.top = top;
      std::vector<float> logits = run.run("decode", {7}), all = plain.run("decode", {7});
      uint64_t kept = 0;
      for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_TRUE(logits[i] == all[i] || logits[i] == -INFINITY) << i;
        kept += logits[i] == all[i];
      }
      EXPECT_GE(kept, top ? top : table.vocab_size);
    }
  }
}

// Blocks as they are stored: between them all that files have.
INSTANTIATE_TEST_SUITE_P(Files, SanitizedCode,
                         testing::Values(SanitizedModel{"gemma-BF16.gguf", "", "native"},
                                         SanitizedModel{"gemma-F16.gguf", "", "x86-64-v3"},
                                         SanitizedModel{"gemma-Q4_1.gguf", "", "native"},
                                         SanitizedModel{"gemma-Q5_0.gguf", "", "native"},
                                         SanitizedModel{"gemma-Q5_1.gguf", "", "x86-64-v3"},
                                         SanitizedModel{"gemma2-Q2_K.gguf", "", "native"},
                                         SanitizedModel{"gemma2-Q2_K.gguf", "", "x86-64-v3"},
                                         SanitizedModel{"gemma2-Q5_K_M.gguf", "", "native"},
                                         SanitizedModel{"gemma2-Q6_K.gguf", "", "x86-64-v3"},
                                         SanitizedModel{"gemma3-Q4_K_M.gguf", "", "native"},
                                         SanitizedModel{"gemma3-Q4_K_M.gguf", "", "x86-64-v3"},
                                         SanitizedModel{"gemma3-IQ4_XS.gguf", "", "native"},
                                         SanitizedModel{"gemma3-IQ4_XS.gguf", "", "x86-64-v3"}));

TEST(SanitizedCodeDeathTest, WorkspaceThatIsTooSmallIsNoticed) {
  LoadedModel model = loadChecked("tiny-gemma2", "", "x86-64-v3");
  std::vector<rlx_variant_t> variants(model.table->variants,
                                      model.table->variants + model.table->variant_count);
  for (rlx_variant_t &variant : variants)
    variant.workspace_bytes -= RLX_ALIGNMENT;
  rlx_model_t table = *model.table;
  table.variants = variants.data();
  EXPECT_DEATH(runModel(table, model, 144), "AddressSanitizer: heap-buffer-overflow");
}

TEST(SanitizedCodeDeathTest, WeightsThatEndTooSoonAreNoticed) {
  LoadedModel model = loadChecked("tiny-gemma2", "q8_0", "x86-64-v3");
  model.weights.pop_back();
  model.weights.shrink_to_fit();
  EXPECT_DEATH(runModel(*model.table, model, 1), "AddressSanitizer: heap-buffer-overflow");
}
