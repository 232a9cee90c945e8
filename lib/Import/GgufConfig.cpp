//===- GgufConfig.cpp - GGUF metadata to a model description --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Reads the keys of arch gemma, gemma2 and gemma3, and supplies what the format
// leaves to the program that runs the file: layer patterns, soft caps, the local
// RoPE base of Gemma 3, and the query scale of the 27B models. Files that Ollama's
// converter wrote leave out more, and name the RoPE bases otherwise.
//===----------------------------------------------------------------------===//
#include "Error.h"
#include "rlx/Import/Dequantize.h"
#include "rlx/Import/Gguf.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace rlx;

namespace {

constexpr int64_t maxSize = int64_t(1) << 30;

/// Looks keys up and keeps the first error, like JsonReader.
class KeyReader {
public:
  KeyReader(llvm::StringRef path, const GgufFile &file) : path(path), file(file) {}
  ~KeyReader() { llvm::consumeError(std::move(failure)); }

  void setArchitecture(llvm::StringRef name) { prefix = name.str() + "."; }

  /// `key` is completed by the architecture when it begins with a dot.
  const GgufValue *find(llvm::StringRef key) const {
    auto it = file.metadata.find(fullKey(key));
    return it == file.metadata.end() ? nullptr : &it->second;
  }

  std::optional<int64_t> integer(llvm::StringRef key, int64_t min, int64_t max) {
    const GgufValue *value = find(key);
    if (!value)
      return std::nullopt;
    std::optional<int64_t> result = value->asInteger();
    if (!result || *result < min || *result > max) {
      fail(key, llvm::formatv("expected an integer from {0} to {1}", min, max).str());
      return std::nullopt;
    }
    return result;
  }

  int64_t required(llvm::StringRef key, int64_t min, int64_t max) {
    if (!find(key))
      fail(key, "is missing");
    return integer(key, min, max).value_or(min);
  }

  std::optional<double> number(llvm::StringRef key) {
    const GgufValue *value = find(key);
    if (!value)
      return std::nullopt;
    std::optional<double> result = value->asNumber();
    if (!result || !std::isfinite(*result)) {
      fail(key, "expected a finite number");
      return std::nullopt;
    }
    return result;
  }

  std::optional<bool> boolean(llvm::StringRef key) {
    const GgufValue *value = find(key);
    if (value && !value->asBool())
      fail(key, "expected a bool");
    return value ? value->asBool() : std::nullopt;
  }

  std::optional<std::string> string(llvm::StringRef key) {
    const GgufValue *value = find(key);
    if (!value)
      return std::nullopt;
    std::optional<llvm::StringRef> result = value->asString();
    if (!result || !isUtf8(*result)) {
      fail(key, "expected a string in UTF-8");
      return std::nullopt;
    }
    return result->str();
  }

  /// One value for all layers, or an array with a value for each.
  std::vector<int64_t> perLayer(llvm::StringRef key, size_t layers, int64_t fallback) {
    const GgufValue *value = find(key);
    if (!value || !value->isArray())
      return std::vector<int64_t>(layers, integer(key, 1, maxSize).value_or(fallback));
    std::optional<std::vector<int64_t>> result = value->asIntegers();
    if (!result || result->size() < layers ||
        llvm::any_of(*result, [](int64_t size) { return size < 1 || size > maxSize; })) {
      fail(key, llvm::formatv("expected {0} sizes, one for each layer", layers).str());
      return std::vector<int64_t>(layers, fallback);
    }
    result->resize(layers);
    return *result;
  }

  void fail(llvm::StringRef key, const llvm::Twine &message) {
    if (hasFailed)
      return;
    hasFailed = true;
    llvm::consumeError(std::move(failure));
    failure = importError("{0}: key '{1}': {2}", path, fullKey(key), message.str());
  }
  bool failed() const { return hasFailed; }
  llvm::Error takeError() { return std::move(failure); }

private:
  std::string fullKey(llvm::StringRef key) const {
    return key.consume_front(".") ? prefix + key.str() : key.str();
  }

  std::string path;
  const GgufFile &file;
  std::string prefix;
  bool hasFailed = false;
  llvm::Error failure = llvm::Error::success();
};

class GgufConfigReader {
public:
  GgufConfigReader(llvm::StringRef path, const GgufFile &file, std::vector<std::string> &notes)
      : path(path), file(file), notes(notes), keys(path, file) {}
  llvm::Expected<ModelConfig> read();

private:
  llvm::Error readArchitecture();
  void readLayers();
  std::vector<bool> slidingLayers(size_t layers);
  void readCaps();
  void readVocabularySize(const Tensor &embedding);
  void readRope();
  RopeScaling readRopeScaling();
  void readTokens();
  llvm::Error readFrequencyFactors();
  const Tensor *findTensor(llvm::StringRef name) const;
  bool isGemma1() const { return config.architecture == "gemma"; }
  bool isGemma3() const { return config.architecture == "gemma3"; }
  bool isFromOllama() const;

