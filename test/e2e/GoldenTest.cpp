//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Logits against outside evidence: Google's own code on the trained
// checkpoints, exact logits of quantised GGUF files.

#include "Support.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace rlx;
using namespace rlx::test;

static void expectGolden(const std::string &model, const std::string &golden, double bound) {
  Model opened = openModel(model);
  Session session = newSession(opened);
  for (const GoldenSequence &sequence : readGolden(golden)) {
    SCOPED_TRACE(model + ", " + std::to_string(sequence.ids.size()) + " tokens");
    ASSERT_EQ(opened.vocabSize(), sequence.vocab);
    Comparison found =
        compare(allLogits(session, sequence.ids), sequence.logits, sequence.vocab, bound);
    EXPECT_LE(found.maxError, bound * found.maxAbsLogit);
    EXPECT_EQ(found.wrongArgmax, 0u);
    ::testing::Test::RecordProperty(model + "_" + std::to_string(sequence.ids.size()),
                                    std::to_string(found.maxError / found.maxAbsLogit));
  }
}

/// The error that rounding leaves in a logit, relative to the largest one.
/// Each layer rounds its activations (or the cache) at `stages` places; each
/// rounding is an independent relative error of at most epsilon/2, uniformly
/// spread (standard deviation epsilon/√12), and passes a norm that keeps its
/// relative size. Independent errors add as squares; the largest of some 10⁵
/// compared logits lies within five standard deviations.
static double roundingBound(double epsilon, int layers, int stages) {
  return 5 * epsilon / std::sqrt(12.0) * std::sqrt(double(layers * stages));
}

struct Generation {
  const char *number;
  int layers;
};
static constexpr Generation kGenerations[] = {{"1", 3}, {"2", 4}, {"3", 6}};

static std::string hfGolden(const std::string &number, const char *suffix) {
  return std::string(RLX_TEST_DATA) + "/goldens/hf/tiny-gemma" + number + suffix + ".npz";
}

class HFGolden : public ::testing::TestWithParam<Generation> {};
INSTANTIATE_TEST_SUITE_P(Gemma, HFGolden, ::testing::ValuesIn(kGenerations),
                         [](const auto &info) { return info.param.number; });

// 2e-4 covers f32 summed in another order and RoPE angles that the reference
// computes in f32 (1.1e-5); a window off by one is 9e-3 away.
TEST_P(HFGolden, F32) {
  std::string model = std::string("gemma") + GetParam().number + "-f32";
  expectGolden(model, hfGolden(GetParam().number, ""), 2e-4);
  expectGolden(model, hfGolden(GetParam().number, "-long"), 2e-4);
}

TEST_P(HFGolden, F32OnAVX2) {
  std::string model = std::string("gemma") + GetParam().number + "-v3";
  expectGolden(model, hfGolden(GetParam().number, ""), 2e-4);
  expectGolden(model, hfGolden(GetParam().number, "-long"), 2e-4);
}

TEST_P(HFGolden, F32Unfused) {
  std::string model = std::string("gemma") + GetParam().number + "-unfused";
  expectGolden(model, hfGolden(GetParam().number, ""), 2e-4);
  expectGolden(model, hfGolden(GetParam().number, "-long"), 2e-4);
}

TEST_P(HFGolden, F32Generic) {
  std::string model = std::string("gemma") + GetParam().number + "-generic";
  expectGolden(model, hfGolden(GetParam().number, ""), 2e-4);
}

// bf16 has 8 significant bits. A layer rounds the inputs of its four linear
// layers, its keys and its values.
TEST_P(HFGolden, BF16) {
  for (const char *target : {"", "-native"})
    for (const char *suffix : {"", "-long"})
      expectGolden(std::string("gemma") + GetParam().number + "-bf16" + target,
                   hfGolden(GetParam().number, suffix),
                   roundingBound(std::ldexp(1.0, -7), GetParam().layers, 6));
}

// f16 has 11 significant bits, and the bf16 checkpoint's weights fit it but for
// the smallest; keys, values and weights are rounded.
TEST_P(HFGolden, F16) {
  for (const char *suffix : {"", "-long"})
    expectGolden(std::string("gemma") + GetParam().number + "-f16",
                 hfGolden(GetParam().number, suffix),
                 roundingBound(std::ldexp(1.0, -10), GetParam().layers, 6));
}

// A step of q8_0 is a 127th of the largest of 32 features, which is 2.2 times the typical one;
// keys and values are rounded.
TEST_P(HFGolden, CacheOfQ8_0) {
  for (const char *suffix : {"", "-long"})
    expectGolden(std::string("gemma") + GetParam().number + "-kv-q8_0",
                 hfGolden(GetParam().number, suffix),
                 roundingBound(2.2 / 127, GetParam().layers, 2));
}

static const std::string kGgufFolder = std::string(RLX_TEST_DATA) + "/goldens/gguf/";

class GGUFGolden : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Files, GGUFGolden,
                         ::testing::ValuesIn(std::vector<std::string>(std::begin(kGgufFiles),
                                                                      std::end(kGgufFiles))),
                         testName);

// At most 1.5 times the error that llama.cpp itself makes on the file; an argmax
// that this error cannot change is right.
TEST_P(GGUFGolden, WithinLlamaCppsOwnError) {
  std::ifstream in(kGgufFolder + "errors.json");
  nlohmann::json errors = nlohmann::json::parse(in).at(GetParam());
  double allowed = 1.5 * errors.at("llama_cpp_max_abs_error").get<double>();
  double relative = allowed / errors.at("max_abs_logit").get<double>();
  for (const char *target : {"", "-native", "-v3"}) {
    SCOPED_TRACE(target);
    Model model = openModel("gguf-" + GetParam() + target);
    Session session = newSession(model);
    for (const GoldenSequence &sequence : readGolden(kGgufFolder + GetParam() + ".npz")) {
      Comparison found =
          compare(allLogits(session, sequence.ids), sequence.logits, sequence.vocab, relative);
      EXPECT_LE(found.maxError, allowed);
      EXPECT_EQ(found.wrongArgmax, 0u);
    }
  }
}

// Sums of integers are exact, and all targets round sums of f32 at the same places.
TEST_P(GGUFGolden, BlocksGiveTheSameBitsOnEveryTarget) {
  if (GetParam() == "gemma-BF16")
    GTEST_SKIP() << "bf16 products are the target's own";
  Model native = openModel("gguf-" + GetParam()), v3 = openModel("gguf-" + GetParam() + "-v3");
  Session a = newSession(native), b = newSession(v3);
  std::vector<int32_t> ids = someIds(native, 60);
  EXPECT_TRUE(sameBits(allLogits(a, ids), allLogits(b, ids)));
}

// Generic kernels keep activations in f32: what is left of the error is that of f32 sums.
TEST(GGUFGoldens, GenericKernelsAreExact) {
  expectGolden("gguf-gemma3-Q4_K_M-generic", kGgufFolder + "gemma3-Q4_K_M.npz", 2e-4);
}

TEST(GGUFGoldens, AllOfThemAreTested) {
  std::vector<std::string> known(std::begin(kGgufFiles), std::end(kGgufFiles)), found;
  for (const auto &entry : std::filesystem::directory_iterator(kGgufFolder))
    if (entry.path().extension() == ".gguf")
      found.push_back(entry.path().stem());
  std::sort(known.begin(), known.end());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(known, found);
}
