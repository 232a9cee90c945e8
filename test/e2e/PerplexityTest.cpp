//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Perplexity of the compiled binaries on text that no model saw, by their own
// command line, against figures from two independent implementations.

#include "Support.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

using namespace rlx::test;

static double perplexity(const std::string &model) {
  std::string command = std::string(RLX_E2E_MODELS) + "/" + model + " perplexity --json " +
                        RLX_TEST_DATA + "/models/heldout.txt";
  FILE *pipe = popen(command.c_str(), "r");
  if (!pipe)
    return NAN;
  std::string text;
  std::array<char, 4096> buffer;
  while (size_t got = fread(buffer.data(), 1, buffer.size(), pipe))
    text.append(buffer.data(), got);
  if (pclose(pipe) != 0)
    return NAN;
  return nlohmann::json::parse(text).at("perplexity").get<double>();
}

struct Expected {
  const char *generation;
  double reference;
};

class Perplexity : public ::testing::TestWithParam<Expected> {};
INSTANTIATE_TEST_SUITE_P(Gemma, Perplexity,
                         ::testing::Values(Expected{"1", 62.7126}, Expected{"2", 64.6308},
                                           Expected{"3", 66.5275}),
                         [](const auto &info) { return info.param.generation; });

TEST_P(Perplexity, F32EqualsTheReference) {
  std::string prefix = std::string("gemma") + GetParam().generation;
  double f32 = perplexity(prefix + "-f32");
  EXPECT_NEAR(f32 / GetParam().reference, 1.0, 1e-4);
}

TEST_P(Perplexity, QuantisedStaysClose) {
  std::string prefix = std::string("gemma") + GetParam().generation;
  EXPECT_NEAR(perplexity(prefix + "-q8_0") / GetParam().reference, 1.0, 1e-3);
  EXPECT_NEAR(perplexity(prefix + "-q4_0") / GetParam().reference, 1.0, 1.5e-2);
  // Scales for as few columns as q4_0, and minima: the same bound.
  EXPECT_NEAR(perplexity(prefix + "-q4_k") / GetParam().reference, 1.0, 1.5e-2);
}
