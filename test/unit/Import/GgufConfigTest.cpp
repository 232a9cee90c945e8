//===- GgufConfigTest.cpp - GGUF metadata to a model description ----------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// What the keys mean, what holds where they are silent, and bad values.
//===----------------------------------------------------------------------===//
#include "FileBuilders.h"
#include "rlx/Import/Gguf.h"
#include "gmock/gmock.h"
#include <cmath>

using namespace rlx;
using namespace rlx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

llvm::Expected<ModelConfig> read(const std::string &bytes, std::vector<std::string> &notes) {
  llvm::Expected<GgufFile> file = parseGguf("m.gguf", bytesOf(bytes));
  if (!file)
    return file.takeError();
  return readGgufConfig("m.gguf", *file, notes);
}

llvm::Expected<ModelConfig> read(const std::string &bytes) {
  std::vector<std::string> notes;
  return read(bytes, notes);
}

ModelConfig config(const GgufBuilder &builder, std::vector<std::string> notes = {}) {
  std::vector<std::string> found;
  llvm::Expected<ModelConfig> result = read(builder.build(), found);
  EXPECT_EQ(found, notes);
  if (result)
    return *result;
  ADD_FAILURE() << llvm::toString(result.takeError());
  return tinyConfig("gemma");
}

TEST(GgufConfig, Gemma1) {
  ModelConfig model = config(tinyGguf("gemma").string("general.name", "tiny"));
  EXPECT_EQ(model.name, "tiny");
  EXPECT_EQ(model.naming, TensorNaming::Gguf);
  EXPECT_EQ(model.normGain, NormGain::Plain);
  EXPECT_EQ(model.vocabSize, 6);
  EXPECT_EQ(model.maxPositions, 32);
  EXPECT_NEAR(model.normEpsilon, 1e-6, 1e-12);
  EXPECT_TRUE(model.tieEmbeddings);
  EXPECT_EQ(model.layers[0].kind, LayerKind::Global); // the window's key is not Gemma 1's
  EXPECT_EQ(model.layers[0].headDim, 4);              // hidden size / heads
  EXPECT_EQ(model.layers[0].scoreScale, 0.5);
  EXPECT_EQ(model.layers[0].rope.base, 10000);
  EXPECT_FALSE(model.layers[0].scoreSoftCap);
}

TEST(GgufConfig, Gemma2SuppliesWhatFilesLeaveOut) {
  ModelConfig model = config(tinyGguf("gemma2", 3).without("gemma2.attention.sliding_window"));
  EXPECT_EQ(model.finalSoftCap, 30.0);
  EXPECT_EQ(model.layers[0].scoreSoftCap, 50.0);
  EXPECT_EQ(model.layers[0].window, 4096);
  EXPECT_EQ(model.layers[1].window, 0);
  EXPECT_EQ(model.layers[2].window, 4096);
  model = config(tinyGguf("gemma2")
                     .f32("gemma2.attn_logit_softcapping", 0)
                     .f32("gemma2.final_logit_softcapping", 20));
  EXPECT_FALSE(model.layers[0].scoreSoftCap);
  EXPECT_EQ(model.finalSoftCap, 20.0);
}

TEST(GgufConfig, Gemma3Rope) {
  ModelConfig model = config(tinyGguf("gemma3", 6)
                                 .f32("gemma3.rope.freq_base", 1e6f)
                                 .string("gemma3.rope.scaling.type", "linear")
                                 .f32("gemma3.rope.scaling.factor", 8));
  EXPECT_EQ(model.layers[4].window, 4);
  EXPECT_EQ(model.layers[4].rope.base, 1e4);
  EXPECT_EQ(model.layers[4].rope.scaling.kind, RopeScalingKind::None);
  EXPECT_EQ(model.layers[5].window, 0);
  EXPECT_EQ(model.layers[5].rope.base, 1e6);
  EXPECT_EQ(model.layers[5].rope.scaling.kind, RopeScalingKind::Linear);
  EXPECT_EQ(model.layers[5].rope.scaling.factor, 8);
  EXPECT_TRUE(model.layers[5].queryKeyNorm);
  EXPECT_FALSE(model.finalSoftCap);
  model = config(tinyGguf("gemma3").f32("gemma3.rope.freq_base_swa", 123));
  EXPECT_EQ(model.layers[0].rope.base, 123);
}

