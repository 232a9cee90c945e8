//===- FileBuilders.cpp - Byte-sized files for tests ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// See the header.
//===----------------------------------------------------------------------===//
#include "FileBuilders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace rlx;
using namespace rlx::testing;

//===----------------------------------------------------------------------===//
// GgufBuilder
//===----------------------------------------------------------------------===//

GgufBuilder &GgufBuilder::key(const std::string &name, GgufType type, const std::string &value) {
  without(name);
  keys.emplace_back(name, ggufString(name) + raw(static_cast<uint32_t>(type)) + value);
  return *this;
}
GgufBuilder &GgufBuilder::u32(const std::string &name, uint32_t value) {
  return key(name, GgufType::UInt32, raw(value));
}
GgufBuilder &GgufBuilder::f32(const std::string &name, float value) {
  return key(name, GgufType::Float32, raw(value));
}
GgufBuilder &GgufBuilder::boolean(const std::string &name, bool value) {
  return key(name, GgufType::Bool, raw(static_cast<uint8_t>(value)));
}
GgufBuilder &GgufBuilder::string(const std::string &name, const std::string &value) {
  return key(name, GgufType::String, ggufString(value));
}
GgufBuilder &GgufBuilder::array(const std::string &name, GgufType type, uint64_t count,
                                const std::string &values) {
  return key(name, GgufType::Array, raw(static_cast<uint32_t>(type)) + raw(count) + values);
}
GgufBuilder &GgufBuilder::strings(const std::string &name, const std::vector<std::string> &values) {
  std::string bytes;
  for (const std::string &value : values)
    bytes += ggufString(value);
  return array(name, GgufType::String, values.size(), bytes);
}
GgufBuilder &GgufBuilder::without(const std::string &name) {
  llvm::erase_if(keys, [&](const auto &entry) { return entry.first == name; });
  return *this;
}

GgufBuilder &GgufBuilder::tensorAt(const std::string &name, std::vector<uint64_t> dims,
                                   uint32_t type, uint64_t offset) {
  std::string bytes = ggufString(name) + raw(static_cast<uint32_t>(dims.size()));
  for (uint64_t dim : dims)
    bytes += raw(dim);
  tensors.emplace_back(name, bytes + raw(type) + raw(offset));
  return *this;
}
GgufBuilder &GgufBuilder::tensor(const std::string &name, std::vector<uint64_t> dims,
                                 uint32_t type) {
  std::vector<int64_t> shape(dims.rbegin(), dims.rend());
  uint64_t size = llvm::cantFail(storageSize(*lookUpGgmlType(type), shape));
  tensorAt(name, std::move(dims), type, dataBytes);
  dataBytes += (size + alignment - 1) / alignment * alignment;
  return *this;
}
GgufBuilder &GgufBuilder::withoutTensor(const std::string &name) {
  llvm::erase_if(tensors, [&](const auto &entry) { return entry.first == name; });
  return *this;
}

std::string GgufBuilder::header() const {
  std::string bytes = magic + raw(version) + raw<uint64_t>(tensors.size() + extraTensors) +
                      raw<uint64_t>(keys.size() + extraKeys);
  for (const auto &entry : keys)
    bytes += entry.second;
  for (const auto &entry : tensors)
    bytes += entry.second;
  return bytes;
}