  std::string path;
  const GgufFile &file;
  std::vector<std::string> &notes;
  KeyReader keys;
  ModelConfig config;
};

} // namespace

const Tensor *GgufConfigReader::findTensor(llvm::StringRef name) const {
  const auto *it = llvm::find_if(llvm::ArrayRef(file.tensors),
                                 [&](const Tensor &tensor) { return tensor.name == name; });
  return it == llvm::ArrayRef(file.tensors).end() ? nullptr : it;
}

/// Ollama's converter names Gemma 3's bases by the kind of layer, or leaves them and
/// the epsilon out, all of which llama.cpp's always writes.
bool GgufConfigReader::isFromOllama() const {
  return isGemma3() && (keys.find(".rope.global.freq_base") || keys.find(".rope.local.freq_base") ||
                        !keys.find(".attention.layer_norm_rms_epsilon"));
}

llvm::Error GgufConfigReader::readArchitecture() {
  std::string type = keys.string("general.type").value_or("model");
  if (type != "model")
    return importError("{0}: key 'general.type': expected a model but got '{1}'", path,
                       printable(type));
  if (keys.integer("split.count", 0, maxSize).value_or(1) > 1)
    return importError("{0}: the file is one part of a split model; merge the parts first "
                       "(llama-gguf-split --merge)",
                       path);
  std::optional<std::string> name = keys.string("general.architecture");
  if (keys.failed())
    return keys.takeError();
  if (!name)
    return importError("{0}: key 'general.architecture' is missing", path);
  if (*name != "gemma" && *name != "gemma2" && *name != "gemma3")
    return importError("{0}: architecture '{1}' is not supported (expected gemma, gemma2 or "
                       "gemma3)",
                       path, printable(*name));
  config.architecture = *name;
  keys.setArchitecture(*name);
  return llvm::Error::success();
}

/// Gemma 2 slides on every other layer, Gemma 3 on five of six, the last of each
/// group being global, unless the file says otherwise.
std::vector<bool> GgufConfigReader::slidingLayers(size_t layers) {
  std::vector<bool> sliding(layers, false);
  if (isGemma1() ||
      (isGemma3() && keys.integer(".attention.sliding_window", 0, maxSize).value_or(0) == 0))
    return sliding;
  llvm::StringRef key = ".attention.sliding_window_pattern";
  const GgufValue *value = keys.find(key);
  if (value && value->isArray()) {
    std::optional<std::vector<int64_t>> flags = value->asIntegers();
    if (!flags || flags->size() < layers) {
      keys.fail(key, llvm::formatv("expected {0} flags, one for each layer", layers).str());
      return sliding;
    }
    for (size_t i = 0; i < layers; ++i)
      sliding[i] = (*flags)[i] != 0;
    return sliding;
  }
  int64_t pattern = keys.integer(key, 0, maxSize).value_or(isGemma3() ? 6 : 2);
  for (size_t i = 0; i < layers; ++i) // a pattern of 0 makes every layer slide
    sliding[i] = pattern == 0 || (static_cast<int64_t>(i) + 1) % pattern != 0;
  return sliding;
}

