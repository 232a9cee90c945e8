//===- HfConfig.cpp - Hugging Face's config.json --------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Reads config.json of Gemma 1, 2 and 3, filling in what the files leave out.
//===----------------------------------------------------------------------===//
#include "rlx/Import/HfConfig.h"
#include "Error.h"
#include "Json.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rlx;
using nlohmann::json;

namespace {

/// Defaults of the configuration classes of Hugging Face's library.
struct HfDefaults {
  llvm::StringLiteral modelType;
  llvm::StringLiteral architecture;
  int64_t vocabSize, hiddenSize, intermediateSize, layers, heads, kvHeads, maxPositions;
  double ropeTheta;
  int64_t slidingPattern;            ///< every n-th layer is global; 1: all are
  double scoreSoftCap, finalSoftCap; ///< 0: none
};

constexpr HfDefaults classes[] = {
    {"gemma", "gemma", 256000, 3072, 24576, 28, 16, 16, 8192, 1e4, 1, 0, 0},
    {"gemma2", "gemma2", 256000, 2304, 9216, 26, 8, 4, 8192, 1e4, 2, 50, 30},
    {"gemma3_text", "gemma3", 262208, 2304, 9216, 26, 8, 4, 131072, 1e6, 6, 0, 0},
};

constexpr int64_t maxSize = int64_t(1) << 30;

/// Reads one text model from its (perhaps nested) configuration object.
class HfConfigReader {
public:
  HfConfigReader(JsonReader &json, const HfDefaults &defaults) : json(json), defaults(defaults) {}

  void read(ModelConfig &config);

private:
  void refuseUnsupported();
  void readActivation();
  void readTokens(ModelConfig &config);
  std::vector<LayerKind> layerKinds(int64_t layers);
  std::optional<double> softCap(llvm::StringRef key, double fallback);
  RopeScaling ropeScaling(const nlohmann::json *object, llvm::StringRef key);
  RopeConfig rope(LayerKind kind, int64_t headDim);

  bool isGemma1() const { return defaults.modelType == "gemma"; }
  bool isGemma3() const { return defaults.modelType == "gemma3_text"; }

  JsonReader &json;
  const HfDefaults &defaults;
};

} // namespace

void HfConfigReader::refuseUnsupported() {
  if (json.boolean("attention_bias").value_or(false))
    json.fail("attention_bias", "projections with a bias are not supported");
  if (json.boolean("use_bidirectional_attention").value_or(false))
    json.fail("use_bidirectional_attention", "bidirectional attention is not supported");
  if (json.has("quantization_config"))
    json.fail("quantization_config",
              "quantised Hugging Face checkpoints are not supported; use the original weights");
}

void HfConfigReader::readActivation() {
  // Gemma 1 was published with "gelu" where its tanh form was meant, and the
  // later key, where it is there, decides.
  bool legacy = isGemma1() && !json.has("hidden_activation");
  llvm::StringRef key = legacy ? "hidden_act" : "hidden_activation";
  std::string name = json.string(key).value_or("gelu_pytorch_tanh");
  if (name != "gelu_pytorch_tanh" && !(legacy && name == "gelu"))
    json.fail(key, "expected gelu_pytorch_tanh but got " + printable(name));
}

void HfConfigReader::readTokens(ModelConfig &config) {
  // A negative id is an old way to say that there is none.
  auto id = [&](llvm::StringRef key, int64_t fallback) -> std::optional<int64_t> {
    if (json.mentions(key) && !json.has(key))
      return std::nullopt;
    int64_t value = json.integer(key, fallback, -1, maxSize);
    return value < 0 ? std::nullopt : std::optional(value);
  };
  config.bosToken = id("bos_token_id", 2);
  config.padToken = id("pad_token_id", 0);
  config.eosTokens = json.integers("eos_token_id", 0, maxSize);
  if (!json.mentions("eos_token_id"))
    config.eosTokens = {1};
}

std::vector<LayerKind> HfConfigReader::layerKinds(int64_t layers) {
  std::vector<LayerKind> kinds;
  if (isGemma1()) // has no sliding layers, whatever keys a file carries along
    return std::vector<LayerKind>(layers, LayerKind::Global);
  if (const nlohmann::json *types = json.value("layer_types")) {
    if (!types->is_array() || static_cast<int64_t>(types->size()) != layers) {
      json.fail("layer_types",
                "expected a list of " + llvm::Twine(layers) + " names, one for each layer");
      return std::vector<LayerKind>(layers, LayerKind::Global);
    }
    for (const nlohmann::json &type : *types) {
      if (type != "sliding_attention" && type != "full_attention")
        json.fail("layer_types",
                  "expected sliding_attention or full_attention but got " +
                      printable(type.dump(-1, ' ', false, json::error_handler_t::replace)));
      kinds.push_back(type == "sliding_attention" ? LayerKind::Sliding : LayerKind::Global);
    }
    return kinds;
  }
  llvm::StringRef key =
      json.has("sliding_window_pattern") ? "sliding_window_pattern" : "_sliding_window_pattern";
  int64_t pattern = json.integer(key, defaults.slidingPattern, 1, maxSize);
  for (int64_t i = 0; i < layers; ++i)
    kinds.push_back((i + 1) % pattern ? LayerKind::Sliding : LayerKind::Global);
  return kinds;
}

