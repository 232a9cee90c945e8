//===- GgufTest.cpp - The GGUF parser -------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Whole files and a table of damaged ones.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Gguf.h"
#include "FileBuilders.h"
#include "gmock/gmock.h"

using namespace rlx;
using namespace rlx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

std::string errorOf(const std::string &bytes) {
  llvm::Expected<GgufFile> file = parseGguf("m.gguf", bytesOf(bytes));
  return file ? "" : llvm::toString(file.takeError());
}

TEST(Gguf, ReadsEveryValueType) {
  GgufBuilder builder;
  builder.key("u8", GgufType::UInt8, raw<uint8_t>(200))
      .key("i8", GgufType::Int8, raw<int8_t>(-3))
      .key("u16", GgufType::UInt16, raw<uint16_t>(60000))
      .key("i16", GgufType::Int16, raw<int16_t>(-300))
      .u32("u32", 4000000000u)
      .key("i32", GgufType::Int32, raw<int32_t>(-70000))
      .f32("f32", 0.5f)
      .boolean("bool", true)
      .string("string", "text")
      .key("u64", GgufType::UInt64, raw<uint64_t>(1))
      .key("big", GgufType::UInt64, raw<uint64_t>(UINT64_MAX))
      .key("i64", GgufType::Int64, raw<int64_t>(-1))
      .key("f64", GgufType::Float64, raw<double>(0.25))
      .strings("strings", {"a", "", "bc"})
      .array("floats", GgufType::Float32, 2, raw(1.5f) + raw(-2.0f))
      .array("ints", GgufType::Int32, 2, raw<int32_t>(7) + raw<int32_t>(-8))
      .array("nested", GgufType::Array, 1,
             raw<uint32_t>(static_cast<uint32_t>(GgufType::String)) + raw<uint64_t>(1) +
                 ggufString("deep"))
      .string("last", "after the nested array");
  std::string bytes = builder.build();
  llvm::Expected<GgufFile> file = parseGguf("m.gguf", bytesOf(bytes));
  ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
  auto &metadata = file->metadata;
  EXPECT_EQ(metadata["u8"].asInteger(), 200);
  EXPECT_EQ(metadata["i8"].asInteger(), -3);
  EXPECT_EQ(metadata["u16"].asInteger(), 60000);
  EXPECT_EQ(metadata["i16"].asInteger(), -300);
  EXPECT_EQ(metadata["u32"].asInteger(), 4000000000);
  EXPECT_EQ(metadata["i32"].asInteger(), -70000);
  EXPECT_EQ(metadata["f32"].asNumber(), 0.5);
  EXPECT_EQ(metadata["f32"].asInteger(), std::nullopt);
  EXPECT_EQ(metadata["bool"].asBool(), true);
  EXPECT_EQ(metadata["string"].asString(), llvm::StringRef("text"));
  EXPECT_EQ(metadata["u64"].asInteger(), 1);
  EXPECT_EQ(metadata["big"].asInteger(), std::nullopt);
  EXPECT_EQ(metadata["i64"].asInteger(), -1);
  EXPECT_EQ(metadata["f64"].asNumber(), 0.25);
  EXPECT_THAT(*metadata["strings"].asStrings(), ElementsAre("a", "", "bc"));
  EXPECT_THAT(*metadata["floats"].asFloats(), ElementsAre(1.5f, -2.0f));
  EXPECT_THAT(*metadata["ints"].asIntegers(), ElementsAre(7, -8));
  EXPECT_EQ(metadata["floats"].asStrings(), std::nullopt);
  EXPECT_EQ(metadata["last"].asString(), llvm::StringRef("after the nested array"));
}

TEST(Gguf, PlacesTensors) {
  GgufBuilder builder;
  builder.alignment = 64;
  builder.version = 2;
  builder.u32("general.alignment", 64).tensor("b", {32, 3}, 8).tensor("a", {5});
  std::string bytes = builder.build();
  bytes[bytes.size() - 64] = 42; // the first byte of "a"
  llvm::Expected<GgufFile> file = parseGguf("m.gguf", bytesOf(bytes));
  ASSERT_TRUE(bool(file)) << llvm::toString(file.takeError());
  ASSERT_EQ(file->tensors.size(), 2u);
  const Tensor &b = file->tensors[0], &a = file->tensors[1];
  EXPECT_EQ(b.name, "b");
  EXPECT_EQ(b.type, DType::Q8_0);
  EXPECT_THAT(b.shape, ElementsAre(3, 32)); // rows first
  EXPECT_EQ(b.bytes.size(), 3u * 34);
  EXPECT_EQ(b.rowBytes(), 34u);
  EXPECT_EQ(b.offset % 64, 0u);
  EXPECT_EQ(a.bytes.size(), 20u);
  EXPECT_EQ(a.bytes[0], 42);
  EXPECT_EQ(a.offset, bytes.size() - 64);
}

