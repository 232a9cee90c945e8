//===- ForwardTest.cpp - Whole models through code generation -------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bundled checkpoints against reference logits: unfused with a memory plan that
// reuses nothing, and with all transforms. Weights are f32 and packed by a plain
// second packer; what the compiler's packer and the runtime add is tested with them.
//
//===----------------------------------------------------------------------===//
#include "Npz.h"
#include "StepRun.h"
#include "TestModels.h"
#include <gmock/gmock.h>

using namespace rlx;
using namespace rlx::test;

static const LoadedModel &getModel(const std::string &name, bool optimised) {
  static std::map<std::pair<std::string, bool>, LoadedModel> models;
  auto found = models.find({name, optimised});
  if (found == models.end()) {
    TestModelOptions options;
    options.optimised = optimised;
    found = models.emplace(std::pair(name, optimised), llvm::cantFail(loadTestModel(name, options)))
                .first;
  }
  return found->second;
}

/// Logits of all positions, `chunk` tokens at a time.
static std::vector<float> prefill(const LoadedModel &model, const std::vector<int32_t> &ids,
                                  size_t chunk, uint32_t threads,
                                  const std::string &variant = "generic") {
  StepRun run(*model.table, model.weights.data(), threads);
  std::vector<float> logits;
  for (size_t begin = 0; begin < ids.size(); begin += chunk) {
    std::vector<int32_t> part(ids.begin() + begin,
                              ids.begin() + std::min(begin + chunk, ids.size()));
    std::vector<float> rows = run.run(variant, part);
    logits.insert(logits.end(), rows.begin(), rows.end());
  }
  return logits;
}

class Forward : public testing::TestWithParam<std::tuple<std::string, bool>> {
protected:
  std::string name = std::get<0>(GetParam());
  const LoadedModel &model = getModel(name, std::get<1>(GetParam()));
};

TEST_P(Forward, LogitsMatchTheReference) {
  for (const GoldenSequence &golden : readGolden(RLX_TEST_DATA "/goldens/hf/" + name + ".npz")) {
    std::vector<float> logits = prefill(model, golden.ids, 32, 2);
    ASSERT_EQ(logits.size(), golden.logits.size());
    float error = 0, largest = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
      ASSERT_FALSE(std::isnan(logits[i])) << "position " << i / golden.vocab;
      error = std::max(error, std::abs(logits[i] - golden.logits[i]));
      largest = std::max(largest, std::abs(golden.logits[i]));
    }
    EXPECT_LE(error, 2e-4f * largest);
  }
}

TEST_P(Forward, TransformsDoNotChangeBits) {
  std::vector<int32_t> ids = {2, 17, 1999, 5, 300, 300, 64};
  EXPECT_EQ(prefill(model, ids, 32, 2), prefill(getModel(name, false), ids, 32, 2));
}

TEST_P(Forward, BitsDependNeitherOnThreadsNorOnChunks) {
  std::vector<int32_t> ids;
  for (const GoldenSequence &golden : readGolden(RLX_TEST_DATA "/goldens/hf/" + name + ".npz"))
    if (golden.ids.size() > ids.size())
      ids = golden.ids;
  ASSERT_GT(ids.size(), 64u) << "beyond the sliding window";
  std::vector<float> expected = prefill(model, ids, 32, 1);
  EXPECT_EQ(prefill(model, ids, 32, 3), expected);
  EXPECT_EQ(prefill(model, ids, 7, 2), expected);
  EXPECT_EQ(prefill(model, ids, 1, 2, "decode"), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Checkpoints, Forward,
    testing::Combine(testing::Values("tiny-gemma1", "tiny-gemma2", "tiny-gemma3"), testing::Bool()),
    [](const auto &info) {
      return std::get<0>(info.param).substr(5) +
             (std::get<1>(info.param) ? "_optimised" : "_plain");
    });