void GgufConfigReader::readLayers() {
  int64_t blocks = keys.required(".block_count", 1, 1024);
  int64_t nextn = keys.integer(".nextn_predict_layers", 0, 1024).value_or(0);
  if (nextn >= blocks)
    keys.fail(".nextn_predict_layers", "expected fewer than the blocks of the file");
  size_t layers = static_cast<size_t>(std::max<int64_t>(blocks - nextn, 1));
  config.mtpLayers = nextn;
  if (!keys.find(".attention.head_count"))
    keys.fail(".attention.head_count", "is missing");
  if (!keys.find(".feed_forward_length"))
    keys.fail(".feed_forward_length", "is missing");
  std::vector<int64_t> heads = keys.perLayer(".attention.head_count", layers, 1);
  std::vector<int64_t> kvHeads = keys.perLayer(".attention.head_count_kv", layers, 0);
  std::vector<int64_t> widths = keys.perLayer(".feed_forward_length", layers, 1);
  int64_t headDim =
      keys.integer(".attention.key_length", 1, maxSize).value_or(config.hiddenSize / heads[0]);
  if (keys.integer(".attention.value_length", 1, maxSize).value_or(headDim) != headDim)
    keys.fail(".attention.value_length", "expected the same as attention.key_length");
  int64_t window = keys.integer(".attention.sliding_window", 0, maxSize).value_or(4096);
  std::vector<bool> sliding = slidingLayers(layers);

  bool is27B = (config.architecture == "gemma2" && layers == 46) || (isGemma3() && layers == 62);
  double cap =
      config.architecture == "gemma2" ? keys.number(".attn_logit_softcapping").value_or(50.0) : 0.0;
  for (size_t i = 0; i < layers; ++i) {
    LayerConfig layer;
    layer.kind = sliding[i] ? LayerKind::Sliding : LayerKind::Global;
    layer.window = sliding[i] ? window : 0;
    layer.headDim = headDim;
    layer.heads = heads[i];
    layer.kvHeads = kvHeads[i] ? kvHeads[i] : heads[i];
    layer.intermediateSize = widths[i];
    layer.scoreScale =
        1.0 / std::sqrt(static_cast<double>(is27B ? config.hiddenSize / heads[0] : headDim));
    if (cap != 0)
      layer.scoreSoftCap = cap;
    layer.queryKeyNorm = isGemma3();
    layer.postAttentionNorm = layer.postFeedForwardNorm = !isGemma1();
    layer.kvSlot = static_cast<int64_t>(i);
    config.layers.push_back(layer);
  }
}

/// The scaling of the layers that see everything.
RopeScaling GgufConfigReader::readRopeScaling() {
  RopeScaling scaling;
  std::string type = keys.string(".rope.scaling.type").value_or("linear");
  llvm::StringRef factorKey =
      keys.find(".rope.scaling.factor") ? ".rope.scaling.factor" : ".rope.scale_linear";
  std::optional<double> factor = keys.number(factorKey);
  if (type != "none" && type != "linear")
    keys.fail(".rope.scaling.type",
              "rope scaling '" + printable(type) + "' is not supported (expected none or linear)");
  if (factor && *factor < 0)
    keys.fail(factorKey, "expected a factor of 0 or more");
  bool silent = !factor && !keys.find(".rope.scaling.type");
  // The published models reach this far by their scaling.
  if (silent && isFromOllama() && config.maxPositions >= 131072) {
    factor = 8;
    notes.push_back(path + ": says nothing of rope scaling, as files by Ollama do: the global "
                           "layers are scaled by 8, as Gemma 3 of this context is");
  }
  double used = factor.value_or(0);
  if (type == "linear" && used != 0 && used != 1) { // 0 says that there is none
    scaling.kind = RopeScalingKind::Linear;
    scaling.factor = used;
  }
  return scaling;
}

/// The sliding layers of Gemma 3 have a base of their own and are never scaled.
void GgufConfigReader::readRope() {
  RopeConfig global, local;
  auto base = [&](llvm::StringRef key, llvm::StringRef ollamaKey, double fallback) {
    return keys.number(keys.find(key) || !isGemma3() ? key : ollamaKey).value_or(fallback);
  };
  global.base = base(".rope.freq_base", ".rope.global.freq_base", isFromOllama() ? 1e6 : 1e4);
  local.base = base(".rope.freq_base_swa", ".rope.local.freq_base", isGemma3() ? 1e4 : global.base);
  global.dim = local.dim =
      keys.integer(".rope.dimension_count", 1, maxSize).value_or(config.layers[0].headDim);
  if (global.dim != config.layers[0].headDim)
    keys.fail(".rope.dimension_count", "expected the same as attention.key_length");
  global.scaling = readRopeScaling();
  if (!isGemma3())
    local.scaling = global.scaling;
  for (LayerConfig &layer : config.layers)
    layer.rope = layer.kind == LayerKind::Sliding ? local : global;
}

/// `rope_freqs.weight` divides the frequencies of the layers that see everything
/// (of all layers where they are alike).
llvm::Error GgufConfigReader::readFrequencyFactors() {
  const Tensor *tensor = findTensor("rope_freqs.weight");
  if (!tensor)
    return llvm::Error::success();
  int64_t expected = config.layers[0].rope.dim / 2;
  if (tensor->type != DType::F32 || tensor->shape.size() != 1 || tensor->shape[0] != expected)
    return importError("{0}: tensor 'rope_freqs.weight': expected {1} elements of type F32", path,
                       expected);
  std::vector<float> factors(static_cast<size_t>(expected));
  dequantizeRow(DType::F32, tensor->bytes, factors);
  for (LayerConfig &layer : config.layers)
    if (!isGemma3() || layer.kind == LayerKind::Global)
      layer.rope.scaling.frequencyFactors.assign(factors.begin(), factors.end());
  return llvm::Error::success();
}

