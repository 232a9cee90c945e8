//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// What writeSafetensors writes, the importer's reader reads.

#include "WeightFiles.h"
#include "rlx/Import/Safetensors.h"
#include <gtest/gtest.h>

using namespace rlx;

TEST(WeightFilesTest, SafetensorsAreReadBack) {
  InMemoryWeightSource source;
  llvm::cantFail(source.addTensor("mtp.a", {2, 3}, {1, 2, 3, 4, 5, 6}));
  llvm::cantFail(source.addTensor("mtp.b", DType::BF16, {4}, {1, 2, 3, 4, 5, 6, 7, 8}));
  std::vector<uint8_t> bytes;
  llvm::cantFail(writeSafetensors({source.find("mtp.a"), source.find("mtp.b")},
                                  [&](llvm::ArrayRef<uint8_t> part) {
                                    bytes.insert(bytes.end(), part.begin(), part.end());
                                    return llvm::Error::success();
                                  }));
  llvm::Expected<std::vector<Tensor>> tensors = parseSafetensors("mtp.bin", bytes);
  ASSERT_TRUE(bool(tensors)) << llvm::toString(tensors.takeError());
  ASSERT_EQ(tensors->size(), 2u);
  for (const Tensor &tensor : *tensors) {
    const Tensor *original = source.find(tensor.name);
    ASSERT_TRUE(original) << tensor.name;
    EXPECT_EQ(tensor.type, original->type);
    EXPECT_EQ(tensor.shape, original->shape);
    EXPECT_EQ(tensor.bytes, original->bytes);
  }
}
