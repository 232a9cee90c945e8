//===- ModelConfig.cpp - What a checkpoint says about its model -----------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Plausibility checks of a model description, and its JSON.
//===----------------------------------------------------------------------===//
#include "rlx/Import/ModelConfig.h"
#include "Error.h"
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

using namespace rlx;
using nlohmann::json;

bool RopeScaling::operator==(const RopeScaling &other) const {
  return std::tie(kind, factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions,
                  frequencyFactors) == std::tie(other.kind, other.factor, other.lowFrequencyFactor,
                                                other.highFrequencyFactor,
                                                other.originalMaxPositions, other.frequencyFactors);
}

bool RopeConfig::operator==(const RopeConfig &other) const {
  return base == other.base && dim == other.dim && scaling == other.scaling;
}

int64_t ModelConfig::numKvSlots() const {
  int64_t slots = 0;
  for (const LayerConfig &layer : layers)
    slots = std::max(slots, layer.kvSlot + 1);
  return slots;
}

//===----------------------------------------------------------------------===//
// Validation
//===----------------------------------------------------------------------===//

namespace {

/// Keeps the first check that does not hold.
class Checker {
public:
  explicit Checker(llvm::StringRef where) : where(where) {}
  ~Checker() { llvm::consumeError(std::move(failure)); }

  void check(bool holds, const llvm::Twine &message) {
    if (holds || failed)
      return;
    failed = true;
    llvm::consumeError(std::move(failure));
    failure = importError("{0}: {1}", where, message.str());
  }
  /// Checks a size: from 1 to `max`.
  void size(int64_t value, int64_t max, const llvm::Twine &name) {
    check(value >= 1 && value <= max,
          "expected " + name + " from 1 to " + llvm::Twine(max) + " but got " + llvm::Twine(value));
  }
  llvm::Error take() { return std::move(failure); }

private:
  std::string where;
  bool failed = false;
  llvm::Error failure = llvm::Error::success();
};

} // namespace

static void checkRope(Checker &checker, const RopeConfig &rope, int64_t headDim,
                      const llvm::Twine &layer) {
  const RopeScaling &scaling = rope.scaling;
  checker.check(std::isfinite(rope.base) && rope.base > 0,
                layer + ": expected a positive rope base");
  checker.check(rope.dim >= 2 && rope.dim % 2 == 0 && rope.dim <= headDim,
                layer + ": expected an even number of rotated features up to the head dimension " +
                    llvm::Twine(headDim) + " but got " + llvm::Twine(rope.dim));
  checker.check(std::isfinite(scaling.factor) && scaling.factor > 0,
                layer + ": expected a positive rope scaling factor");
  if (scaling.kind == RopeScalingKind::Llama3)
    checker.check(scaling.lowFrequencyFactor > 0 &&
                      scaling.lowFrequencyFactor < scaling.highFrequencyFactor &&
                      scaling.originalMaxPositions > 0,
                  layer + ": expected 0 < low_freq_factor < high_freq_factor and a positive "
                          "original_max_position_embeddings");
  bool positive = true;
  for (double factor : scaling.frequencyFactors)
    positive &= std::isfinite(factor) && factor > 0;
  checker.check(positive && (scaling.frequencyFactors.empty() ||
                             static_cast<int64_t>(scaling.frequencyFactors.size()) * 2 == rope.dim),
                layer + ": expected " + llvm::Twine(rope.dim / 2) +
                    " positive rope frequency factors");
}

static void checkLayer(Checker &checker, const LayerConfig &layer, size_t number) {
  std::string name = "layer " + std::to_string(number);
  checker.size(layer.heads, 4096, name + ": attention heads");
  checker.size(layer.kvHeads, 4096, name + ": key-value heads");
  checker.size(layer.headDim, 4096, name + ": head dimension");
  checker.size(layer.intermediateSize, 1 << 24, name + ": intermediate size");
  if (layer.kvHeads > 0)
    checker.check(layer.heads % layer.kvHeads == 0,
                  name + ": expected attention heads to be a multiple of key-value heads but got " +
                      llvm::Twine(layer.heads) + " and " + llvm::Twine(layer.kvHeads));
  if (layer.kind == LayerKind::Sliding)
    checker.size(layer.window, int64_t(1) << 30, name + ": sliding window");
  checker.check(std::isfinite(layer.scoreScale) && layer.scoreScale > 0,
                name + ": expected a positive score scale");
  checker.check(!layer.scoreSoftCap || *layer.scoreSoftCap > 0,
                name + ": expected a positive soft cap");
  checkRope(checker, layer.rope, layer.headDim, name);
}