struct Damage {
  const char *message; ///< that the error must contain
  std::string bytes;
};

std::vector<Damage> damages() {
  GgufBuilder good = tinyGguf("gemma");
  auto with = [&](auto change) {
    GgufBuilder copy = good;
    change(copy);
    return copy.build();
  };
  using B = GgufBuilder &;
  return {
      {"magic number", with([](B b) { b.magic = "GGML"; })},
      {"truncated in the header", good.build().substr(0, 20)},
      {"version 1 is not supported", with([](B b) { b.version = 1; })},
      {"version 4 is not supported", with([](B b) { b.version = 4; })},
      {"big-endian", with([](B b) { b.version = 0x03000000; })},
      {"keys in a file of this size", with([](B b) { b.extraKeys = uint64_t(1) << 60; })},
      {"tensors in a file of this size", with([](B b) { b.extraTensors = uint64_t(1) << 60; })},
      {"truncated in", good.header().substr(0, good.header().size() - 10)},
      {"key 'k': value type 13 is unknown",
       with([](B b) { b.key("k", static_cast<GgufType>(13), ""); })},
      {"key 'k': value type 99 is unknown",
       with([](B b) { b.array("k", static_cast<GgufType>(99), 0, ""); })},
      {"key 'k': an array of", with([](B b) {
         b.array("k", GgufType::UInt64, uint64_t(1) << 61, ""); // times 8 overflows
       })},
      {"key 'k': an array of",
       with([](B b) { b.array("k", GgufType::String, uint64_t(1) << 40, ""); })},
      {"nest too deeply", with([](B b) {
         std::string value;
         for (int i = 0; i < 40; ++i)
           value += raw(static_cast<uint32_t>(GgufType::Array)) + raw<uint64_t>(1);
         b.key("k", GgufType::Array, value);
       })},
      {"truncated in key 'k'",
       with([](B b) { b.key("k", GgufType::String, raw<uint64_t>(UINT64_MAX)); })},
      {"'general.alignment': expected a power of two",
       with([](B b) { b.u32("general.alignment", 24); })},
      {"'general.alignment': expected a power of two",
       with([](B b) { b.u32("general.alignment", 0); })},
      {"'general.alignment': expected a power of two",
       with([](B b) { b.string("general.alignment", "32"); })},
      {"tensor 't': expected at most 4 dimensions but got 5",
       with([](B b) { b.tensorAt("t", {1, 1, 1, 1, 1}, 0, b.dataBytes); })},
      {"tensor 't': dimension", with([](B b) { b.tensorAt("t", {UINT64_MAX}, 0, b.dataBytes); })},
      {"tensor 't': its size overflows",
       with([](B b) { b.tensorAt("t", {uint64_t(1) << 40, uint64_t(1) << 40}, 0, b.dataBytes); })},
      {"tensor 't': type number 4 is unknown",
       with([](B b) { b.tensorAt("t", {8}, 4, b.dataBytes); })},
      {"tensor 't': expected rows of a multiple of 32 elements for type Q8_0 but got 8",
       with([](B b) { b.tensorAt("t", {8}, 8, b.dataBytes); })},
      {"tensor 't': its offset 1 is not a multiple of 32",
       with([](B b) { b.tensorAt("t", {8}, 0, 1); })},
      {"tensor 't': the file is truncated",
       with([](B b) { b.tensorAt("t", {8}, 0, b.dataBytes); })},
      {"tensor 't': the file is truncated",
       with([](B b) { b.tensorAt("t", {8}, 0, UINT64_MAX - 31); })},
      {"its data overlaps another tensor's", with([](B b) { b.tensorAt("t", {8}, 0, 0); })},
      {"the file is truncated", good.build().substr(0, good.build().size() - 65)},
  };
}

TEST(Gguf, DamagedFiles) {
  EXPECT_EQ(errorOf(tinyGguf("gemma").build()), "");
  for (const Damage &damage : damages()) {
    std::string error = errorOf(damage.bytes);
    EXPECT_THAT(error, HasSubstr(damage.message));
    EXPECT_EQ(error.rfind("m.gguf: ", 0), 0u) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST(Gguf, EveryTruncationIsAnError) {
  std::string bytes = tinyGguf("gemma3").strings("tokenizer.ggml.tokens", {"a", "b"}).build();
  for (size_t size = 0; size + 64 <= bytes.size(); ++size)
    ASSERT_NE(errorOf(bytes.substr(0, size)), "") << "the first " << size << " bytes";
}

TEST(Gguf, AKeyMayOccurOnlyOnce) {
  GgufBuilder builder;
  builder.u32("k", 1);
  std::string bytes = builder.build(), again = builder.header().substr(24);
  bytes = builder.header() + again;
  bytes[16] = 2; // the count of keys
  EXPECT_THAT(errorOf(bytes), HasSubstr("key 'k' occurs twice"));
}

} // namespace
