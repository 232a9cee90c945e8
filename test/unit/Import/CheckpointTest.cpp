//===- CheckpointTest.cpp - Opening whatever holds a model ----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Kinds of input, symbolic links, replaced configurations, and refusals.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Checkpoint.h"
#include "FileBuilders.h"
#include "llvm/Support/FileSystem.h"
#include "gmock/gmock.h"

using namespace rlx;
using namespace rlx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

const char emptyTensors[] = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";

class CheckpointTest : public ::testing::Test {
protected:
  Checkpoint open(const std::string &name, CheckpointOptions options = {}) {
    llvm::Expected<Checkpoint> checkpoint = openCheckpoint(folder.path(name), options);
    if (checkpoint)
      return std::move(*checkpoint);
    ADD_FAILURE() << llvm::toString(checkpoint.takeError());
    return {};
  }
  std::string errorOf(const std::string &name, CheckpointOptions options = {}) {
    llvm::Expected<Checkpoint> checkpoint = openCheckpoint(folder.path(name), options);
    return checkpoint ? "" : llvm::toString(checkpoint.takeError());
  }
  void writeModel(const std::string &where) {
    folder.write(where + "/config.json", R"({"model_type": "gemma2"})");
    folder.write(where + "/model.safetensors", safetensors(emptyTensors, "abcd"));
  }
  void link(const std::string &target, const std::string &name) {
    ASSERT_FALSE(llvm::sys::fs::create_link(folder.path(target), folder.path(name)));
  }
  TemporaryFolder folder;
};

TEST_F(CheckpointTest, Folder) {
  writeModel("gemma-x");
  folder.write("gemma-x/generation_config.json", R"({"eos_token_id": [1, 107]})");
  folder.write("gemma-x/tokenizer_config.json", R"({"chat_template": "from config"})");
  folder.write("gemma-x/tokenizer.model", "x");
  Checkpoint checkpoint = open("gemma-x");
  EXPECT_EQ(checkpoint.kind, InputKind::HuggingFaceFolder);
  EXPECT_EQ(checkpoint.config.name, "gemma-x");
  EXPECT_EQ(checkpoint.folder, folder.path("gemma-x"));
  EXPECT_THAT(checkpoint.config.eosTokens, ElementsAre(1, 107));
  EXPECT_EQ(checkpoint.config.chatTemplate, "from config");
  EXPECT_EQ(checkpoint.tokenizerFile, folder.path("gemma-x/tokenizer.model"));
  EXPECT_TRUE(checkpoint.weights->contains("w"));
  // A template in a file of its own wins.
  folder.write("gemma-x/chat_template.json", R"({"chat_template": "from json"})");
  EXPECT_EQ(open("gemma-x").config.chatTemplate, "from json");
  folder.write("gemma-x/chat_template.jinja", "from jinja");
  EXPECT_EQ(open("gemma-x/").config.chatTemplate, "from jinja");
}

TEST_F(CheckpointTest, FilesByContent) {
  writeModel("m");
  folder.write("m/index", R"( {"weight_map": {"w": "model.safetensors"}})");
  Checkpoint index = open("m/index");
  EXPECT_EQ(index.kind, InputKind::SafetensorsIndex);
  EXPECT_TRUE(index.weights->contains("w"));
  EXPECT_EQ(open("m/model.safetensors").kind, InputKind::Safetensors);
  folder.write("m/weights", tinyGguf("gemma3").build());
  Checkpoint gguf = open("m/weights");
  EXPECT_EQ(gguf.kind, InputKind::Gguf);
  EXPECT_EQ(gguf.config.architecture, "gemma3");
  EXPECT_EQ(gguf.config.name, "weights");
}

TEST_F(CheckpointTest, FolderWithOneGguf) {
  folder.write("g/model-f32.gguf", tinyGguf("gemma").build());
  EXPECT_EQ(open("g").kind, InputKind::Gguf);
  folder.write("g/model-f16.gguf", tinyGguf("gemma").build());
  EXPECT_THAT(errorOf("g"), HasSubstr("there are 2 weight files"));
}

TEST_F(CheckpointTest, ThroughSymbolicLinks) {
  // The layout of a download cache: names are links to blobs without names.
  writeModel("blobs");
  llvm::sys::fs::create_directories(folder.path("snapshot"));
  link("blobs/config.json", "snapshot/config.json");
  link("blobs/model.safetensors", "snapshot/model.safetensors");
  EXPECT_EQ(open("snapshot").config.architecture, "gemma2");
  // A link to the weights alone finds what lies beside its target.
  link("snapshot/model.safetensors", "alone");
  EXPECT_EQ(open("alone").config.architecture, "gemma2");
  link("blobs", "folder");
  EXPECT_EQ(open("folder").kind, InputKind::HuggingFaceFolder);
}

TEST_F(CheckpointTest, ReplacedConfig) {
  writeModel("m");
  CheckpointOptions options;
  options.configFile = folder.write("other.json", R"({"model_type": "gemma"})");
  EXPECT_EQ(open("m", options).config.architecture, "gemma");
  folder.write("m.gguf", tinyGguf("gemma").build());
  EXPECT_THAT(errorOf("m.gguf", options), HasSubstr("--config cannot replace it"));
  options.configFile = folder.path("none.json");
  EXPECT_THAT(errorOf("m", options), HasSubstr("none.json: cannot be read"));
}

TEST_F(CheckpointTest, Refusals) {
  EXPECT_THAT(errorOf("nothing"), HasSubstr("nothing: cannot be read: "));
  folder.write("empty", "");
  EXPECT_THAT(errorOf("empty"), HasSubstr("empty: the file is empty"));
  folder.write("text", "hello");
  EXPECT_THAT(errorOf("text"), HasSubstr("the content is none of them"));
  folder.write("config.json", R"({"model_type": "gemma"})");
  EXPECT_THAT(errorOf("config.json"), HasSubstr("not an index of weights"));
  EXPECT_THAT(errorOf(""), HasSubstr("there is none"));
  folder.write("alone/model.safetensors", safetensors(emptyTensors, "abcd"));
  EXPECT_THAT(errorOf("alone"), HasSubstr("there is no config.json beside it"));
  EXPECT_THAT(llvm::toString(openCheckpoint("/dev/null").takeError()),
              HasSubstr("/dev/null: expected a regular file"));
}

TEST_F(CheckpointTest, NamesMustNotBreakTheManifest) {
  writeModel("m\xff");
  EXPECT_EQ(open("m\xff").config.name, "model");
  folder.write("m\xff/chat_template.jinja", "\xc3");
  EXPECT_THAT(errorOf("m\xff"), HasSubstr("chat_template.jinja: expected text in UTF-8"));
}

TEST_F(CheckpointTest, NotesAnUnusedTokenizer) {
  writeModel("m");
  folder.write("m/tokenizer.json", "{}");
  Checkpoint checkpoint = open("m");
  EXPECT_EQ(checkpoint.tokenizerFile, "");
  EXPECT_THAT(checkpoint.notes, ElementsAre(HasSubstr("tokenizer.json is not read")));
}

} // namespace
