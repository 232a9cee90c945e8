//===- HfConfigTest.cpp - Hugging Face's JSON files -----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Defaults of each class, every key that matters, and a table of bad values.
//===----------------------------------------------------------------------===//
#include "rlx/Import/HfConfig.h"
#include "rlx/Import/Checkpoint.h"
#include "gmock/gmock.h"
#include <cmath>
#include <nlohmann/json.hpp>

using namespace rlx;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

ModelConfig parse(const std::string &text) {
  llvm::Expected<ModelConfig> config = parseHfConfig("config.json", text);
  if (config)
    return *config;
  ADD_FAILURE() << llvm::toString(config.takeError());
  return {};
}

std::string errorOf(const std::string &text) {
  llvm::Expected<ModelConfig> config = parseHfConfig("config.json", text);
  return config ? "" : llvm::toString(config.takeError());
}

TEST(HfConfig, DefaultsOfGemma1) {
  ModelConfig config = parse(R"({"model_type": "gemma"})");
  EXPECT_EQ(config.architecture, "gemma");
  EXPECT_EQ(config.vocabSize, 256000);
  EXPECT_EQ(config.hiddenSize, 3072);
  EXPECT_EQ(config.maxPositions, 8192);
  EXPECT_EQ(config.layers.size(), 28u);
  EXPECT_EQ(config.normEpsilon, 1e-6);
  EXPECT_TRUE(config.tieEmbeddings);
  EXPECT_EQ(config.normGain, NormGain::OnePlus);
  EXPECT_DOUBLE_EQ(config.embeddingScale, std::sqrt(3072.0));
  EXPECT_EQ(config.bosToken, 2);
  EXPECT_EQ(config.padToken, 0);
  EXPECT_THAT(config.eosTokens, ElementsAre(1));
  const LayerConfig &layer = config.layers[27];
  EXPECT_EQ(layer.kind, LayerKind::Global);
  EXPECT_EQ(layer.heads, 16);
  EXPECT_EQ(layer.kvHeads, 16);
  EXPECT_EQ(layer.headDim, 256);
  EXPECT_EQ(layer.intermediateSize, 24576);
  EXPECT_EQ(layer.scoreScale, 1.0 / 16);
  EXPECT_EQ(layer.rope.base, 10000);
  EXPECT_EQ(layer.rope.dim, 256);
  EXPECT_EQ(layer.kvSlot, 27);
  EXPECT_FALSE(layer.scoreSoftCap || layer.queryKeyNorm || layer.postAttentionNorm);
}

TEST(HfConfig, DefaultsOfGemma2) {
  ModelConfig config = parse(R"({"model_type": "gemma2"})");
  EXPECT_EQ(config.hiddenSize, 2304);
  EXPECT_EQ(config.layers.size(), 26u);
  EXPECT_EQ(config.finalSoftCap, 30.0);
  EXPECT_EQ(config.layers[0].kind, LayerKind::Sliding);
  EXPECT_EQ(config.layers[0].window, 4096);
  EXPECT_EQ(config.layers[1].kind, LayerKind::Global);
  EXPECT_EQ(config.layers[1].window, 0);
  EXPECT_EQ(config.layers[1].kvHeads, 4);
  EXPECT_EQ(config.layers[1].scoreSoftCap, 50.0);
  EXPECT_TRUE(config.layers[1].postAttentionNorm && config.layers[1].postFeedForwardNorm);
  EXPECT_FALSE(config.layers[1].queryKeyNorm);
}

TEST(HfConfig, DefaultsOfGemma3) {
  // As published: the outer file of the 4B model leaves nearly all to defaults.
  ModelConfig config = parse(R"({"model_type": "gemma3", "eos_token_id": [106, 1],
    "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34,
      "intermediate_size": 10240, "sliding_window": 1024,
      "rope_scaling": {"factor": 8.0, "rope_type": "linear"}},
    "vision_config": {"model_type": "siglip_vision_model"}})");
  EXPECT_EQ(config.architecture, "gemma3");
  EXPECT_EQ(config.vocabSize, 262208);
  EXPECT_EQ(config.maxPositions, 131072);
  EXPECT_EQ(config.layers.size(), 34u);
  EXPECT_FALSE(config.finalSoftCap);
  EXPECT_THAT(config.eosTokens, ElementsAre(1, 106));
  for (size_t i = 0; i < 34; ++i) {
    const LayerConfig &layer = config.layers[i];
    bool global = i % 6 == 5;
    EXPECT_EQ(layer.window, global ? 0 : 1024);
    EXPECT_EQ(layer.rope.base, global ? 1e6 : 1e4);
    EXPECT_EQ(layer.rope.scaling.kind, global ? RopeScalingKind::Linear : RopeScalingKind::None);
    EXPECT_EQ(layer.rope.scaling.factor, global ? 8 : 1);
    EXPECT_TRUE(layer.queryKeyNorm);
    EXPECT_FALSE(layer.scoreSoftCap);
  }
}

