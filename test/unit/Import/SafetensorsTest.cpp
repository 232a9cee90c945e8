//===- SafetensorsTest.cpp - The safetensors parser -----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Whole files, indices, and tables of damaged ones.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Safetensors.h"
#include "FileBuilders.h"
#include "gmock/gmock.h"

using namespace rlx;
using namespace rlx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

std::string entry(const std::string &name, const std::string &dtype, const std::string &shape,
                  const std::string &offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

TEST(Safetensors, ReadsTensors) {
  std::string bytes = safetensors(
      "{\"__metadata__\":{\"format\":\"pt\"}," + entry("b", "F16", "[2,1]", "[0,4]") + "," +
          entry("a", "BF16", "[3]", "[4,10]") + "," + entry("ids", "I64", "[]", "[10,18]") + "," +
          entry("none", "F32", "[0,4]", "[4,4]") + "}   ",
      std::string("0123456789abcdefgh"));
  llvm::Expected<std::vector<Tensor>> tensors = parseSafetensors("m", bytesOf(bytes));
  ASSERT_TRUE(bool(tensors)) << llvm::toString(tensors.takeError());
  ASSERT_EQ(tensors->size(), 4u);
  const Tensor &b = (*tensors)[0], &none = (*tensors)[1], &a = (*tensors)[2], &ids = (*tensors)[3];
  EXPECT_EQ(b.name, "b");
  EXPECT_EQ(b.type, DType::F16);
  EXPECT_THAT(b.shape, ElementsAre(2, 1));
  EXPECT_EQ(none.bytes.size(), 0u);
  EXPECT_EQ(a.bytes, bytesOf("456789"));
  EXPECT_EQ(a.offset, bytes.size() - 14);
  EXPECT_EQ(ids.type, DType::Unsupported);
  EXPECT_EQ(ids.typeName, "I64");
}

struct Damage {
  const char *message; ///< that the error must contain
  std::string bytes;
};

TEST(Safetensors, DamagedFiles) {
  std::string data(8, 'x');
  auto one = [&](const std::string &dtype, const std::string &shape, const std::string &offsets) {
    return safetensors("{" + entry("t", dtype, shape, offsets) + "}", data);
  };
  const Damage damages[] = {
      {"the file is truncated", "abc"},
      {"is absurd", raw<uint64_t>(uint64_t(1) << 40) + "{}"},
      {"expected a header of 100 bytes but got 2", raw<uint64_t>(100) + "{}"},
      {"m:1:2: the JSON is malformed", safetensors("{")},
      {"expected a JSON object but got array", safetensors("[]")},
      {"nests deeper than 32", safetensors(std::string(100000, '['))},
      {"nests deeper than 32",
       safetensors("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}")},
      {"key 't' occurs twice", safetensors("{\"t\":1,\"t\":2}")},
      {"tensor 't': expected an object", safetensors("{\"t\":1}")},
      {"tensor 't': expected a string 'dtype'", safetensors("{\"t\":{}}")},
      {"tensor 't': dtype 'F128' is unknown", one("F128", "[2]", "[0,8]")},
      {"tensor 't': expected 'shape' to be a list", one("F32", "2", "[0,8]")},
      {"tensor 't': 'shape' has a size that is out of range", one("F32", "[-1]", "[0,8]")},
      {"tensor 't': 'shape' has a size that is out of range", one("F32", "[2.5]", "[0,8]")},
      {"tensor 't': 'shape' has a size that is out of range",
       one("F32", "[18446744073709551615]", "[0,8]")},
      {"tensor 't': its size overflows", one("F32", "[1099511627776,1099511627776]", "[0,8]")},
      {"tensor 't': dimension 1152921504606846976 is out of range",
       one("F32", "[1152921504606846976]", "[0,8]")},
      {"tensor 't': expected 'data_offsets' to be two integers", one("F32", "[2]", "[0]")},
      {"tensor 't': expected 'data_offsets' to be two integers", one("F32", "[2]", "[-8,0]")},
      {"tensor 't': 'data_offsets' end before they begin", one("F32", "[2]", "[8,0]")},
      {"need 12 bytes but 'data_offsets' span 8", one("F32", "[3]", "[0,8]")},
      {"tensor 't': the file is truncated", one("F32", "[4]", "[0,16]")},
      {"tensor 't': there is a gap before its data", one("F32", "[1]", "[4,8]")},
      {"expected 4 bytes of data but got 8", one("F32", "[1]", "[0,4]")},
      {"its data overlaps another tensor's",
       safetensors("{" + entry("t", "F32", "[2]", "[0,8]") + "," +
                       entry("u", "F32", "[1]", "[4,8]") + "}",
                   data)},
  };
  for (const Damage &damage : damages) {
    llvm::Expected<std::vector<Tensor>> tensors = parseSafetensors("m", bytesOf(damage.bytes));
    ASSERT_FALSE(bool(tensors)) << damage.message;
    std::string error = llvm::toString(tensors.takeError());
    EXPECT_THAT(error, HasSubstr(damage.message));
    EXPECT_EQ(error[0], 'm') << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST(ShardIndex, DamagedFiles) {
  const std::pair<const char *, const char *> damages[] = {
      {"the JSON is malformed", "{\"weight_map\": }"},
      {"key 'weight_map': expected an object", "{}"},
      {"key 'weight_map': expected an object", "{\"weight_map\": {}}"},
      {"key 'weight_map': expected an object", "{\"weight_map\": [\"a\"]}"},
      {"tensor 'a': expected a file name", "{\"weight_map\": {\"a\": 1}}"},
      {"tensor 'a': '../x' is not the name of a file", "{\"weight_map\": {\"a\": \"../x\"}}"},
      {"tensor 'a': '/etc/passwd' is not", "{\"weight_map\": {\"a\": \"/etc/passwd\"}}"},
      {"tensor 'a': '' is not", "{\"weight_map\": {\"a\": \"\"}}"},
  };
  for (auto [message, text] : damages) {
    llvm::Expected<ShardIndex> index = parseShardIndex("i.json", text);
    ASSERT_FALSE(bool(index)) << text;
    std::string error = llvm::toString(index.takeError());
    EXPECT_THAT(error, HasSubstr(message));
    EXPECT_EQ(error.rfind("i.json:", 0), 0u) << error;
  }
}

class Shards : public ::testing::Test {
protected:
  std::string openError() {
    auto source = openWeightIndex(folder.path("model.safetensors.index.json"));
    return source ? "" : llvm::toString(source.takeError());
  }
  void writeIndex(const std::string &map) {
    folder.write("model.safetensors.index.json", "{\"weight_map\":{" + map + "}}");
  }
  void SetUp() override {
    folder.write("1.safetensors",
                 safetensors("{" + entry("a", "F32", "[1]", "[0,4]") + "}", "aaaa"));
    folder.write("2.safetensors", safetensors("{" + entry("b", "F32", "[1]", "[0,4]") + "," +
                                                  entry("c", "F32", "[1]", "[4,8]") + "}",
                                              "bbbbcccc"));
  }
  TemporaryFolder folder;
};

TEST_F(Shards, AreReadTogether) {
  writeIndex("\"c\":\"2.safetensors\",\"b\":\"2.safetensors\",\"a\":\"1.safetensors\"");
  auto source = openWeightIndex(folder.path("model.safetensors.index.json"));
  ASSERT_TRUE(bool(source)) << llvm::toString(source.takeError());
  EXPECT_EQ((*source)->size(), 3u);
  const Tensor *c = (*source)->find("c");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->bytes, bytesOf("cccc"));
  EXPECT_EQ(c->file, folder.path("2.safetensors"));
  (*source)->release(*c); // still there afterwards
  EXPECT_EQ(c->bytes[0], 'c');
}

TEST_F(Shards, MustBelongToTheIndex) {
  writeIndex("\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"");
  EXPECT_THAT(openError(), HasSubstr("2.safetensors: tensor 'c' is not listed for this file"));
  writeIndex("\"a\":\"1.safetensors\",\"d\":\"1.safetensors\"");
  EXPECT_THAT(openError(), HasSubstr("1.safetensors: tensor 'd' is missing"));
  writeIndex("\"a\":\"1.safetensors\",\"e\":\"3.safetensors\"");
  EXPECT_THAT(openError(), HasSubstr("file '3.safetensors' is missing, which holds tensor 'e'"));
}

} // namespace