/// A cap that is absent has the class's default; null and 0 mean none.
std::optional<double> HfConfigReader::softCap(llvm::StringRef key, double fallback) {
  double cap = json.mentions(key) ? json.number(key).value_or(0) : fallback;
  if (cap < 0)
    json.fail(key, "expected a cap of 0 or more");
  return cap > 0 ? std::optional(cap) : std::nullopt;
}

/// The scaling in `object`, which is the value of `key`; none where it is null.
RopeScaling HfConfigReader::ropeScaling(const nlohmann::json *object, llvm::StringRef key) {
  RopeScaling result;
  if (!object)
    return result;
  if (!object->is_object()) {
    json.fail(key, "expected an object");
    return result;
  }
  auto name = object->find("rope_type");
  if (name == object->end())
    name = object->find("type"); // the older spelling
  std::string type =
      name != object->end() && name->is_string() ? name->get<std::string>() : "default";
  auto number = [&](const char *field) {
    auto it = object->find(field);
    if (it == object->end() || !it->is_number() || !(it->get<double>() > 0))
      json.fail(key, llvm::Twine("expected a positive number '") + field + "' for scaling " + type);
    return it != object->end() && it->is_number() ? it->get<double>() : 1.0;
  };
  if (type == "linear") {
    result.kind = RopeScalingKind::Linear;
    result.factor = number("factor");
  } else if (type == "llama3") {
    result.kind = RopeScalingKind::Llama3;
    result.factor = number("factor");
    result.lowFrequencyFactor = number("low_freq_factor");
    result.highFrequencyFactor = number("high_freq_factor");
    double positions = number("original_max_position_embeddings");
    if (!(positions <= maxSize))
      json.fail(key, "'original_max_position_embeddings' is out of range");
    else
      result.originalMaxPositions = static_cast<int64_t>(positions);
  } else if (type != "default") {
    json.fail(key, "rope scaling '" + printable(type) +
                       "' is not supported (expected default, linear or llama3)");
  }
  auto partial = object->find("partial_rotary_factor");
  if (partial != object->end() && !partial->is_null() && *partial != 1.0)
    json.fail(key, "a partial_rotary_factor other than 1 is not supported");
  return result;
}

/// Gemma 3 turns its sliding layers by another base, never scaled. The newer
/// `rope_parameters` nests the older keys, for Gemma 3 once per kind of layer.
RopeConfig HfConfigReader::rope(LayerKind kind, int64_t headDim) {
  bool local = isGemma3() && kind == LayerKind::Sliding;
  RopeConfig result;
  result.dim = headDim;
  llvm::StringRef baseKey = local ? "rope_local_base_freq" : "rope_theta";
  result.base = json.positive(baseKey).value_or(local ? 1e4 : defaults.ropeTheta);
  if (!local)
    result.scaling = ropeScaling(json.value("rope_scaling"), "rope_scaling");

  const nlohmann::json *parameters = json.objectAt("rope_parameters");
  if (parameters && isGemma3()) {
    llvm::StringRef name = local ? "sliding_attention" : "full_attention";
    auto it = parameters->find(std::string_view(name));
    if (it == parameters->end() || !it->is_object())
      json.fail("rope_parameters", "expected an object '" + name + "'");
    parameters = it != parameters->end() && it->is_object() ? &*it : nullptr;
  }
  if (!parameters)
    return result;
  auto theta = parameters->find("rope_theta");
  if (theta != parameters->end() && theta->is_number() && theta->get<double>() > 0)
    result.base = theta->get<double>();
  else if (theta != parameters->end())
    json.fail("rope_parameters", "expected a positive number 'rope_theta'");
  if (!json.has("rope_scaling") || local)
    result.scaling = ropeScaling(parameters, "rope_parameters");
  return result;
}

