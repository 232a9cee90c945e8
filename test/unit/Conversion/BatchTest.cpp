//===- BatchTest.cpp - Steps of several sequences -------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whole models compiled for BATCH > 1: a sequence has the same bits alone and in a
// step with others, whose caches are of other lengths.
//
//===----------------------------------------------------------------------===//
#include "StepRun.h"
#include "TestModels.h"
#include <gtest/gtest.h>

using namespace rlx::test;

struct BatchModel {
  const char *name, *quantize;
  bool optimised;
};

class Batch : public testing::TestWithParam<BatchModel> {
protected:
  static LoadedModel load() {
    TestModelOptions options;
    options.optimised = GetParam().optimised;
    options.quantize = GetParam().quantize;
    options.batch = 3;
    return llvm::cantFail(loadTestModel(GetParam().name, options));
  }

  /// Tokens of sequence `sequence`, unlike those of the others.
  static std::vector<int32_t> someIds(int sequence, int count) {
    std::vector<int32_t> ids;
    for (int i = 0; i < count; ++i)
      ids.push_back((i * 61 + sequence * 397 + 5) % 2048);
    return ids;
  }
};

TEST_P(Batch, SequencesDoNotTouchEachOther) {
  LoadedModel model = load();
  EXPECT_EQ(model.table->variants[0].batch_max, 3u);
  auto start = [&] { return std::make_unique<StepRun>(*model.table, model.weights.data(), 2); };
  for (size_t batch : {2, 3}) {
    std::vector<std::unique_ptr<StepRun>> alone, member;
    std::vector<StepRun *> together;
    for (size_t i = 0; i < batch; ++i) {
      alone.push_back(start());
      member.push_back(start());
      together.push_back(member.back().get());
      // Pasts of 29, 60 and 91 tokens: before and behind the edge of the windows.
      for (size_t part = 0; part <= i; ++part) {
        std::vector<int32_t> ids = someIds(int(i), int(part ? 31 : 29));
        alone[i]->run("generic", ids);
        together[i]->run("generic", ids);
      }
    }
    for (auto [variant, count] : {std::pair("generic", 17), {"decode", 1}, {"decode", 1}}) {
      std::vector<std::vector<int32_t>> ids;
      for (size_t i = 0; i < batch; ++i)
        ids.push_back(someIds(int(i) + 7, count));
      std::vector<std::vector<float>> logits = StepRun::runTogether(variant, together, ids);
      for (size_t i = 0; i < batch; ++i)
        EXPECT_EQ(logits[i], alone[i]->run(variant, ids[i]))
            << variant << ", sequence " << i << " of " << batch;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, Batch,
                         testing::Values(BatchModel{"tiny-gemma1", "", false},
                                         BatchModel{"tiny-gemma2", "", true},
                                         BatchModel{"tiny-gemma3", "", true},
                                         BatchModel{"tiny-gemma3", "q8_0", true}));
