//===- ModelConfig.h - What a checkpoint says about its model ---*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The description of a model that every checkpoint format is read into.
// Whatever may differ from layer to layer is stored per layer, already resolved:
// nothing after the importer knows of sliding patterns or model versions.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_MODELCONFIG_H
#define RLX_IMPORT_MODELCONFIG_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace rlx {

/// How stored norm gains are to be applied: x * g, or x * (1 + g).
enum class NormGain : uint8_t { Plain, OnePlus };

/// Which names a checkpoint gives to its tensors.
enum class TensorNaming : uint8_t { HuggingFace, Gguf };

enum class LayerKind : uint8_t { Global, Sliding };

/// How the inverse frequencies base^(-2i/dim) of a rotary embedding change.
enum class RopeScalingKind : uint8_t {
  None,
  Linear, ///< divided by `factor`
  Llama3  ///< long wavelengths divided by `factor`, short kept, blended between
};

struct RopeScaling {
  RopeScalingKind kind = RopeScalingKind::None;
  double factor = 1.0;
  double lowFrequencyFactor = 1.0;  ///< Llama3 only
  double highFrequencyFactor = 4.0; ///< Llama3 only
  int64_t originalMaxPositions = 0; ///< Llama3 only
  /// In any case the i-th is divided by frequencyFactors[i] (dim / 2, or none).
  std::vector<double> frequencyFactors;

  bool operator==(const RopeScaling &other) const;
};

struct RopeConfig {
  double base = 10000.0;
  int64_t dim = 0; ///< rotated features of a head, pairs (i, i + dim / 2)
  RopeScaling scaling;

  bool operator==(const RopeConfig &other) const;
};

struct LayerConfig {
  LayerKind kind = LayerKind::Global;
  int64_t window = 0; ///< keys that a query sees, itself included; 0: all
  RopeConfig rope;
  int64_t headDim = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t intermediateSize = 0;
  double scoreScale = 1.0;
  std::optional<double> scoreSoftCap;
  // Every layer normalises what enters attention and the MLP; these are extra.
  bool queryKeyNorm = false;
  bool postAttentionNorm = false;
  bool postFeedForwardNorm = false;
  int64_t kvSlot = 0;   ///< the cache slot that the layer reads
  bool writesKv = true; ///< false: the slot is an earlier layer's
};

/// Sampling defaults that the authors published with the weights.
struct GenerationConfig {
  std::optional<bool> doSample;
  std::optional<double> temperature;
  std::optional<int64_t> topK;
  std::optional<double> topP;
  std::optional<double> minP;
  std::optional<double> repetitionPenalty;
};

struct ModelConfig {
  std::string architecture; ///< "gemma", "gemma2" or "gemma3"
  std::string name;         ///< for people; may be empty
  TensorNaming naming = TensorNaming::HuggingFace;
  NormGain normGain = NormGain::OnePlus;

  int64_t vocabSize = 0;
  int64_t hiddenSize = 0;
  int64_t maxPositions = 0;
  double normEpsilon = 1e-6;
  std::string activation = "gelu_tanh"; ///< of the gated MLP
  double embeddingScale = 1.0;
  std::optional<double> finalSoftCap;
  bool tieEmbeddings = true;
  std::vector<LayerConfig> layers;
  /// Layers after those, which belong to multi-token-prediction heads.
  int64_t mtpLayers = 0;

  std::optional<int64_t> bosToken, padToken, unknownToken;
  std::vector<int64_t> eosTokens; ///< every id that ends generation, ascending
  std::optional<bool> addBos;     ///< whether text is encoded with BOS before it
  GenerationConfig generation;
  std::string chatTemplate; ///< Jinja text, empty if there is none

  int64_t numKvSlots() const;
};

/// Checks that the figures are possible and fit together; `where` names the file
/// that they came from.
llvm::Error validate(const ModelConfig &config, llvm::StringRef where);

/// The whole description, as model manifests and IR modules carry it.
nlohmann::json toJson(const ModelConfig &config);

} // namespace rlx

#endif // RLX_IMPORT_MODELCONFIG_H
