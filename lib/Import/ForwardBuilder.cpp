//===- ForwardBuilder.cpp - Builder of forward functions ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The one description of a Gemma layer. What differs between versions and layers
// is read from the layer's configuration.
//===----------------------------------------------------------------------===//
#include "ForwardBuilder.h"

using namespace mlir;
using namespace rlx;

std::string rlx::weightName::layer(int64_t number, LayerTensor tensor) {
  static constexpr const char *names[] = {"input_norm",
                                          "q",
                                          "k",
                                          "v",
                                          "q_norm",
                                          "k_norm",
                                          "o",
                                          "post_attention_norm",
                                          "pre_feed_forward_norm",
                                          "gate",
                                          "up",
                                          "down",
                                          "post_feed_forward_norm"};
  return "layers." + std::to_string(number) + "." + names[static_cast<unsigned>(tensor)];
}

std::string rlx::slotName(int64_t slot) { return "kv" + std::to_string(slot); }

ForwardBuilder::ForwardBuilder(OpBuilder &builder, const ModelConfig &config, Role role)
    : builder(builder), loc(builder.getUnknownLoc()), config(config), role(role) {
  for (const char *name : {"BATCH", "SEQ", "PAST_SEQ", "OUT"})
    symbols.push_back(builder.getStringAttr(name));
  batch = builder.getAffineSymbolExpr(0);
  seq = role == Role::Decode ? builder.getAffineConstantExpr(1) : builder.getAffineSymbolExpr(1);
  past = builder.getAffineSymbolExpr(2);
  out = builder.getAffineSymbolExpr(3);
}

//===----------------------------------------------------------------------===//
// Types and attributes
//===----------------------------------------------------------------------===//

RankedTensorType ForwardBuilder::tensorType(AffineExpr rows, ArrayRef<int64_t> trailing,
                                            Type element) {
  SmallVector<AffineExpr> dims = {batch, rows};
  for (int64_t size : trailing)
    dims.push_back(builder.getAffineConstantExpr(size));
  return getTensorType(DimsAttr::get(builder.getContext(), symbols, dims), element);
}

RankedTensorType ForwardBuilder::activation(ArrayRef<int64_t> trailing) {
  return tensorType(seq, trailing, builder.getF32Type());
}

FlatSymbolRefAttr ForwardBuilder::symbol(StringRef name) {
  return FlatSymbolRefAttr::get(builder.getContext(), name);
}

FloatAttr ForwardBuilder::f32(double value) {
  return builder.getF32FloatAttr(static_cast<float>(value));
}

static RopeAttr ropeAttr(OpBuilder &builder, const RopeConfig &rope) {
  const RopeScaling &scaling = rope.scaling;
  auto f64 = [&](double value) { return builder.getF64FloatAttr(value); };
  FloatAttr factor, low, high;
  int64_t originalMax = 0;
  StringRef kind = "none";
  if (scaling.kind != RopeScalingKind::None) {
    kind = scaling.kind == RopeScalingKind::Linear ? "linear" : "llama3";
    factor = f64(scaling.factor);
  }
  if (scaling.kind == RopeScalingKind::Llama3) {
    low = f64(scaling.lowFrequencyFactor);
    high = f64(scaling.highFrequencyFactor);
    originalMax = scaling.originalMaxPositions;
  }
  DenseF64ArrayAttr factors;
  if (!scaling.frequencyFactors.empty())
    factors = builder.getDenseF64ArrayAttr(scaling.frequencyFactors);
  return RopeAttr::get(builder.getContext(), f64(rope.base), rope.dim, builder.getStringAttr(kind),
                       factor, low, high, originalMax, factors);
}

//===----------------------------------------------------------------------===//
// Pieces of a layer
//===----------------------------------------------------------------------===//

/// One table of angles for each distinct rotary embedding, shared by the layers.
void ForwardBuilder::emitAngles(Value cache) {
  Value positions =
      PositionsOp::create(builder, loc, tensorType(seq, {}, builder.getI64Type()), cache);
  for (const LayerConfig &layer : config.layers)
    if (!anglesOf(layer.rope))
      angles.emplace_back(layer.rope,
                          RopeAnglesOp::create(builder, loc, activation({2, layer.rope.dim / 2}),
                                               positions, ropeAttr(builder, layer.rope)));
}

Value ForwardBuilder::anglesOf(const RopeConfig &rope) const {
  for (const auto &[known, value] : angles)
    if (known == rope)
      return value;
  return {};
}

Value ForwardBuilder::norm(Value input, const std::string &weight) {
  auto gain =
      config.normGain == NormGain::OnePlus ? GainConvention::OnePlus : GainConvention::Plain;
  return RmsNormOp::create(builder, loc, input.getType(), input, symbol(weight),
                           GainConventionAttr::get(builder.getContext(), gain),
                           f32(config.normEpsilon), /*residual=*/Value());
}

Value ForwardBuilder::layerNorm(Value input, int64_t layer, LayerTensor tensor) {
  return norm(input, weightName::layer(layer, tensor));
}

Value ForwardBuilder::linear(Value input, Type result, const std::string &weight) {
  return LinearOp::create(builder, loc, result, input, symbol(weight),
                          /*norm=*/FlatSymbolRefAttr(), /*eps=*/FloatAttr(), /*geglu=*/UnitAttr(),
                          /*cap=*/FloatAttr(), /*residual=*/Value());
}

Value ForwardBuilder::project(Value input, int64_t layer, LayerTensor tensor, int64_t columns) {
  return linear(input, activation({columns}), weightName::layer(layer, tensor));
}

Value ForwardBuilder::heads(Value input, int64_t count, int64_t headDim) {
  return SplitHeadsOp::create(builder, loc, TypeRange(activation({count, headDim})), input)
      .getResult(0);
}