llvm::Error rlx::validate(const ModelConfig &config, llvm::StringRef where) {
  Checker checker(where);
  checker.size(config.vocabSize, 1 << 24, "vocabulary size");
  checker.size(config.hiddenSize, 1 << 20, "hidden size");
  checker.size(config.maxPositions, int64_t(1) << 30, "maximum positions");
  checker.size(static_cast<int64_t>(config.layers.size()), 1024, "number of layers");
  checker.check(std::isfinite(config.normEpsilon) && config.normEpsilon > 0,
                "expected a positive norm epsilon");
  checker.check(!config.finalSoftCap || *config.finalSoftCap > 0,
                "expected a positive final soft cap");
  for (size_t i = 0; i < config.layers.size(); ++i)
    checkLayer(checker, config.layers[i], i);
  auto token = [&](int64_t id, const llvm::Twine &name) {
    checker.check(id >= 0 && id < config.vocabSize,
                  "expected " + name + " token to be below the vocabulary size " +
                      llvm::Twine(config.vocabSize) + " but got " + llvm::Twine(id));
  };
  if (config.bosToken)
    token(*config.bosToken, "the BOS");
  if (config.padToken)
    token(*config.padToken, "the padding");
  if (config.unknownToken)
    token(*config.unknownToken, "the unknown");
  for (int64_t id : config.eosTokens)
    token(id, "an EOS");
  return checker.take();
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

template <typename T> static json orNull(const std::optional<T> &value) {
  return value ? json(*value) : json();
}

static json ropeToJson(const RopeConfig &rope) {
  const RopeScaling &scaling = rope.scaling;
  json result = {{"base", rope.base}, {"dim", rope.dim}, {"scaling", "none"}};
  if (scaling.kind != RopeScalingKind::None) {
    result["scaling"] = scaling.kind == RopeScalingKind::Linear ? "linear" : "llama3";
    result["factor"] = scaling.factor;
  }
  if (scaling.kind == RopeScalingKind::Llama3) {
    result["low_freq_factor"] = scaling.lowFrequencyFactor;
    result["high_freq_factor"] = scaling.highFrequencyFactor;
    result["original_max_position_embeddings"] = scaling.originalMaxPositions;
  }
  if (!scaling.frequencyFactors.empty())
    result["freq_factors"] = scaling.frequencyFactors;
  return result;
}

static json layerToJson(const LayerConfig &layer) {
  return {{"kind", layer.kind == LayerKind::Sliding ? "sliding" : "global"},
          {"window", layer.window},
          {"rope", ropeToJson(layer.rope)},
          {"head_dim", layer.headDim},
          {"heads", layer.heads},
          {"kv_heads", layer.kvHeads},
          {"intermediate_size", layer.intermediateSize},
          {"score_scale", layer.scoreScale},
          {"score_soft_cap", orNull(layer.scoreSoftCap)},
          {"query_key_norm", layer.queryKeyNorm},
          {"post_attention_norm", layer.postAttentionNorm},
          {"post_feed_forward_norm", layer.postFeedForwardNorm},
          {"kv_slot", layer.kvSlot},
          {"writes_kv", layer.writesKv}};
}

static json generationToJson(const GenerationConfig &generation) {
  json result = json::object();
  auto set = [&](const char *key, const auto &value) {
    if (value)
      result[key] = *value;
  };
  set("do_sample", generation.doSample);
  set("temperature", generation.temperature);
  set("top_k", generation.topK);
  set("top_p", generation.topP);
  set("min_p", generation.minP);
  set("repetition_penalty", generation.repetitionPenalty);
  return result;
}

json rlx::toJson(const ModelConfig &config) {
  json layers = json::array();
  for (const LayerConfig &layer : config.layers)
    layers.push_back(layerToJson(layer));
  return {{"architecture", config.architecture},
          {"name", config.name},
          {"vocab_size", config.vocabSize},
          {"hidden_size", config.hiddenSize},
          {"max_position_embeddings", config.maxPositions},
          {"rms_norm_eps", config.normEpsilon},
          {"norm_gain", config.normGain == NormGain::OnePlus ? "one_plus" : "plain"},
          {"activation", config.activation},
          {"embedding_scale", config.embeddingScale},
          {"final_soft_cap", orNull(config.finalSoftCap)},
          {"tie_word_embeddings", config.tieEmbeddings},
          {"layers", layers},
          {"bos_token_id", orNull(config.bosToken)},
          {"pad_token_id", orNull(config.padToken)},
          {"unk_token_id", orNull(config.unknownToken)},
          {"eos_token_ids", config.eosTokens},
          {"add_bos", orNull(config.addBos)},
          {"generation", generationToJson(config.generation)},
          {"chat_template", config.chatTemplate.empty() ? json() : json(config.chatTemplate)}};
}
