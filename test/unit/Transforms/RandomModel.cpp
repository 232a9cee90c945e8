//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Configurations and seeded weights of the random models.

#include "RandomModel.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace rlx;
using namespace rlx::test;

namespace {
class Filler {
public:
  explicit Filler(RandomModel &model) : model(model) {}

  void fill() {
    const ModelConfig &config = model.config;
    matrix("token_embd", config.vocabSize, config.hiddenSize);
    if (!config.tieEmbeddings)
      matrix("output", config.vocabSize, config.hiddenSize);
    gain("output_norm", config.hiddenSize);
    for (size_t i = 0; i < config.layers.size(); ++i)
      fillLayer("blk." + std::to_string(i) + ".", config.layers[i]);
  }

private:
  void fillLayer(const std::string &prefix, const LayerConfig &layer) {
    int64_t hidden = model.config.hiddenSize, queries = layer.heads * layer.headDim,
            keys = layer.kvHeads * layer.headDim, width = layer.intermediateSize;
    gain(prefix + "attn_norm", hidden);
    gain(prefix + "ffn_norm", hidden);
    matrix(prefix + "attn_q", queries, hidden);
    matrix(prefix + "attn_k", keys, hidden);
    matrix(prefix + "attn_v", keys, hidden);
    matrix(prefix + "attn_output", hidden, queries);
    matrix(prefix + "ffn_gate", width, hidden);
    matrix(prefix + "ffn_up", width, hidden);
    matrix(prefix + "ffn_down", hidden, width);
    if (layer.queryKeyNorm) {
      gain(prefix + "attn_q_norm", layer.headDim);
      gain(prefix + "attn_k_norm", layer.headDim);
    }
    if (layer.postAttentionNorm)
      gain(prefix + "post_attention_norm", hidden);
    if (layer.postFeedForwardNorm)
      gain(prefix + "post_ffw_norm", hidden);
  }

  void matrix(const std::string &name, int64_t rows, int64_t columns) {
    add(name, {rows, columns}, 0.0f, 1.0f / std::sqrt(float(columns)));
  }
  void gain(const std::string &name, int64_t size) {
    add(name, {size}, model.config.normGain == NormGain::OnePlus ? 0.0f : 1.0f, 0.2f);
  }

  void add(const std::string &name, llvm::ArrayRef<int64_t> shape, float mean, float deviation) {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    std::normal_distribution<float> distribution(mean, deviation);
    std::vector<float> values(count);
    for (float &value : values)
      value = distribution(generator);
    if (llvm::Error error = model.weights.addTensor(name + ".weight", shape, values))
      ADD_FAILURE() << llvm::toString(std::move(error));
  }

  RandomModel &model;
  std::mt19937 generator{20240517};
};
} // namespace

static LayerConfig makeLayer(int64_t slot) {
  LayerConfig layer;
  layer.rope.dim = layer.headDim = 8;
  layer.heads = 4;
  layer.kvHeads = 2;
  layer.intermediateSize = 64;
  layer.scoreScale = 0.35;
  layer.kvSlot = slot;
  return layer;
}

static std::unique_ptr<RandomModel> makeModel() {
  auto model = std::make_unique<RandomModel>();
  model->config.naming = TensorNaming::Gguf;
  model->config.vocabSize = 50;
  model->config.hiddenSize = 24;
  model->config.maxPositions = 64;
  model->config.embeddingScale = std::sqrt(24.0);
  return model;
}

std::unique_ptr<RandomModel> rlx::test::makePlainModel() {
  std::unique_ptr<RandomModel> model = makeModel();
  model->config.architecture = "gemma";
  model->config.normGain = NormGain::Plain;
  model->config.tieEmbeddings = false;
  model->config.layers = {makeLayer(0), makeLayer(1)};
  Filler(*model).fill();
  return model;
}

std::unique_ptr<RandomModel> rlx::test::makeRichModel() {
  std::unique_ptr<RandomModel> model = makeModel();
  model->config.architecture = "gemma3";
  model->config.finalSoftCap = 3.0;
  for (int64_t i = 0; i < 3; ++i) {
    LayerConfig layer = makeLayer(i);
    layer.queryKeyNorm = layer.postAttentionNorm = layer.postFeedForwardNorm = true;
    layer.scoreSoftCap = 2.0;
    if (i < 2) {
      layer.kind = LayerKind::Sliding;
      layer.window = 4;
    } else {
      layer.rope.base = 1e6;
    }
    model->config.layers.push_back(layer);
  }
  Filler(*model).fill();
  return model;
}

mlir::OwningOpRef<mlir::ModuleOp> RandomModel::import(mlir::MLIRContext &context) {
  ImportOptions options;
  options.chunk = 16;
  options.kvType = KVType::F32;
  auto module = importModel(context, weights, config, options);
  if (module)
    return std::move(*module);
  ADD_FAILURE() << llvm::toString(module.takeError());
  return {};
}