std::string GgufBuilder::build() const {
  std::string bytes = header();
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  bytes.resize(bytes.size() + dataBytes);
  return bytes;
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

GgufBuilder rlx::testing::tinyGguf(const std::string &arch, int layers) {
  GgufBuilder file;
  file.string("general.architecture", arch)
      .u32(arch + ".context_length", 32)
      .u32(arch + ".embedding_length", 8)
      .u32(arch + ".block_count", static_cast<uint32_t>(layers))
      .u32(arch + ".feed_forward_length", 16)
      .u32(arch + ".attention.head_count", 2)
      .u32(arch + ".attention.head_count_kv", 1)
      .u32(arch + ".attention.sliding_window", 4)
      .f32(arch + ".attention.layer_norm_rms_epsilon", 1e-6f);
  file.tensor("token_embd.weight", {8, 6}).tensor("output_norm.weight", {8});
  for (int i = 0; i < layers; ++i) {
    std::string block = "blk." + std::to_string(i) + ".";
    file.tensor(block + "attn_norm.weight", {8})
        .tensor(block + "attn_q.weight", {8, 8})
        .tensor(block + "attn_k.weight", {8, 4})
        .tensor(block + "attn_v.weight", {8, 4})
        .tensor(block + "attn_output.weight", {8, 8})
        .tensor(block + "ffn_norm.weight", {8})
        .tensor(block + "ffn_gate.weight", {8, 16})
        .tensor(block + "ffn_up.weight", {8, 16})
        .tensor(block + "ffn_down.weight", {16, 8});
    if (arch != "gemma")
      file.tensor(block + "post_attention_norm.weight", {8})
          .tensor(block + "post_ffw_norm.weight", {8});
    if (arch == "gemma3")
      file.tensor(block + "attn_q_norm.weight", {4}).tensor(block + "attn_k_norm.weight", {4});
  }
  return file;
}

std::string rlx::testing::safetensors(const std::string &header, const std::string &data) {
  return raw<uint64_t>(header.size()) + header + data;
}

ModelConfig rlx::testing::tinyConfig(const std::string &arch, int layers) {
  ModelConfig config;
  config.architecture = arch;
  config.vocabSize = 6;
  config.hiddenSize = 8;
  config.maxPositions = 32;
  for (int i = 0; i < layers; ++i) {
    LayerConfig layer;
    layer.headDim = layer.rope.dim = 4;
    layer.heads = 2;
    layer.kvHeads = 1;
    layer.intermediateSize = 16;
    layer.kvSlot = i;
    layer.queryKeyNorm = arch == "gemma3";
    layer.postAttentionNorm = layer.postFeedForwardNorm = arch != "gemma";
    config.layers.push_back(layer);
  }
  return config;
}

void rlx::testing::addTensors(const ModelConfig &config, InMemoryWeightSource &source) {
  auto add = [&](const std::string &name, std::vector<int64_t> shape) {
    int64_t elements = 1;
    for (int64_t dim : shape)
      elements *= dim;
    llvm::cantFail(source.addTensor(name, shape, std::vector<float>(elements)));
  };
  add("model.embed_tokens.weight", {config.vocabSize, config.hiddenSize});
  add("model.norm.weight", {config.hiddenSize});
  for (size_t i = 0; i < config.layers.size(); ++i) {
    const LayerConfig &layer = config.layers[i];
    std::string prefix = "model.layers." + std::to_string(i) + ".";
    int64_t hidden = config.hiddenSize, width = layer.intermediateSize;
    add(prefix + "input_layernorm.weight", {hidden});
    add(prefix + "self_attn.q_proj.weight", {layer.heads * layer.headDim, hidden});
    add(prefix + "self_attn.k_proj.weight", {layer.kvHeads * layer.headDim, hidden});
    add(prefix + "self_attn.v_proj.weight", {layer.kvHeads * layer.headDim, hidden});
    add(prefix + "self_attn.o_proj.weight", {hidden, layer.heads * layer.headDim});
    add(prefix + "post_attention_layernorm.weight", {hidden});
    add(prefix + "mlp.gate_proj.weight", {width, hidden});
    add(prefix + "mlp.up_proj.weight", {width, hidden});
    add(prefix + "mlp.down_proj.weight", {hidden, width});
    if (layer.postAttentionNorm) {
      add(prefix + "pre_feedforward_layernorm.weight", {hidden});
      add(prefix + "post_feedforward_layernorm.weight", {hidden});
    }
    if (layer.queryKeyNorm) {
      add(prefix + "self_attn.q_norm.weight", {layer.headDim});
      add(prefix + "self_attn.k_norm.weight", {layer.headDim});
    }
  }
}

//===----------------------------------------------------------------------===//
// TemporaryFolder
//===----------------------------------------------------------------------===//

TemporaryFolder::TemporaryFolder() {
  llvm::SmallString<128> path;
  if (llvm::sys::fs::createUniqueDirectory("rlx-import-test", path))
    llvm::report_fatal_error("cannot create a temporary folder");
  folder = path.str().str();
}

TemporaryFolder::~TemporaryFolder() { llvm::sys::fs::remove_directories(folder); }

std::string TemporaryFolder::path(const std::string &name) const {
  return name.empty() ? folder : folder + "/" + name;
}

std::string TemporaryFolder::write(const std::string &name, const std::string &content) const {
  llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path(name)));
  std::error_code error;
  llvm::raw_fd_ostream stream(path(name), error);
  stream << content;
  return path(name);
}
