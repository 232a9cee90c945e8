//===- TensorNames.cpp - What checkpoints call their tensors --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The names in use, and which tensors a text model does without.
//===----------------------------------------------------------------------===//
#include "TensorNames.h"
#include "llvm/ADT/SmallVector.h"

using namespace rlx;

TensorNames::TensorNames(const ModelConfig &config, const WeightSource &source) : config(config) {
  if (config.naming == TensorNaming::Gguf)
    return;
  // Text models; the two layouts of models with an image tower; bare ones.
  prefix = "model.";
  for (auto [candidate, head] : {std::pair("model.", ""),
                                 {"language_model.model.", "language_model."},
                                 {"model.language_model.", ""},
                                 {"language_model.", ""},
                                 {"", ""}})
    if (source.contains(std::string(candidate) + "embed_tokens.weight")) {
      prefix = candidate;
      headPrefix = head;
      return;
    }
}

std::string TensorNames::embedding() const {
  return config.naming == TensorNaming::Gguf ? "token_embd.weight" : prefix + "embed_tokens.weight";
}

std::string TensorNames::head() const {
  return config.naming == TensorNaming::Gguf ? "output.weight" : headPrefix + "lm_head.weight";
}

std::string TensorNames::finalNorm() const {
  return config.naming == TensorNaming::Gguf ? "output_norm.weight" : prefix + "norm.weight";
}

static const char *ggufName(LayerTensor tensor) {
  switch (tensor) {
  case LayerTensor::InputNorm:
    return "attn_norm";
  case LayerTensor::Query:
    return "attn_q";
  case LayerTensor::Key:
    return "attn_k";
  case LayerTensor::Value:
    return "attn_v";
  case LayerTensor::QueryNorm:
    return "attn_q_norm";
  case LayerTensor::KeyNorm:
    return "attn_k_norm";
  case LayerTensor::Output:
    return "attn_output";
  case LayerTensor::PostAttentionNorm:
    return "post_attention_norm";
  case LayerTensor::PreFeedForwardNorm:
    return "ffn_norm";
  case LayerTensor::Gate:
    return "ffn_gate";
  case LayerTensor::Up:
    return "ffn_up";
  case LayerTensor::Down:
    return "ffn_down";
  case LayerTensor::PostFeedForwardNorm:
    return "post_ffw_norm";
  }
  return "";
}

static const char *hfName(LayerTensor tensor, bool sandwich) {
  switch (tensor) {
  case LayerTensor::InputNorm:
    return "input_layernorm";
  case LayerTensor::Query:
    return "self_attn.q_proj";
  case LayerTensor::Key:
    return "self_attn.k_proj";
  case LayerTensor::Value:
    return "self_attn.v_proj";
  case LayerTensor::QueryNorm:
    return "self_attn.q_norm";
  case LayerTensor::KeyNorm:
    return "self_attn.k_norm";
  case LayerTensor::Output:
    return "self_attn.o_proj";
  case LayerTensor::PostAttentionNorm:
    return "post_attention_layernorm";
  case LayerTensor::PreFeedForwardNorm:
    // Gemma 1, with two norms a layer, names the second after what precedes it.
    return sandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm";
  case LayerTensor::Gate:
    return "mlp.gate_proj";
  case LayerTensor::Up:
    return "mlp.up_proj";
  case LayerTensor::Down:
    return "mlp.down_proj";
  case LayerTensor::PostFeedForwardNorm:
    return "post_feedforward_layernorm";
  }
  return "";
}

std::string TensorNames::layer(int64_t number, LayerTensor tensor) const {
  if (config.naming == TensorNaming::Gguf)
    return "blk." + std::to_string(number) + "." + ggufName(tensor) + ".weight";
  bool sandwich = config.layers[number].postAttentionNorm;
  return prefix + "layers." + std::to_string(number) + "." + hfName(tensor, sandwich) + ".weight";
}

bool TensorNames::isMtp(llvm::StringRef name) const {
  llvm::SmallVector<llvm::StringRef, 8> parts;
  name.split(parts, '.');
  for (llvm::StringRef part : parts)
    if (part == "mtp" || part == "nextn")
      return true;
  std::string layers = config.naming == TensorNaming::Gguf ? "blk." : prefix + "layers.";
  int64_t number = 0;
  int64_t first = static_cast<int64_t>(config.layers.size());
  return name.consume_front(layers) && !name.consumeInteger(10, number) && number >= first &&
         number < first + config.mtpLayers;
}

llvm::StringRef rlx::reasonToSkip(llvm::StringRef name) {
  if (name.ends_with(".rotary_emb.inv_freq"))
    return "rotary frequencies follow from the configuration";
  for (llvm::StringRef prefix : {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                                 "model.multi_modal_projector.", "v.", "mm."})
    if (name.starts_with(prefix))
      return "part of the image tower, which the text model does not use";
  return "";
}