// Ollama's converter has other names for the bases, and no key where its program
// supplies the value.
TEST(GgufConfig, Gemma3ByOllama) {
  auto builder = [] {
    return tinyGguf("gemma3", 6)
        .without("gemma3.attention.layer_norm_rms_epsilon")
        .strings("tokenizer.ggml.tokens", {"a", "b", "c", "d", "e", "f"});
  };
  ModelConfig model = config(builder());
  EXPECT_EQ(model.normEpsilon, 1e-6);
  EXPECT_EQ(model.layers[0].rope.base, 1e4);
  EXPECT_EQ(model.layers[5].rope.base, 1e6);
  EXPECT_EQ(model.layers[5].rope.scaling.kind, RopeScalingKind::None);
  model = config(
      builder().f32("gemma3.rope.local.freq_base", 123).f32("gemma3.rope.global.freq_base", 456));
  EXPECT_EQ(model.layers[0].rope.base, 123);
  EXPECT_EQ(model.layers[5].rope.base, 456);
  model = config(builder()
                     .f32("gemma3.rope.global.freq_base", 456)
                     .f32("gemma3.rope.freq_base", 789)
                     .f32("gemma3.final_logit_softcapping", 20));
  EXPECT_EQ(model.layers[5].rope.base, 789);
  EXPECT_EQ(model.finalSoftCap, 20.0);
}

TEST(GgufConfig, WhatIsReadOtherwiseThanAFileByOllamaSaysIsNoted) {
  auto builder = [] {
    return tinyGguf("gemma3", 6).without("gemma3.attention.layer_norm_rms_epsilon");
  };
  ModelConfig model =
      config(builder().u32("gemma3.context_length", 131072),
             {"m.gguf: says nothing of rope scaling, as files by Ollama do: the global layers are "
              "scaled by 8, as Gemma 3 of this context is"});
  EXPECT_EQ(model.layers[0].rope.scaling.kind, RopeScalingKind::None);
  EXPECT_EQ(model.layers[5].rope.scaling.kind, RopeScalingKind::Linear);
  EXPECT_EQ(model.layers[5].rope.scaling.factor, 8);
  model = config(
      builder().u32("gemma3.context_length", 131072).string("gemma3.rope.scaling.type", "none"));
  EXPECT_EQ(model.layers[5].rope.scaling.kind, RopeScalingKind::None);
  model = config(
      builder().f32("gemma3.rope.global.freq_base", 1e6f).f32("gemma3.final_logit_softcapping", 30),
      {"m.gguf: key 'gemma3.final_logit_softcapping' is left aside: early files by "
       "Ollama have a cap of 30 where the model has none"});
  EXPECT_FALSE(model.finalSoftCap);
  model =
      config(builder().strings("tokenizer.ggml.tokens", {"a", "b", "c", "d", "e", "f", "<image>"}),
             {"m.gguf: the last 1 of 7 pieces have no embedding and are left out"});
  EXPECT_EQ(model.vocabSize, 6);
}

TEST(GgufConfig, SlidingPatterns) {
  auto kinds = [](const ModelConfig &model) {
    std::string text;
    for (const LayerConfig &layer : model.layers)
      text += layer.kind == LayerKind::Sliding ? 'S' : 'G';
    return text;
  };
  EXPECT_EQ(kinds(config(tinyGguf("gemma3", 7))), "SSSSSGS");
  EXPECT_EQ(kinds(config(tinyGguf("gemma2", 4))), "SGSG");
  std::string key = "gemma3.attention.sliding_window_pattern";
  EXPECT_EQ(kinds(config(tinyGguf("gemma3", 4).u32(key, 2))), "SGSG");
  EXPECT_EQ(kinds(config(tinyGguf("gemma3", 2).u32(key, 1))), "GG");
  EXPECT_EQ(kinds(config(tinyGguf("gemma3", 2).u32(key, 0))), "SS");
  EXPECT_EQ(
      kinds(config(tinyGguf("gemma3", 3).array(key, GgufType::Bool, 3, std::string("\1\0\1", 3)))),
      "SGS");
  EXPECT_EQ(kinds(config(tinyGguf("gemma3", 2).without("gemma3.attention.sliding_window"))), "GG");
}

