//===- ModelTensorsTest.cpp - Tensors that form a model, or do not --------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Missing, extra and wrong tensors; tied heads; multi-token-prediction heads.
//===----------------------------------------------------------------------===//
#include "FileBuilders.h"
#include "mlir/IR/MLIRContext.h"
#include "rlx/Import/Checkpoint.h"
#include "rlx/Import/ImportModel.h"
#include "gmock/gmock.h"

using namespace rlx;
using namespace rlx::testing;
using ::testing::HasSubstr;

namespace {

class ModelTensorsTest : public ::testing::Test {
protected:
  ModelTensorsTest() : context(mlir::MLIRContext::Threading::DISABLED) {}

  std::string import(WeightSource &source, const ModelConfig &config, ImportOptions options = {}) {
    auto module = importModel(context, source, config, options);
    if (!module)
      return llvm::toString(module.takeError());
    EXPECT_TRUE(source.withUse(TensorUse::Unused).empty());
    text.clear();
    llvm::raw_string_ostream os(text);
    (*module)->print(os);
    return "";
  }
  /// Imports a model with `extra` tensors of zeros.
  std::string importWith(const std::vector<std::string> &extra, ImportOptions options = {}) {
    InMemoryWeightSource source("in.memory");
    addTensors(config, source);
    for (const std::string &name : extra)
      llvm::cantFail(source.addTensor(name, {6, 8}, std::vector<float>(48)));
    return import(source, config, options);
  }

  mlir::MLIRContext context;
  ModelConfig config = tinyConfig("gemma3");
  std::string text;
};

TEST_F(ModelTensorsTest, EveryArchitectureFromMemory) {
  for (const char *arch : {"gemma", "gemma2", "gemma3"}) {
    config = tinyConfig(arch, 2);
    EXPECT_EQ(importWith({}), "");
    EXPECT_THAT(text, HasSubstr("file = \"<memory>\""));
  }
}

TEST_F(ModelTensorsTest, MissingTensor) {
  config.layers.push_back(config.layers[0]);
  InMemoryWeightSource source("in.memory");
  addTensors(tinyConfig("gemma3"), source);
  EXPECT_EQ(import(source, config),
            "in.memory: tensor 'model.layers.1.input_layernorm.weight' is missing");
}

TEST_F(ModelTensorsTest, ExtraTensor) {
  EXPECT_EQ(importWith({"model.layers.0.surprise.weight"}),
            "<memory>: tensor 'model.layers.0.surprise.weight' is not part of a gemma3 model with "
            "1 layers");
}

TEST_F(ModelTensorsTest, WrongShape) {
  InMemoryWeightSource source("in.memory");
  addTensors(config, source);
  config.vocabSize = 7;
  EXPECT_EQ(import(source, config), "<memory>: tensor 'model.embed_tokens.weight': expected shape "
                                    "[7, 8] but got [6, 8]");
}

TEST_F(ModelTensorsTest, QuantisedNorm) {
  config.hiddenSize = 32;
  InMemoryWeightSource plain("plain"), source("in.memory");
  addTensors(config, plain);
  for (size_t i = 0; i < plain.size(); ++i) {
    bool norm = plain[i].name == "model.norm.weight";
    llvm::cantFail(source.addTensor(plain[i].name, norm ? DType::Q8_0 : DType::F32, plain[i].shape,
                                    norm ? std::vector<uint8_t>(34) : plain[i].bytes.vec()));
  }
  EXPECT_EQ(import(source, config), "<memory>: tensor 'model.norm.weight': expected a norm of type "
                                    "F32, F16 or BF16 but got Q8_0");
}

TEST_F(ModelTensorsTest, SkippedTensors) {
  EXPECT_EQ(
      importWith({"model.layers.0.self_attn.rotary_emb.inv_freq", "vision_tower.patch.weight"}),
      "");
}

TEST_F(ModelTensorsTest, PrefixesOfMultimodalModels) {
  for (const char *prefix : {"language_model.model.", "model.language_model.", ""}) {
    InMemoryWeightSource plain("plain"), source("in.memory");
    addTensors(config, plain);
    for (size_t i = 0; i < plain.size(); ++i) {
      llvm::StringRef name = plain[i].name;
      name.consume_front("model.");
      llvm::cantFail(source.addTensor((prefix + name).str(), DType::F32, plain[i].shape,
                                      plain[i].bytes.vec()));
    }
    EXPECT_EQ(import(source, config), "") << prefix;
  }
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

TEST_F(ModelTensorsTest, UntiedHead) {
  config.tieEmbeddings = false;
  EXPECT_EQ(importWith({"lm_head.weight"}), "");
  EXPECT_THAT(text, HasSubstr("rlx.weight @head"));
  EXPECT_THAT(text, HasSubstr(", @head :"));
  EXPECT_EQ(importWith({}), "in.memory: tensor 'lm_head.weight' is missing");
}

TEST_F(ModelTensorsTest, TiedHeadMayRepeatTheEmbedding) {
  EXPECT_EQ(importWith({"lm_head.weight"}), "");
  EXPECT_THAT(text, ::testing::Not(HasSubstr("rlx.weight @head")));
  // Another type, the same values.
  InMemoryWeightSource source("in.memory");
  addTensors(config, source);
  llvm::cantFail(source.addTensor("lm_head.weight", DType::BF16, {6, 8}, std::vector<uint8_t>(96)));
  EXPECT_EQ(import(source, config), "");
}

TEST_F(ModelTensorsTest, TiedHeadMustNotDiffer) {
  InMemoryWeightSource source("in.memory");
  addTensors(config, source);
  std::vector<float> values(48);
  values[47] = 1;
  llvm::cantFail(source.addTensor("lm_head.weight", {6, 8}, values));
  EXPECT_THAT(import(source, config), HasSubstr("tensor 'lm_head.weight': expected it to equal "
                                                "'model.embed_tokens.weight'"));
}

//===----------------------------------------------------------------------===//
// MTP
//===----------------------------------------------------------------------===//

TEST_F(ModelTensorsTest, MtpStaysOutUnlessAsked) {
  ImportOptions include;
  include.includeMtp = true;
  for (const char *name : {"mtp.layers.0.proj.weight", "nextn.proj.weight", "model.mtp.norm"}) {
    EXPECT_EQ(importWith({name}), "");
    EXPECT_THAT(text, ::testing::Not(HasSubstr(name)));
    EXPECT_EQ(importWith({name}, include), "");
    EXPECT_THAT(text, HasSubstr("rlx.mtp = [#rlx.source<"));
    EXPECT_THAT(text, HasSubstr(name));
  }
  EXPECT_THAT(importWith({}, include), HasSubstr("in.memory: there are no multi-token-prediction"));
}

TEST_F(ModelTensorsTest, MtpLayersOfGguf) {
  TemporaryFolder folder;
  std::string path = folder.write("m.gguf", tinyGguf("gemma2", 2)
                                                .u32("gemma2.nextn_predict_layers", 1)
                                                .tensor("blk.1.nextn.eh_proj.weight", {16, 8})
                                                .build());
  ImportOptions include;
  include.includeMtp = true;
  llvm::Expected<Checkpoint> checkpoint = openCheckpoint(path);
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  EXPECT_EQ(import(*checkpoint->weights, checkpoint->config, include), "");
  EXPECT_EQ(checkpoint->weights->withUse(TensorUse::Mtp).size(), 12u);
  EXPECT_THAT(text, HasSubstr("tensor = \"blk.1.attn_q.weight\""));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("layers.1.")));
}