TEST(HfConfig, LayerTypesBeatPatterns) {
  ModelConfig config = parse(R"({"model_type": "gemma3_text", "num_hidden_layers": 3,
    "sliding_window_pattern": 2,
    "layer_types": ["full_attention", "sliding_attention", "full_attention"]})");
  EXPECT_EQ(config.layers[0].kind, LayerKind::Global);
  EXPECT_EQ(config.layers[1].kind, LayerKind::Sliding);
  EXPECT_EQ(config.layers[2].kind, LayerKind::Global);
  config = parse(R"({"model_type": "gemma3_text", "num_hidden_layers": 3,
    "_sliding_window_pattern": 2})");
  EXPECT_EQ(config.layers[0].kind, LayerKind::Sliding);
  EXPECT_EQ(config.layers[1].kind, LayerKind::Global);
  // Gemma 1 has no such layers, whatever the file carries along.
  config = parse(R"({"model_type": "gemma", "num_hidden_layers": 2, "sliding_window": 16,
    "layer_types": ["sliding_attention", "sliding_attention"]})");
  EXPECT_EQ(config.layers[0].kind, LayerKind::Global);
}

TEST(HfConfig, NewerRopeParameters) {
  ModelConfig config = parse(R"({"model_type": "gemma3_text", "num_hidden_layers": 6,
    "rope_parameters": {
      "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 2000000.0},
      "sliding_attention": {"rope_type": "default", "rope_theta": 20000.0}}})");
  EXPECT_EQ(config.layers[0].rope.base, 20000);
  EXPECT_EQ(config.layers[0].rope.scaling.kind, RopeScalingKind::None);
  EXPECT_EQ(config.layers[5].rope.base, 2000000);
  EXPECT_EQ(config.layers[5].rope.scaling.factor, 8);
  config = parse(R"({"model_type": "gemma2",
    "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}})");
  EXPECT_EQ(config.layers[0].rope.base, 500);
}

TEST(HfConfig, Llama3RopeScaling) {
  ModelConfig config = parse(R"({"model_type": "gemma", "rope_scaling": {"type": "llama3",
    "factor": 32, "low_freq_factor": 1, "high_freq_factor": 4,
    "original_max_position_embeddings": 8192}})");
  const RopeScaling &scaling = config.layers[0].rope.scaling;
  EXPECT_EQ(scaling.kind, RopeScalingKind::Llama3);
  EXPECT_EQ(scaling.factor, 32);
  EXPECT_EQ(scaling.lowFrequencyFactor, 1);
  EXPECT_EQ(scaling.highFrequencyFactor, 4);
  EXPECT_EQ(scaling.originalMaxPositions, 8192);
}

TEST(HfConfig, NullMeansNoneForCapsAndDefaultElsewhere) {
  ModelConfig config = parse(R"({"model_type": "gemma2", "attn_logit_softcapping": null,
    "final_logit_softcapping": null, "head_dim": null, "rope_scaling": null})");
  EXPECT_FALSE(config.finalSoftCap);
  EXPECT_FALSE(config.layers[0].scoreSoftCap);
  EXPECT_EQ(config.layers[0].headDim, 256);
  config = parse(R"({"model_type": "gemma3_text", "attn_logit_softcapping": 20.5,
    "final_logit_softcapping": 15})");
  EXPECT_EQ(config.finalSoftCap, 15.0);
  EXPECT_EQ(config.layers[0].scoreSoftCap, 20.5);
}

TEST(HfConfig, ScoreScaleOf27B) {
  ModelConfig config = parse(R"({"model_type": "gemma2", "query_pre_attn_scalar": 144})");
  EXPECT_DOUBLE_EQ(config.layers[0].scoreScale, 1.0 / 12);
}

