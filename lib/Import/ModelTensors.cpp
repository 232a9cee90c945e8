//===- ModelTensors.cpp - The tensors of a model, found and checked -------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Shapes, the rules of tied heads, and what becomes of tensors beyond the model.
//===----------------------------------------------------------------------===//
#include "ModelTensors.h"
#include "Error.h"
#include "rlx/Import/Dequantize.h"
#include "llvm/ADT/StringExtras.h"
#include <cstring>

using namespace rlx;

namespace {

class Binder {
public:
  Binder(const ModelConfig &config, WeightSource &source)
      : config(config), source(source), names(config, source) {}

  llvm::Expected<ModelTensors> bind();

private:
  llvm::Error take(const std::string &name, llvm::ArrayRef<int64_t> shape, const Tensor *&result);
  llvm::Error takeLayer(int64_t number, std::map<LayerTensor, const Tensor *> &result);
  llvm::Error takeHead(ModelTensors &tensors);
  llvm::Error sortOutRest();

  const ModelConfig &config;
  WeightSource &source;
  TensorNames names;
};

} // namespace

static std::string shapeToString(llvm::ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

llvm::Error Binder::take(const std::string &name, llvm::ArrayRef<int64_t> shape,
                         const Tensor *&result) {
  llvm::Expected<const Tensor *> tensor = source.consume(name);
  if (!tensor)
    return tensor.takeError();
  result = *tensor;
  if (llvm::ArrayRef<int64_t>(result->shape) != shape)
    return importError("{0}: tensor '{1}': expected shape {2} but got {3}", result->file, name,
                       shapeToString(shape), shapeToString(result->shape));
  if (shape.size() == 1 && isQuantized(result->type))
    return importError("{0}: tensor '{1}': expected a norm of type F32, F16 or BF16 but got {2}",
                       result->file, name, result->typeName);
  return llvm::Error::success();
}

llvm::Error Binder::takeLayer(int64_t number, std::map<LayerTensor, const Tensor *> &result) {
  const LayerConfig &layer = config.layers[number];
  int64_t hidden = config.hiddenSize, width = layer.intermediateSize;
  int64_t queries = layer.heads * layer.headDim, keys = layer.kvHeads * layer.headDim;
  struct Wanted {
    LayerTensor tensor;
    bool present;
    llvm::SmallVector<int64_t, 2> shape;
  };
  const Wanted wanted[] = {
      {LayerTensor::InputNorm, true, {hidden}},
      {LayerTensor::Query, true, {queries, hidden}},
      {LayerTensor::Key, layer.writesKv, {keys, hidden}},
      {LayerTensor::Value, layer.writesKv, {keys, hidden}},
      {LayerTensor::QueryNorm, layer.queryKeyNorm, {layer.headDim}},
      {LayerTensor::KeyNorm, layer.queryKeyNorm && layer.writesKv, {layer.headDim}},
      {LayerTensor::Output, true, {hidden, queries}},
      {LayerTensor::PostAttentionNorm, layer.postAttentionNorm, {hidden}},
      {LayerTensor::PreFeedForwardNorm, true, {hidden}},
      {LayerTensor::Gate, true, {width, hidden}},
      {LayerTensor::Up, true, {width, hidden}},
      {LayerTensor::Down, true, {hidden, width}},
      {LayerTensor::PostFeedForwardNorm, layer.postFeedForwardNorm, {hidden}},
  };
  for (const Wanted &one : wanted)
    if (one.present)
      if (llvm::Error error = take(names.layer(number, one.tensor), one.shape, result[one.tensor]))
        return error;
  return llvm::Error::success();
}

/// Whether two tensors of one shape hold the same values.
static bool sameValues(const Tensor &a, const Tensor &b) {
  if (a.type == b.type)
    return a.bytes == b.bytes;
  size_t columns = static_cast<size_t>(a.shape.back());
  std::vector<float> rowA(columns), rowB(columns);
  for (int64_t row = 0; row < a.numRows(); ++row) {
    dequantizeRow(a.type, a.bytes.drop_front(row * a.rowBytes()), rowA);
    dequantizeRow(b.type, b.bytes.drop_front(row * b.rowBytes()), rowB);
    if (std::memcmp(rowA.data(), rowB.data(), columns * sizeof(float)) != 0)
      return false;
  }
  return true;
}

/// A tied checkpoint may repeat the embedding as its head, but not contradict it.
llvm::Error Binder::takeHead(ModelTensors &tensors) {
  std::string name = names.head();
  if (config.tieEmbeddings && !source.contains(name))
    return llvm::Error::success();
  const Tensor *head = nullptr;
  if (llvm::Error error = take(name, {config.vocabSize, config.hiddenSize}, head))
    return error;
  if (!config.tieEmbeddings) {
    tensors.head = head;
    return llvm::Error::success();
  }
  bool same = sameValues(*head, *tensors.embedding);
  source.release(*head);
  source.release(*tensors.embedding);
  if (!same)
    return importError("{0}: tensor '{1}': expected it to equal '{2}' because the configuration "
                       "ties them (tie_word_embeddings) but its values differ",
                       head->file, name, tensors.embedding->name);
  source.skip(*head, "equal to the embedding, which serves as the head");
  return llvm::Error::success();
}

/// Accounts for every tensor that the model has not consumed.
llvm::Error Binder::sortOutRest() {
  for (const Tensor *tensor : source.withUse(TensorUse::Unused)) {
    llvm::StringRef reason = reasonToSkip(tensor->name);
    if (names.isMtp(tensor->name))
      source.markMtp(*tensor);
    else if (!reason.empty())
      source.skip(*tensor, reason);
    else
      return importError("{0}: tensor '{1}' is not part of a {2} model with {3} layers",
                         tensor->file, printable(tensor->name), config.architecture,
                         config.layers.size());
  }
  return llvm::Error::success();
}

llvm::Expected<ModelTensors> Binder::bind() {
  ModelTensors tensors;
  if (llvm::Error error =
          take(names.embedding(), {config.vocabSize, config.hiddenSize}, tensors.embedding))
    return std::move(error);
  tensors.layers.resize(config.layers.size());
  for (size_t i = 0; i < config.layers.size(); ++i)
    if (llvm::Error error = takeLayer(static_cast<int64_t>(i), tensors.layers[i]))
      return std::move(error);
  if (llvm::Error error = take(names.finalNorm(), {config.hiddenSize}, tensors.finalNorm))
    return std::move(error);
  if (llvm::Error error = takeHead(tensors))
    return std::move(error);
  // The configuration already holds its values.
  if (config.naming == TensorNaming::Gguf)
    if (const Tensor *factors = source.find("rope_freqs.weight"))
      if (llvm::Error error = source.consume(factors->name).takeError())
        return std::move(error);
  if (llvm::Error error = sortOutRest())
    return std::move(error);
  return std::move(tensors);
}

llvm::Expected<ModelTensors> rlx::bindTensors(const ModelConfig &config, WeightSource &source) {
  return Binder(config, source).bind();
}
