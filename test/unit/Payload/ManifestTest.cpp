//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The manifest has the keys that the runtime and people read.

#include "rlx/Payload/Manifest.h"
#include <gtest/gtest.h>

using namespace rlx;

namespace {

ModelManifest example() {
  ModelManifest manifest;
  manifest.model = {{"architecture", "gemma3"}, {"eos_token_ids", {1, 106}}};
  manifest.options = {{"quantize", "q8_0"}};
  ManifestCode code;
  code.entry = "code/x86-64-v3.so";
  code.target = "x86-64-v3";
  code.cpuFeatures = {"avx2", "fma"};
  code.sha256 = std::string(64, 'a');
  manifest.code = {code};
  manifest.weights = {"weights.bin", 4096, std::string(64, 'b')};
  manifest.maxContext = 512;
  manifest.chunk = 128;
  manifest.kvType = "f16";
  manifest.variants = {{"generic", "prefill", 1, 128, 0, 511}};
  return manifest;
}

} // namespace

TEST(ManifestTest, HasEveryKey) {
  nlohmann::json json = nlohmann::json::parse(writeManifest(example()));
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["compiler"]["name"], "rlx-compile");
  EXPECT_EQ(json["model"]["eos_token_ids"], nlohmann::json({1, 106}));
  EXPECT_EQ(json["options"]["quantize"], "q8_0");
  EXPECT_EQ(json["code"][0]["entry"], "code/x86-64-v3.so");
  EXPECT_EQ(json["code"][0]["cpu_features"], nlohmann::json({"avx2", "fma"}));
  EXPECT_EQ(json["weights"]["bytes"], 4096);
  EXPECT_TRUE(json["tokenizer"].is_null());
  EXPECT_TRUE(json["turn_format"].is_null());
  EXPECT_FALSE(json.contains("mtp"));
  EXPECT_EQ(json["generation"], nlohmann::json::object());
  EXPECT_EQ(json["chunk"], 128);
  EXPECT_EQ(json["variants"][0]["past"], nlohmann::json({0, 511}));
}

TEST(ManifestTest, StartsWithTheFormatAndSurvivesBadText) {
  ModelManifest manifest = example();
  manifest.model["name"] = "\xff\xfe";
  manifest.tokenizer = ManifestEntry{"tokenizer.bin", 7, std::string(64, 'c')};
  std::string text = writeManifest(manifest);
  EXPECT_EQ(text.find("\"format\""), 4u);
  EXPECT_EQ(nlohmann::json::parse(text)["tokenizer"]["entry"], "tokenizer.bin");
  EXPECT_EQ(text, writeManifest(manifest));
}

TEST(ManifestTest, HashesAreLowerCaseHexadecimal) {
  EXPECT_EQ(sha256Text({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