/// Keys and values of the layer, from its normalised input, go into its slot.
void ForwardBuilder::appendKeys(Value input, int64_t number, Value &cache) {
  const LayerConfig &layer = config.layers[number];
  int64_t columns = layer.kvHeads * layer.headDim;
  Value key =
      heads(project(input, number, LayerTensor::Key, columns), layer.kvHeads, layer.headDim);
  Value value =
      heads(project(input, number, LayerTensor::Value, columns), layer.kvHeads, layer.headDim);
  if (layer.queryKeyNorm)
    key = layerNorm(key, number, LayerTensor::KeyNorm);
  key = RopeOp::create(builder, loc, key.getType(), key, anglesOf(layer.rope));
  cache =
      KVAppendOp::create(builder, loc, cache.getType(), cache, slotName(layer.kvSlot), key, value);
}

Value ForwardBuilder::attentionBlock(Value x, int64_t number, Value &cache) {
  const LayerConfig &layer = config.layers[number];
  int64_t columns = layer.heads * layer.headDim;
  Value input = layerNorm(x, number, LayerTensor::InputNorm);
  Value query =
      heads(project(input, number, LayerTensor::Query, columns), layer.heads, layer.headDim);
  if (layer.queryKeyNorm)
    query = layerNorm(query, number, LayerTensor::QueryNorm);
  query = RopeOp::create(builder, loc, query.getType(), query, anglesOf(layer.rope));
  if (layer.writesKv)
    appendKeys(input, number, cache);

  RankedTensorType history =
      tensorType(past + seq, {layer.kvHeads, layer.headDim}, builder.getF32Type());
  auto read = KVReadOp::create(builder, loc, history, history, cache, slotName(layer.kvSlot));
  FloatAttr cap = layer.scoreSoftCap ? f32(*layer.scoreSoftCap) : FloatAttr();
  IntegerAttr window = layer.window ? builder.getI64IntegerAttr(layer.window) : IntegerAttr();
  Value attended = AttentionOp::create(
      builder, loc, query.getType(), query, read.getKey(), read.getValue(),
      MaskAttr::get(builder.getContext(), Mask::Causal), f32(layer.scoreScale), cap, window);
  Value merged = MergeHeadsOp::create(builder, loc, activation({columns}), attended);
  Value result = project(merged, number, LayerTensor::Output, config.hiddenSize);
  if (layer.postAttentionNorm)
    result = layerNorm(result, number, LayerTensor::PostAttentionNorm);
  return AddOp::create(builder, loc, x, result);
}

Value ForwardBuilder::feedForwardBlock(Value x, int64_t number) {
  const LayerConfig &layer = config.layers[number];
  Value input = layerNorm(x, number, LayerTensor::PreFeedForwardNorm);
  Value gate = project(input, number, LayerTensor::Gate, layer.intermediateSize);
  Value up = project(input, number, LayerTensor::Up, layer.intermediateSize);
  Value gated = GegluOp::create(builder, loc, gate, up);
  Value result = project(gated, number, LayerTensor::Down, config.hiddenSize);
  if (layer.postFeedForwardNorm)
    result = layerNorm(result, number, LayerTensor::PostFeedForwardNorm);
  return AddOp::create(builder, loc, x, result);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

func::FuncOp ForwardBuilder::createFunction() {
  Type cache = KVCacheType::get(builder.getContext()), f32Type = builder.getF32Type();
  auto type = builder.getFunctionType(
      {tensorType(seq, {}, builder.getI32Type()), cache, builder.getIndexType()},
      {tensorType(out, {config.vocabSize}, f32Type), tensorType(out, {config.hiddenSize}, f32Type),
       cache});
  StringRef name = stringifyRole(role);
  auto function = func::FuncOp::create(builder, loc, name, type);
  function->setAttr(RLXDialect::kRoleAttr, builder.getStringAttr(name));
  if (role == Role::Decode) // one token has at most one row of logits
    function->setAttr(
        RLXDialect::kSymbolsAttr,
        builder.getArrayAttr(Attribute(SymbolAttr::get(builder.getContext(), symbols[3], 0, 1))));
  return function;
}

/// The rows that are asked for, normalised (the hidden state), and their logits.
void ForwardBuilder::emitOutputs(Value x, Value begin, Value cache) {
  Type f32Type = builder.getF32Type();
  Value selected =
      SelectRowsOp::create(builder, loc, tensorType(out, {config.hiddenSize}, f32Type), x, begin);
  Value hidden = norm(selected, weightName::finalNorm);
  Value logits = linear(hidden, tensorType(out, {config.vocabSize}, f32Type),
                        config.tieEmbeddings ? weightName::embedding : weightName::head);
  if (config.finalSoftCap)
    logits = SoftcapOp::create(builder, loc, logits.getType(), logits, f32(*config.finalSoftCap));
  func::ReturnOp::create(builder, loc, ValueRange{logits, hidden, cache});
}

func::FuncOp ForwardBuilder::build() {
  func::FuncOp function = createFunction();
  Block *entry = function.addEntryBlock();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(entry);
  Value ids = entry->getArgument(0), cache = entry->getArgument(1), begin = entry->getArgument(2);
  emitAngles(cache);
  Value x = EmbeddingOp::create(builder, loc, activation({config.hiddenSize}), ids,
                                symbol(weightName::embedding), f32(config.embeddingScale));
  for (size_t i = 0; i < config.layers.size(); ++i) {
    x = attentionBlock(x, static_cast<int64_t>(i), cache);
    x = feedForwardBlock(x, static_cast<int64_t>(i));
  }
  emitOutputs(x, begin, cache);
  return function;
}
