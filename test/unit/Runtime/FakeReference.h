//===-- FakeReference.h - what the fake model should say -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The fake model's formulas evaluated directly, without cache, chunks or
// threads, and helpers that open it.
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_FAKEREFERENCE_H
#define RLX_TEST_FAKEREFERENCE_H

#include "FakeModel.h"

#include "rlx/runtime/session.h"

#include <gtest/gtest.h>

namespace rlx::test {

struct FakeRows {
  std::vector<float> logits; ///< [positions][FAKE_VOCAB]
  std::vector<float> hidden; ///< [positions][FAKE_HIDDEN]
  /// [slot][position][kvHeads * headDim]
  std::vector<std::vector<float>> k[FAKE_SLOTS], v[FAKE_SLOTS];

  std::vector<float> row(size_t position) const {
    return {logits.begin() + position * FAKE_VOCAB, logits.begin() + (position + 1) * FAKE_VOCAB};
  }
};

/// The weights that openFake gives the model: every logit is raised by 2.
constexpr float fakeOffset = 2;

FakeRows fakeReference(const std::vector<int32_t> &ids);

/// `count` token ids that repeat in no short period.
std::vector<int32_t> fakeIds(size_t count, uint32_t seed = 1);

Model openFake(const rlx_model_t *table = rlx_query(RLX_ABI_VERSION),
               const std::string &manifest = "");
Session makeSession(const Model &model, const SessionOptions &options = {});

/// The value, or a failed test and a default.
template <typename T> T valueOf(Expected<T> expected) {
  EXPECT_TRUE(expected.ok()) << expected.status().message();
  return expected ? std::move(*expected) : T();
}

inline std::vector<float> logitsOf(const Session &session) {
  return valueOf(session.logits()).vec();
}

#define EXPECT_OK(call)                                                                            \
  do {                                                                                             \
    ::rlx::Status status_ = (call);                                                                \
    EXPECT_TRUE(status_.ok()) << status_.message();                                                \
  } while (0)

/// Expects an error of this code whose message contains the text.
#define EXPECT_ERROR(call, expectedCode, text)                                                     \
  do {                                                                                             \
    ::rlx::Status status_ = (call);                                                                \
    EXPECT_EQ(status_.code(), ::rlx::ErrorCode::expectedCode) << status_.message();                \
    EXPECT_NE(status_.message().find(text), std::string::npos) << status_.message();               \
  } while (0)

} // namespace rlx::test

#endif // RLX_TEST_FAKEREFERENCE_H