TEST_F(ModelTensorsTest, UnsupportedTypesAreRefusedByName) {
  TemporaryFolder folder;
  GgufBuilder builder = tinyGguf("gemma").withoutTensor("token_embd.weight");
  builder.u32("gemma.embedding_length", 256).tensor("token_embd.weight", {256, 6}, 16);
  std::string path = folder.write("m.gguf", builder.build());
  llvm::Expected<Checkpoint> checkpoint = openCheckpoint(path);
  ASSERT_TRUE(bool(checkpoint)) << llvm::toString(checkpoint.takeError());
  EXPECT_THAT(import(*checkpoint->weights, checkpoint->config),
              HasSubstr("tensor 'token_embd.weight' has type IQ2_XXS, which is not supported"));
}

TEST_F(ModelTensorsTest, ContextWithinTheCheckpoints) {
  ImportOptions options;
  options.maxContext = 33;
  EXPECT_EQ(importWith({}, options), "expected a context of 1 to 32 positions, as in.memory "
                                     "allows, but got 33");
}

TEST(InMemoryWeightSource, ChecksSizes) {
  InMemoryWeightSource source;
  EXPECT_THAT(llvm::toString(source.addTensor("a", {3}, {1.0f, 2.0f})),
              HasSubstr("tensor 'a': expected 12 bytes but got 8"));
  EXPECT_THAT(llvm::toString(source.addTensor("q", DType::Q4_0, {1, 31}, {})),
              HasSubstr("expected rows of a multiple of 32 elements for type q4_0 but got 31"));
  llvm::cantFail(source.addTensor("a", {2}, {1.0f, 2.0f}));
  EXPECT_THAT(llvm::toString(source.addTensor("a", {2}, {1.0f, 2.0f})),
              HasSubstr("tensor 'a' occurs twice"));
}

} // namespace
