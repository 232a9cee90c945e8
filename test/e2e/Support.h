//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// What the end-to-end tests share: opening compiled models, comparing logits.

#ifndef RLX_TEST_E2E_SUPPORT_H
#define RLX_TEST_E2E_SUPPORT_H

#include "Npz.h"
#include "rlx/runtime/session.h"

#include "gtest/gtest.h"

#include <cmath>
#include <string>
#include <vector>

namespace rlx::test {

/// A model that the build compiled, e.g. "gemma3-f32". Fails the test, naming
/// the reason, if it does not open.
Model openModel(const std::string &name);

Session newSession(const Model &model, const SessionOptions &options = {});

/// `count` ids drawn from [4, vocabulary) with a fixed seed: no controls.
std::vector<int32_t> someIds(const Model &model, size_t count, uint32_t seed = 1);

/// Logits of every position, computed without a cache from before.
std::vector<float> allLogits(Session &session, Span<const int32_t> ids);

/// The last position's logits as a copy.
std::vector<float> lastLogits(const Session &session);

/// Whether two rows hold the same bits; EXPECT_TRUE(sameBits(…)) prints where not.
::testing::AssertionResult sameBits(const std::vector<float> &a, const std::vector<float> &b);

/// The golden GGUF files, by name: every type of block that files of Gemma have.
inline constexpr const char *kGgufFiles[] = {
    "gemma-F16",   "gemma-BF16",  "gemma-Q4_1",    "gemma-Q5_0",    "gemma-Q5_1",
    "gemma2-Q2_K", "gemma2-Q4_0", "gemma2-Q8_0",   "gemma2-Q5_K_M", "gemma2-Q6_K",
    "gemma3-Q4_0", "gemma3-Q8_0", "gemma3-Q4_K_M", "gemma3-IQ4_XS"};

/// `models`, then the models made of the golden GGUF files.
std::vector<std::string> withGgufModels(std::vector<std::string> models);

/// The name of a test whose parameter is a model.
std::string testName(const ::testing::TestParamInfo<std::string> &info);

struct Comparison {
  double maxAbsLogit = 0;
  double maxError = 0;
  /// Positions whose argmax differs although the reference's top-2 gap exceeds
  /// twice the bound.
  size_t wrongArgmax = 0;
};

/// Compares logits [positions][vocab] with a reference; `relativeBound` is the
/// allowed error in units of the largest reference logit.
Comparison compare(const std::vector<float> &logits, const std::vector<float> &reference,
                   size_t vocab, double relativeBound);

#define RLX_ASSERT_OK(call)                                                                        \
  do {                                                                                             \
    auto rlxStatus = (call);                                                                       \
    ASSERT_TRUE(rlxStatus.ok()) << rlx::test::messageOf(rlxStatus);                                \
  } while (false)

inline std::string messageOf(const Status &status) { return status.message(); }
template <typename T> std::string messageOf(const Expected<T> &value) {
  return value.status().message();
}

} // namespace rlx::test

#endif // RLX_TEST_E2E_SUPPORT_H