TEST(HfConfig, BadValues) {
  const std::pair<const char *, const char *> cases[] = {
      {"config.json:1:2: the JSON is malformed", "{"},
      {"expected a JSON object but got array", "[]"},
      {"key 'model_type' is missing", "{}"},
      {"key 'model_type': expected a string but got 3", R"({"model_type": 3})"},
      {"architecture 'llama' is not supported", R"({"model_type": "llama"})"},
      {"architecture 'gemma4' is not supported", R"({"model_type": "gemma4"})"},
      {"key 'text_config.model_type': architecture 'gemma9' is not supported",
       R"({"model_type": "gemma3", "text_config": {"model_type": "gemma9"}})"},
      {"key 'text_config': expected an object", R"({"model_type": "gemma3", "text_config": 1})"},
      {"key 'text_config.hidden_size': expected an integer",
       R"({"model_type": "gemma3", "text_config": {"hidden_size": "x"}})"},
      {"key 'hidden_size': expected an integer from 1 to 1073741824 but got -1",
       R"({"model_type": "gemma", "hidden_size": -1})"},
      {"key 'hidden_size': expected an integer", R"({"model_type": "gemma", "hidden_size": 2.5})"},
      {"key 'num_hidden_layers': expected an integer from 1 to 1024",
       R"({"model_type": "gemma", "num_hidden_layers": 1000000})"},
      {"key 'vocab_size': expected an integer",
       R"({"model_type": "gemma", "vocab_size": 18446744073709551615})"},
      {"layer 0: expected attention heads to be a multiple of key-value heads but got 16 and 3",
       R"({"model_type": "gemma", "num_key_value_heads": 3})"},
      {"layer 0: expected an even number of rotated features",
       R"({"model_type": "gemma", "head_dim": 3})"},
      {"key 'hidden_act': expected gelu_pytorch_tanh but got relu",
       R"({"model_type": "gemma", "hidden_act": "relu"})"},
      {"key 'hidden_activation': expected gelu_pytorch_tanh but got gelu",
       R"({"model_type": "gemma2", "hidden_activation": "gelu"})"},
      {"key 'rms_norm_eps': expected a number above 0",
       R"({"model_type": "gemma", "rms_norm_eps": 0})"},
      {"key 'attention_bias': projections with a bias",
       R"({"model_type": "gemma", "attention_bias": true})"},
      {"key 'use_bidirectional_attention'",
       R"({"model_type": "gemma3_text", "use_bidirectional_attention": true})"},
      {"key 'quantization_config'", R"({"model_type": "gemma", "quantization_config": {}})"},
      {"key 'layer_types': expected a list of 26 names",
       R"({"model_type": "gemma2", "layer_types": ["full_attention"]})"},
      {"key 'layer_types': expected sliding_attention or full_attention but got \"linear\"",
       R"({"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": ["linear"]})"},
      {"key 'sliding_window_pattern': expected an integer from 1",
       R"({"model_type": "gemma3_text", "sliding_window_pattern": 0})"},
      {"key 'sliding_window': expected a window for the sliding layers",
       R"({"model_type": "gemma2", "sliding_window": null})"},
      {"rope scaling 'yarn' is not supported",
       R"({"model_type": "gemma", "rope_scaling": {"rope_type": "yarn", "factor": 2}})"},
      {"key 'rope_scaling': expected a positive number 'factor'",
       R"({"model_type": "gemma", "rope_scaling": {"rope_type": "linear"}})"},
      {"expected 0 < low_freq_factor < high_freq_factor",
       R"({"model_type": "gemma", "rope_scaling": {"rope_type": "llama3", "factor": 2,
           "low_freq_factor": 4, "high_freq_factor": 4,
           "original_max_position_embeddings": 8}})"},
      {"key 'rope_parameters': expected an object 'sliding_attention'",
       R"({"model_type": "gemma3_text", "rope_parameters": {"rope_theta": 5}})"},
      {"key 'attn_logit_softcapping': expected a cap of 0 or more",
       R"({"model_type": "gemma2", "attn_logit_softcapping": -1})"},
      {"expected an EOS token to be below the vocabulary size 256000 but got 256000",
       R"({"model_type": "gemma", "eos_token_id": 256000})"},
      {"key 'vocab_size' occurs twice",
       R"({"model_type": "gemma", "vocab_size": 1, "vocab_size": 2})"},
      {"key 'rope_theta': expected a number", R"({"model_type": "gemma", "rope_theta": "x"})"},
  };
  for (auto [message, text] : cases) {
    std::string error = errorOf(text);
    EXPECT_THAT(error, HasSubstr(message)) << text;
    EXPECT_EQ(error.rfind("config.json", 0), 0u) << error;
  }
}

TEST(GenerationConfig, AddsToTheModel) {
  ModelConfig config = parse(R"({"model_type": "gemma"})");
  llvm::Error error = addGenerationConfig("g.json", R"({"eos_token_id": [107, 1], "top_k": 64,
      "top_p": 0.95, "temperature": 0.5, "do_sample": true, "cache_implementation": "hybrid"})",
                                          config);
  ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  EXPECT_THAT(config.eosTokens, ElementsAre(1, 107));
  EXPECT_EQ(config.generation.topK, 64);
  EXPECT_EQ(config.generation.topP, 0.95);
  EXPECT_EQ(config.generation.temperature, 0.5);
  EXPECT_EQ(config.generation.doSample, true);
  EXPECT_FALSE(config.generation.minP);
}

