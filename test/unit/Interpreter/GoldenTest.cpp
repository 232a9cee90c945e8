//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Imported checkpoints against reference logits: judges importer and dialect
// before any code is generated.

#include "InterpreterFixture.h"
#include "Npz.h"
#include "rlx/Import/Checkpoint.h"
#include "rlx/Import/ImportModel.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

struct ImportedModel {
  Checkpoint checkpoint;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

class Golden : public ::testing::TestWithParam<const char *> {
protected:
  /// Imports a checkpoint of the test data with a cache of floats.
  void import(const std::string &path) {
    auto opened = openCheckpoint(std::string(RLX_TEST_DATA) + path);
    ASSERT_TRUE(bool(opened)) << llvm::toString(opened.takeError());
    model.checkpoint = std::move(*opened);
    ImportOptions options;
    options.kvType = KVType::F32;
    auto imported =
        importModel(context, *model.checkpoint.weights, model.checkpoint.config, options);
    ASSERT_TRUE(bool(imported)) << llvm::toString(imported.takeError());
    model.module = std::move(*imported);
  }

  /// Logits of every position, in chunks of the given sizes (the last repeats).
  std::vector<double> logits(llvm::ArrayRef<int32_t> ids, std::vector<size_t> chunks) {
    SourceWeights weights(*model.checkpoint.weights);
    Interpreter interpreter(*model.module, weights);
    InterpreterCache cache(*model.module);
    std::vector<double> result;
    for (size_t begin = 0, i = 0; begin < ids.size(); ++i) {
      size_t size = std::min(chunks[std::min(i, chunks.size() - 1)], ids.size() - begin);
      auto step =
          interpreter.run(size == 1 ? "decode" : "prefill", ids.slice(begin, size), cache, 0, size);
      if (!step) {
        ADD_FAILURE() << llvm::toString(step.takeError());
        return {};
      }
      result.insert(result.end(), step->logits.values.begin(), step->logits.values.end());
      begin += size;
    }
    return result;
  }

  /// The largest difference, as a part of the largest golden logit.
  static double error(llvm::ArrayRef<double> actual, llvm::ArrayRef<float> golden) {
    EXPECT_EQ(actual.size(), golden.size());
    double largest = 0, difference = 0;
    for (size_t i = 0; i < std::min(actual.size(), golden.size()); ++i) {
      largest = std::max(largest, std::fabs(double(golden[i])));
      difference = std::max(difference, std::fabs(actual[i] - golden[i]));
    }
    return difference / largest;
  }

  mlir::MLIRContext context;
  ImportedModel model;
};

using HuggingFace = Golden;
using Gguf = Golden;

} // namespace

TEST_P(HuggingFace, LogitsOfEveryPosition) {
  import("/models/" + std::string(GetParam()));
  for (const GoldenSequence &sequence :
       readGolden(std::string(RLX_TEST_DATA "/goldens/hf/") + GetParam() + ".npz"))
    EXPECT_LT(error(logits(sequence.ids, {sequence.ids.size()}), sequence.logits), 2e-4)
        << sequence.ids.size() << " tokens";
}

/// Past the window, in chunks and through the decode function.
TEST_P(HuggingFace, ChunksAndDecodeEqualOneShot) {
  import("/models/" + std::string(GetParam()));
  auto sequences = readGolden(std::string(RLX_TEST_DATA "/goldens/hf/") + GetParam() + ".npz");
  llvm::ArrayRef<int32_t> ids = sequences.back().ids;
  ids = ids.take_front(90);
  std::vector<double> whole = logits(ids, {ids.size()});
  EXPECT_EQ(logits(ids, {3, 60, 20, 1}), whole);
}

INSTANTIATE_TEST_SUITE_P(Models, HuggingFace,
                         ::testing::Values("tiny-gemma1", "tiny-gemma2", "tiny-gemma3"));

TEST_P(Gguf, LogitsOfEveryPosition) {
  import("/goldens/gguf/" + std::string(GetParam()) + ".gguf");
  for (const GoldenSequence &sequence :
       readGolden(std::string(RLX_TEST_DATA "/goldens/gguf/") + GetParam() + ".npz"))
    EXPECT_LT(error(logits(sequence.ids, {sequence.ids.size()}), sequence.logits), 1e-5)
        << sequence.ids.size() << " tokens";
}

INSTANTIATE_TEST_SUITE_P(Files, Gguf,
                         ::testing::Values("gemma-F16", "gemma-BF16", "gemma-Q4_1", "gemma-Q5_0",
                                           "gemma-Q5_1", "gemma2-Q8_0", "gemma2-Q4_0",
                                           "gemma2-Q2_K", "gemma2-Q5_K_M", "gemma2-Q6_K",
                                           "gemma3-Q8_0", "gemma3-Q4_0", "gemma3-Q4_K_M",
                                           "gemma3-IQ4_XS"),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