void GgufConfigReader::readTokens() {
  auto id = [&](llvm::StringRef key) { return keys.integer(key, 0, UINT32_MAX); };
  config.bosToken = id("tokenizer.ggml.bos_token_id");
  config.padToken = id("tokenizer.ggml.padding_token_id");
  config.unknownToken = id("tokenizer.ggml.unknown_token_id");
  for (llvm::StringRef key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"})
    if (std::optional<int64_t> token = id(key))
      config.eosTokens.push_back(*token);
  // Files do not always name the end of a turn as such; its piece is known.
  if (const GgufValue *tokens = keys.find("tokenizer.ggml.tokens"))
    if (std::optional<std::vector<llvm::StringRef>> pieces = tokens->asStrings()) {
      auto it = llvm::find(*pieces, "<end_of_turn>");
      if (it != pieces->end())
        config.eosTokens.push_back(it - pieces->begin());
    }
  llvm::sort(config.eosTokens);
  config.eosTokens.erase(llvm::unique(config.eosTokens), config.eosTokens.end());
  config.addBos = keys.boolean("tokenizer.ggml.add_bos_token");
  config.chatTemplate = keys.string("tokenizer.chat_template").value_or("");
}

/// The cap of the logits; those of scores are the layers'.
void GgufConfigReader::readCaps() {
  if (isGemma1())
    return;
  llvm::StringRef key = ".final_logit_softcapping";
  double cap = keys.number(key).value_or(isGemma3() ? 0 : 30.0);
  if (cap == 30 && keys.find(".rope.global.freq_base") && isGemma3()) {
    notes.push_back(path + ": key 'gemma3.final_logit_softcapping' is left aside: early files by "
                           "Ollama have a cap of 30 where the model has none");
    return;
  }
  if (cap != 0)
    config.finalSoftCap = cap;
}

/// Ollama's files list pieces that stand for images and have no embedding.
void GgufConfigReader::readVocabularySize(const Tensor &embedding) {
  config.vocabSize = embedding.shape[0];
  const GgufValue *tokens = keys.find("tokenizer.ggml.tokens");
  if (!tokens)
    return;
  auto pieces = static_cast<int64_t>(tokens->arraySize());
  if (pieces > config.vocabSize && isFromOllama())
    notes.push_back(llvm::formatv("{0}: the last {1} of {2} pieces have no embedding and are left "
                                  "out",
                                  path, pieces - config.vocabSize, pieces));
  else if (pieces != config.vocabSize)
    keys.fail("tokenizer.ggml.tokens",
              llvm::formatv("expected {0} pieces, as token_embd.weight has rows, but got {1}",
                            config.vocabSize, pieces)
                  .str());
}

llvm::Expected<ModelConfig> GgufConfigReader::read() {
  if (llvm::Error error = readArchitecture())
    return std::move(error);
  config.naming = TensorNaming::Gguf;
  config.normGain = NormGain::Plain;
  config.name = keys.string("general.name").value_or("");
  config.hiddenSize = keys.required(".embedding_length", 1, maxSize);
  config.maxPositions = keys.required(".context_length", 1, maxSize);
  config.embeddingScale = std::sqrt(static_cast<double>(config.hiddenSize));
  if (!isFromOllama() && !keys.find(".attention.layer_norm_rms_epsilon"))
    keys.fail(".attention.layer_norm_rms_epsilon", "is missing");
  config.normEpsilon = keys.number(".attention.layer_norm_rms_epsilon").value_or(1e-6);
  readCaps();
  config.tieEmbeddings = findTensor("output.weight") == nullptr;

  const Tensor *embedding = findTensor("token_embd.weight");
  if (!embedding || embedding->shape.size() != 2)
    return importError("{0}: tensor 'token_embd.weight' is missing or not a matrix", path);
  readVocabularySize(*embedding);
  readLayers();
  readRope();
  readTokens();
  if (keys.failed())
    return keys.takeError();
  if (llvm::Error error = readFrequencyFactors())
    return std::move(error);
  if (llvm::Error error = validate(config, path))
    return std::move(error);
  return std::move(config);
}

llvm::Expected<ModelConfig> rlx::readGgufConfig(llvm::StringRef path, const GgufFile &file,
                                                std::vector<std::string> &notes) {
  return GgufConfigReader(path, file, notes).read();
}