TEST(GenerationConfig, BadValues) {
  const std::pair<const char *, const char *> cases[] = {
      {"key 'top_p': expected a number from 0 to 1 but got 2", R"({"top_p": 2})"},
      {"key 'temperature': expected 0 or more but got -1", R"({"temperature": -1})"},
      {"key 'eos_token_id': expected an integer", R"({"eos_token_id": ["a"]})"},
      {"key 'top_k': expected an integer", R"({"top_k": 1.5})"},
      {"an EOS token to be below", R"({"eos_token_id": 300000})"},
  };
  for (auto [message, text] : cases) {
    ModelConfig config = parse(R"({"model_type": "gemma"})");
    EXPECT_THAT(llvm::toString(addGenerationConfig("g.json", text, config)), HasSubstr(message));
  }
}

TEST(ChatTemplate, Forms) {
  auto find = [](const char *text) {
    llvm::Expected<std::string> found = parseChatTemplate("t.json", text);
    return found ? *found : "error: " + llvm::toString(found.takeError());
  };
  EXPECT_EQ(find(R"({"chat_template": "{{ a }}"})"), "{{ a }}");
  EXPECT_EQ(find(R"({"bos_token": "<bos>"})"), "");
  EXPECT_EQ(find(R"({"chat_template": [{"name": "rag", "template": "r"},
                                       {"name": "default", "template": "d"}]})"),
            "d");
  EXPECT_THAT(find(R"({"chat_template": []})"), HasSubstr("error: t.json: key 'chat_template'"));
}

// The bundled checkpoints, as manifests will describe them.
TEST(HfConfig, BundledModels) {
  auto describe = [](const std::string &name) {
    llvm::Expected<Checkpoint> checkpoint = openCheckpoint(RLX_TEST_DATA "/models/" + name);
    if (!checkpoint) {
      ADD_FAILURE() << llvm::toString(checkpoint.takeError());
      return nlohmann::json();
    }
    return toJson(checkpoint->config);
  };
  nlohmann::json gemma3 = describe("tiny-gemma3");
  nlohmann::json layers = gemma3["layers"];
  gemma3.erase("layers");
  EXPECT_EQ(gemma3, nlohmann::json::parse(R"({"architecture": "gemma3", "name": "tiny-gemma3",
    "vocab_size": 2048, "hidden_size": 256, "max_position_embeddings": 512,
    "rms_norm_eps": 1e-06, "norm_gain": "one_plus", "activation": "gelu_tanh",
    "embedding_scale": 16.0, "final_soft_cap": null, "tie_word_embeddings": true,
    "bos_token_id": 2, "pad_token_id": 0, "unk_token_id": null, "eos_token_ids": [1],
    "add_bos": null, "chat_template": null,
    "generation": {"do_sample": true, "temperature": 0.8, "top_k": 64, "top_p": 0.95}})"));
  ASSERT_EQ(layers.size(), 6u);
  nlohmann::json sliding = nlohmann::json::parse(R"({"kind": "sliding", "window": 64,
    "rope": {"base": 10000.0, "dim": 64, "scaling": "none"}, "head_dim": 64, "heads": 4,
    "kv_heads": 1, "intermediate_size": 512, "score_scale": 0.125, "score_soft_cap": null,
    "query_key_norm": true, "post_attention_norm": true, "post_feed_forward_norm": true,
    "kv_slot": 0, "writes_kv": true})");
  EXPECT_EQ(layers[0], sliding);
  nlohmann::json global = sliding;
  global["kind"] = "global";
  global["window"] = 0;
  global["rope"]["base"] = 1e6;
  global["kv_slot"] = 5;
  EXPECT_EQ(layers[5], global);

  nlohmann::json gemma2 = describe("tiny-gemma2");
  EXPECT_EQ(gemma2["final_soft_cap"], 30.0);
  EXPECT_EQ(gemma2["layers"][0]["window"], 64);
  EXPECT_EQ(gemma2["layers"][1]["window"], 0);
  EXPECT_EQ(gemma2["layers"][3]["score_soft_cap"], 50.0);
  EXPECT_EQ(gemma2["layers"].size(), 4u);
  nlohmann::json gemma1 = describe("tiny-gemma1");
  EXPECT_EQ(gemma1["layers"].size(), 3u);
  EXPECT_EQ(gemma1["layers"][2]["intermediate_size"], 1024);
  EXPECT_EQ(gemma1["layers"][2]["post_attention_norm"], false);
}

} // namespace
