//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Tests of the golden-data reader.

#include "Npz.h"

#include "gtest/gtest.h"

using namespace rlx::test;

TEST(Npz, ReadsGoldenSequences) {
  auto sequences = readGolden(RLX_TEST_DATA "/goldens/hf/tiny-gemma3.npz");
  ASSERT_EQ(sequences.size(), 3u);
  EXPECT_EQ(sequences[0].ids, std::vector<int32_t>({2}));
  EXPECT_EQ(sequences[1].ids.size(), 24u);
  EXPECT_EQ(sequences[2].ids.size(), 150u);
  EXPECT_EQ(sequences[2].vocab, 2048u);
}

TEST(Npz, RefusesOtherFiles) {
  EXPECT_THROW(readNpz("/nonexistent.npz"), std::runtime_error);
  EXPECT_THROW(parseNpy("\x93NUMPY"), std::runtime_error);
  EXPECT_THROW(parseNpy("something else"), std::runtime_error);
}