// The query scale of the largest models comes from the size of the embedding.
TEST(GgufConfig, ScoreScaleOf27B) {
  auto scale = [](const std::string &arch, int layers) {
    return config(tinyGguf(arch, layers)
                      .u32(arch + ".attention.key_length", 2)
                      .u32(arch + ".attention.value_length", 2))
        .layers[0]
        .scoreScale;
  };
  EXPECT_DOUBLE_EQ(scale("gemma2", 46), 1 / std::sqrt(4.0));
  EXPECT_DOUBLE_EQ(scale("gemma2", 45), 1 / std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(scale("gemma3", 62), 1 / std::sqrt(4.0));
  EXPECT_DOUBLE_EQ(scale("gemma3", 46), 1 / std::sqrt(2.0));
}

TEST(GgufConfig, PerLayerArrays) {
  ModelConfig model = config(tinyGguf("gemma", 2)
                                 .array("gemma.attention.head_count_kv", GgufType::UInt32, 2,
                                        raw<uint32_t>(1) + raw<uint32_t>(2))
                                 .array("gemma.feed_forward_length", GgufType::Int32, 2,
                                        raw<int32_t>(16) + raw<int32_t>(24)));
  EXPECT_EQ(model.layers[1].kvHeads, 2);
  EXPECT_EQ(model.layers[1].intermediateSize, 24);
}

TEST(GgufConfig, FrequencyFactors) {
  GgufBuilder builder = tinyGguf("gemma3", 6).tensor("rope_freqs.weight", {2});
  std::string bytes = builder.build();
  float factors[] = {1.0f, 4.0f};
  std::memcpy(bytes.data() + bytes.size() - 32, factors, sizeof factors);
  llvm::Expected<ModelConfig> model = read(bytes);
  ASSERT_TRUE(bool(model)) << llvm::toString(model.takeError());
  EXPECT_THAT(model->layers[5].rope.scaling.frequencyFactors, ElementsAre(1.0, 4.0));
  EXPECT_TRUE(model->layers[0].rope.scaling.frequencyFactors.empty());
}

TEST(GgufConfig, TokensAndHead) {
  ModelConfig model =
      config(tinyGguf("gemma")
                 .u32("tokenizer.ggml.bos_token_id", 2)
                 .u32("tokenizer.ggml.eos_token_id", 1)
                 .u32("tokenizer.ggml.eot_token_id", 3)
                 .boolean("tokenizer.ggml.add_bos_token", true)
                 .string("tokenizer.chat_template", "{{ x }}")
                 .strings("tokenizer.ggml.tokens", {"a", "b", "c", "d", "<end_of_turn>", "f"})
                 .tensor("output.weight", {8, 6}));
  EXPECT_EQ(model.bosToken, 2);
  EXPECT_THAT(model.eosTokens, ElementsAre(1, 3, 4));
  EXPECT_EQ(model.addBos, true);
  EXPECT_EQ(model.chatTemplate, "{{ x }}");
  EXPECT_FALSE(model.tieEmbeddings);
}

TEST(GgufConfig, MtpLayersAreNotTheModels) {
  ModelConfig model = config(tinyGguf("gemma", 3).u32("gemma.nextn_predict_layers", 1));
  EXPECT_EQ(model.layers.size(), 2u);
  EXPECT_EQ(model.mtpLayers, 1);
}

TEST(GgufConfig, BadValues) {
  auto gemma = [] { return tinyGguf("gemma"); };
  const std::pair<const char *, GgufBuilder> cases[] = {
      {"key 'general.architecture' is missing", gemma().without("general.architecture")},
      {"architecture 'llama' is not supported", gemma().string("general.architecture", "llama")},
      {"architecture 'gemma4' is not supported", gemma().string("general.architecture", "gemma4")},
      {"key 'general.architecture': expected a string", gemma().u32("general.architecture", 1)},
      {"key 'general.name': expected a string in UTF-8", gemma().string("general.name", "a\xff")},
      {"key 'tokenizer.chat_template': expected a string in UTF-8",
       gemma().string("tokenizer.chat_template", "\xc3")},
      {"key 'general.type': expected a model but got 'adapter'",
       gemma().string("general.type", "adapter")},
      {"one part of a split model", gemma().key("split.count", GgufType::UInt16, raw<uint16_t>(2))},
      {"key 'gemma.embedding_length': is missing", gemma().without("gemma.embedding_length")},
      {"key 'gemma.block_count': expected an integer from 1 to 1024",
       gemma().u32("gemma.block_count", 4000000000u)},
      {"key 'gemma.block_count': expected an integer", gemma().f32("gemma.block_count", 1)},
      {"key 'gemma.attention.head_count': is missing",
       gemma().without("gemma.attention.head_count")},
      {"key 'gemma.attention.head_count': expected an integer from 1",
       gemma().u32("gemma.attention.head_count", 0)},
      {"key 'gemma.attention.head_count_kv': expected 1 sizes, one for each layer",
       gemma().array("gemma.attention.head_count_kv", GgufType::UInt32, 0, "")},
      {"key 'gemma.attention.layer_norm_rms_epsilon': is missing",
       gemma().without("gemma.attention.layer_norm_rms_epsilon")},
      {"expected a positive norm epsilon",
       gemma().f32("gemma.attention.layer_norm_rms_epsilon", 0)},
      {"key 'gemma.attention.layer_norm_rms_epsilon': expected a finite number",
       gemma().f32("gemma.attention.layer_norm_rms_epsilon", NAN)},
      {"key 'gemma.attention.value_length': expected the same",
       gemma().u32("gemma.attention.value_length", 2)},
      {"key 'gemma.rope.dimension_count': expected the same",
       gemma().u32("gemma.rope.dimension_count", 2)},
      {"rope scaling 'yarn' is not supported", gemma().string("gemma.rope.scaling.type", "yarn")},
      {"expected a positive rope base", gemma().f32("gemma.rope.freq_base", -1)},
      {"tensor 'token_embd.weight' is missing", gemma().withoutTensor("token_embd.weight")},
      {"key 'tokenizer.ggml.tokens': expected 6 pieces",
       gemma().strings("tokenizer.ggml.tokens", {"a"})},
      {"key 'tokenizer.ggml.tokens': expected 6 pieces, as token_embd.weight has rows, but got 7",
       tinyGguf("gemma3").strings("tokenizer.ggml.tokens", {"a", "b", "c", "d", "e", "f", "g"})},
      {"expected an EOS token to be below the vocabulary size 6 but got 6",
       gemma().u32("tokenizer.ggml.eos_token_id", 6)},
      {"tensor 'rope_freqs.weight': expected 2 elements of type F32",
       gemma().tensor("rope_freqs.weight", {3})},
      {"positive rope frequency factors", gemma().tensor("rope_freqs.weight", {2})},
      {"key 'gemma.nextn_predict_layers': expected fewer",
       gemma().u32("gemma.nextn_predict_layers", 1)},
      {"sliding_window_pattern': expected 1 flags",
       tinyGguf("gemma2").array("gemma2.attention.sliding_window_pattern", GgufType::Bool, 0, "")},
      {"expected layer 0: attention heads from 1 to 4096",
       gemma().u32("gemma.attention.head_count", 8192)},
  };
  for (const auto &[message, builder] : cases) {
    llvm::Expected<ModelConfig> result = read(builder.build());
    ASSERT_FALSE(bool(result)) << message;
    std::string error = llvm::toString(result.takeError());
    EXPECT_THAT(error, HasSubstr(message));
    EXPECT_EQ(error.rfind("m.gguf: ", 0), 0u) << error;
  }
}

//===----------------------------------------------------------------------===//
// Vocabulary
//===----------------------------------------------------------------------===//

GgufBuilder withVocabulary() {
  return tinyGguf("gemma")
      .string("tokenizer.ggml.model", "llama")
      .strings("tokenizer.ggml.tokens", {"<pad>", "<eos>", "<bos>", "<unk>", "<0x41>", "b"})
      .array("tokenizer.ggml.scores", GgufType::Float32, 6,
             std::string(20, '\0') + raw<float>(-1.5f))
      .array("tokenizer.ggml.token_type", GgufType::Int32, 6,
             raw(3) + raw(3) + raw(3) + raw(2) + raw(6) + raw(1))
      .u32("tokenizer.ggml.bos_token_id", 2)
      .u32("tokenizer.ggml.eos_token_id", 1)
      .u32("tokenizer.ggml.unknown_token_id", 3);
}

llvm::Expected<std::optional<Vocabulary>> vocabularyOf(const GgufBuilder &builder) {
  std::string bytes = builder.build();
  llvm::Expected<GgufFile> file = parseGguf("m.gguf", bytesOf(bytes));
  if (!file)
    return file.takeError();
  return readGgufVocabulary("m.gguf", *file, 6);
}

TEST(GgufVocabulary, ReadsPieces) {
  auto result = vocabularyOf(withVocabulary()
                                 .boolean("tokenizer.ggml.add_space_prefix", false)
                                 .boolean("tokenizer.ggml.add_bos_token", false));
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  ASSERT_TRUE(result->has_value());
  const Vocabulary &vocabulary = **result;
  ASSERT_EQ(vocabulary.pieces.size(), 6u);
  EXPECT_EQ(vocabulary.pieces[4].text, "<0x41>");
  EXPECT_EQ(vocabulary.pieces[4].type, PieceType::Byte);
  EXPECT_EQ(vocabulary.pieces[5].score, -1.5f);
  EXPECT_EQ(vocabulary.bosToken, 2);
  EXPECT_EQ(vocabulary.unknownToken, 3);
  EXPECT_FALSE(vocabulary.addBos);
  EXPECT_FALSE(vocabulary.addSpacePrefix);
  EXPECT_FALSE(vocabulary.addEos);
}

TEST(GgufVocabulary, WritesSpacesOfUserDefinedPiecesAsAllOthers) {
  auto result = vocabularyOf(
      tinyGguf("gemma")
          .string("tokenizer.ggml.model", "llama")
          .strings("tokenizer.ggml.tokens", {"<unk>", "  ", "a ", "\xE2\x96\x81", "c", "d"})
          .array("tokenizer.ggml.scores", GgufType::Float32, 6, std::string(24, '\0'))
          .array("tokenizer.ggml.token_type", GgufType::Int32, 6,
                 raw(2) + raw(4) + raw(1) + raw(1) + raw(1) + raw(1)));
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  EXPECT_EQ((*result)->pieces[1].text, "\xE2\x96\x81\xE2\x96\x81");
  EXPECT_EQ((*result)->pieces[2].text, "a "); // an ordinary piece: as it is
}

TEST(GgufVocabulary, EndsWithTheEmbedding) {
  auto result =
      vocabularyOf(withVocabulary()
                       .strings("tokenizer.ggml.tokens",
                                {"<pad>", "<eos>", "<bos>", "<unk>", "<0x41>", "b", "c"})
                       .array("tokenizer.ggml.scores", GgufType::Float32, 7, std::string(28, '\0'))
                       .array("tokenizer.ggml.token_type", GgufType::Int32, 7,
                              raw(3) + raw(3) + raw(3) + raw(2) + raw(6) + raw(1) + raw(1)));
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  EXPECT_EQ((*result)->pieces.size(), 6u);
  EXPECT_FALSE((*result)->addSpacePrefix); // whatever files leave out
}

TEST(GgufVocabulary, MayBeAbsent) {
  auto result = vocabularyOf(tinyGguf("gemma"));
  ASSERT_TRUE(bool(result)) << llvm::toString(result.takeError());
  EXPECT_FALSE(result->has_value());
}

TEST(GgufVocabulary, BadValues) {
  const std::pair<const char *, GgufBuilder> cases[] = {
      {"model': expected 'llama' (SentencePiece) but got 'gpt2'",
       withVocabulary().string("tokenizer.ggml.model", "gpt2")},
      {"tokens': expected an array of strings", withVocabulary().u32("tokenizer.ggml.tokens", 1)},
      {"scores': expected an array of 6 f32", withVocabulary().without("tokenizer.ggml.scores")},
      {"token_type': expected an array of 6 integers",
       withVocabulary().array("tokenizer.ggml.token_type", GgufType::Int32, 1, raw(1))},
      {"token_type': piece 0: type 9 is unknown",
       withVocabulary().array("tokenizer.ggml.token_type", GgufType::Int8, 6,
                              std::string(6, '\11'))},
      {"scores': piece 1: expected a finite score",
       withVocabulary().array("tokenizer.ggml.scores", GgufType::Float32, 6,
                              raw(0.0f) + raw<float>(NAN) + std::string(16, '\0'))},
      {"bos_token_id': expected an id below 6",
       withVocabulary().u32("tokenizer.ggml.bos_token_id", 6)},
      {"add_bos_token': expected a bool", withVocabulary().u32("tokenizer.ggml.add_bos_token", 1)},
  };
  for (const auto &[message, builder] : cases) {
    auto result = vocabularyOf(builder);
    ASSERT_FALSE(bool(result)) << message;
    std::string error = llvm::toString(result.takeError());
    EXPECT_THAT(error, HasSubstr(message));
    EXPECT_EQ(error.rfind("m.gguf: key 'tokenizer.ggml.", 0), 0u) << error;
  }
}

} // namespace