void HfConfigReader::read(ModelConfig &config) {
  refuseUnsupported();
  readActivation();
  readTokens(config);
  config.architecture = defaults.architecture.str();
  config.vocabSize = json.integer("vocab_size", defaults.vocabSize, 1, maxSize);
  config.hiddenSize = json.integer("hidden_size", defaults.hiddenSize, 1, maxSize);
  config.maxPositions = json.integer("max_position_embeddings", defaults.maxPositions, 1, maxSize);
  config.normEpsilon = json.positive("rms_norm_eps").value_or(1e-6);
  config.embeddingScale = std::sqrt(static_cast<double>(config.hiddenSize));
  config.finalSoftCap =
      isGemma1() ? std::nullopt : softCap("final_logit_softcapping", defaults.finalSoftCap);
  config.tieEmbeddings = json.boolean("tie_word_embeddings").value_or(true);

  LayerConfig layer;
  layer.headDim = json.integer("head_dim", 256, 1, maxSize);
  layer.heads = json.integer("num_attention_heads", defaults.heads, 1, maxSize);
  layer.kvHeads = json.integer("num_key_value_heads", defaults.kvHeads, 1, maxSize);
  layer.intermediateSize = json.integer("intermediate_size", defaults.intermediateSize, 1, maxSize);
  layer.queryKeyNorm = isGemma3();
  layer.postAttentionNorm = layer.postFeedForwardNorm = !isGemma1();
  double scalar = static_cast<double>(layer.headDim);
  if (!isGemma1()) {
    scalar = json.positive("query_pre_attn_scalar").value_or(256);
    layer.scoreSoftCap = softCap("attn_logit_softcapping", defaults.scoreSoftCap);
  }
  layer.scoreScale = 1.0 / std::sqrt(scalar);

  config.mtpLayers = json.integer("num_nextn_predict_layers", 0, 0, 1024);
  int64_t count = json.integer("num_hidden_layers", defaults.layers, 1, 1024);
  std::vector<LayerKind> kinds = layerKinds(count);
  int64_t window = 0;
  if (llvm::is_contained(kinds, LayerKind::Sliding)) {
    if (json.mentions("sliding_window") && !json.has("sliding_window"))
      json.fail("sliding_window", "expected a window for the sliding layers but got null");
    window = json.integer("sliding_window", 4096, 1, maxSize);
  }
  for (int64_t i = 0; i < count; ++i) {
    layer.kind = kinds[i];
    layer.window = layer.kind == LayerKind::Sliding ? window : 0;
    layer.rope = rope(layer.kind, layer.headDim);
    layer.kvSlot = i;
    config.layers.push_back(layer);
  }
}

llvm::Expected<ModelConfig> rlx::parseHfConfig(llvm::StringRef path, llvm::StringRef text) {
  llvm::Expected<json> root = parseJsonObject(path, text);
  if (!root)
    return root.takeError();
  JsonReader outer(path, *root);
  std::optional<std::string> modelType = outer.string("model_type");
  const json *nested = outer.objectAt("text_config");
  if (outer.failed())
    return outer.takeError();
  if (!modelType)
    return importError("{0}: key 'model_type' is missing", path);

  // Gemma 3 with an image tower nests the text model's configuration.
  bool multimodal = *modelType == "gemma3";
  static const json empty = json::object();
  JsonReader inner(path, multimodal ? (nested ? *nested : empty) : *root,
                   multimodal ? "text_config." : "");
  std::string textType =
      multimodal ? inner.string("model_type").value_or("gemma3_text") : *modelType;
  const auto *defaults = llvm::find_if(
      classes, [&](const HfDefaults &candidate) { return candidate.modelType == textType; });
  if (defaults == std::end(classes))
    return importError("{0}: key '{1}model_type': architecture '{2}' is not supported (expected "
                       "gemma, gemma2, gemma3 or gemma3_text)",
                       path, multimodal ? "text_config." : "", printable(textType));

  ModelConfig config;
  config.naming = TensorNaming::HuggingFace;
  config.normGain = NormGain::OnePlus;
  HfConfigReader(inner, *defaults).read(config);
  if (inner.failed())
    return inner.takeError();
  if (multimodal) {
    // What the outer object says holds for the whole model.
    if (outer.has("eos_token_id"))
      config.eosTokens = outer.integers("eos_token_id", 0, maxSize);
    config.bosToken =
        outer.has("bos_token_id") ? outer.integer("bos_token_id", 0, maxSize) : config.bosToken;
    config.tieEmbeddings = outer.boolean("tie_word_embeddings").value_or(config.tieEmbeddings);
    if (outer.has("quantization_config"))
      outer.fail("quantization_config",
                 "quantised Hugging Face checkpoints are not supported; use the original weights");
    if (outer.failed())
      return outer.takeError();
  }
  llvm::sort(config.eosTokens);
  config.eosTokens.erase(llvm::unique(config.eosTokens), config.eosTokens.end());
  if (llvm::Error error = validate(config, path))
    return std::move(error);
  return std::move(config);
}
