//===- ImportModel.cpp - From a checkpoint to an RLX module ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Declares symbols, weights and KV slots, and builds each forward function from
// the description of the model's layers.
//===----------------------------------------------------------------------===//
#include "rlx/Import/ImportModel.h"
#include "Error.h"
#include "ForwardBuilder.h"
#include "ModelTensors.h"
#include "mlir/IR/Verifier.h"
#include <nlohmann/json.hpp>

using namespace mlir;
using namespace rlx;

namespace {

class ModuleBuilder {
public:
  ModuleBuilder(MLIRContext &context, const ModelConfig &config, const ImportOptions &options)
      : config(config), options(options), builder(&context),
        module(ModuleOp::create(builder.getUnknownLoc())) {
    builder.setInsertionPointToEnd(module->getBody());
  }

  OwningOpRef<ModuleOp> build(const ModelTensors &tensors, const WeightSource &source);

private:
  Type elementType(DType type);
  SourceAttr sourceOf(const Tensor &tensor);
  void addWeight(const std::string &name, const Tensor *tensor);
  void addWeights(const ModelTensors &tensors);
  void addSlots();
  void setAttributes(const WeightSource &source);

  const ModelConfig &config;
  const ImportOptions &options;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
};

} // namespace

Type ModuleBuilder::elementType(DType type) {
  switch (type) {
  case DType::F32:
    return builder.getF32Type();
  case DType::F16:
    return builder.getF16Type();
  case DType::BF16:
    return builder.getBF16Type();
  default:
    return QuantType::get(builder.getContext(), getDTypeInfo(type).name);
  }
}

SourceAttr ModuleBuilder::sourceOf(const Tensor &tensor) {
  return SourceAttr::get(builder.getContext(), builder.getStringAttr(tensor.file),
                         builder.getStringAttr(tensor.name), static_cast<int64_t>(tensor.offset),
                         RankedTensorType::get(tensor.shape, elementType(tensor.type)));
}

void ModuleBuilder::addWeight(const std::string &name, const Tensor *tensor) {
  SourceAttr source = sourceOf(*tensor);
  WeightOp::create(builder, builder.getUnknownLoc(), name, source.getType(),
                   builder.getArrayAttr(source), Combine::None, builder.getArrayAttr({}),
                   /*offset=*/IntegerAttr(), /*size=*/IntegerAttr());
}

void ModuleBuilder::addWeights(const ModelTensors &tensors) {
  addWeight(weightName::embedding, tensors.embedding);
  for (auto [number, layer] : llvm::enumerate(tensors.layers))
    for (auto [role, tensor] : layer)
      addWeight(weightName::layer(number, role), tensor);
  addWeight(weightName::finalNorm, tensors.finalNorm);
  if (tensors.head)
    addWeight(weightName::head, tensors.head);
}

void ModuleBuilder::addSlots() {
  for (const LayerConfig &layer : config.layers)
    if (layer.writesKv)
      KVSlotOp::create(builder, builder.getUnknownLoc(), slotName(layer.kvSlot), layer.kvHeads,
                       layer.headDim, options.kvType, layer.window);
}

void ModuleBuilder::setAttributes(const WeightSource &source) {
  MLIRContext *context = builder.getContext();
  int64_t chunk = std::min(options.chunk, options.maxContext);
  auto symbol = [&](StringRef name, int64_t min, int64_t max) -> Attribute {
    return SymbolAttr::get(context, builder.getStringAttr(name), min, max);
  };
  (*module)->setAttr(
      RLXDialect::kSymbolsAttr,
      builder.getArrayAttr({symbol("BATCH", 1, options.maxBatch), symbol("SEQ", 1, chunk),
                            symbol("PAST_SEQ", 0, options.maxContext - 1),
                            symbol("OUT", 0, std::min(options.maxOutputs, chunk))}));
  (*module)->setAttr(kModelAttr, builder.getStringAttr(toJson(config).dump()));
  if (!options.includeMtp)
    return;
  SmallVector<Attribute> mtp;
  for (const Tensor *tensor : source.withUse(TensorUse::Mtp))
    mtp.push_back(sourceOf(*tensor));
  (*module)->setAttr(kMtpAttr, builder.getArrayAttr(mtp));
}

OwningOpRef<ModuleOp> ModuleBuilder::build(const ModelTensors &tensors,
                                           const WeightSource &source) {
  setAttributes(source);
  addWeights(tensors);
  addSlots();
  ForwardBuilder(builder, config, Role::Prefill).build();
  ForwardBuilder(builder, config, Role::Decode).build();
  return std::move(module);
}

/// Checks the options and resolves those that have a default.
static llvm::Expected<ImportOptions>
resolve(const ImportOptions &options, const ModelConfig &config, const WeightSource &source) {
  ImportOptions result = options;
  if (result.maxContext == 0)
    result.maxContext = config.maxPositions;
  if (result.maxContext < 1 || result.maxContext > config.maxPositions)
    return importError("expected a context of 1 to {0} positions, as {1} allows, but got {2}",
                       config.maxPositions, source.name(), result.maxContext);
  if (result.maxBatch < 1 || result.chunk < 1 || result.maxOutputs < 1)
    return importError("expected sequences, a chunk and outputs of at least 1 but got {0}, {1} "
                       "and {2}",
                       result.maxBatch, result.chunk, result.maxOutputs);
  return result;
}

llvm::Expected<OwningOpRef<ModuleOp>> rlx::importModel(MLIRContext &context, WeightSource &weights,
                                                       const ModelConfig &config,
                                                       const ImportOptions &options) {
  if (llvm::Error error = validate(config, weights.name()))
    return std::move(error);
  llvm::Expected<ImportOptions> resolved = resolve(options, config, weights);
  if (!resolved)
    return resolved.takeError();
  llvm::Expected<ModelTensors> tensors = bindTensors(config, weights);
  if (!tensors)
    return tensors.takeError();
  if (options.includeMtp) {
    std::vector<const Tensor *> mtp = weights.withUse(TensorUse::Mtp);
    if (mtp.empty())
      return importError("{0}: there are no multi-token-prediction tensors (mtp.*, nextn.*) to "
                         "include",
                         weights.name());
    for (const Tensor *tensor : mtp)
      if (tensor->type == DType::Unsupported)
        return importError("{0}: tensor '{1}' has type {2}, which is not supported", tensor->file,
                           tensor->name, tensor->typeName);
  }
  context.loadDialect<RLXDialect, func::FuncDialect>();
  OwningOpRef<ModuleOp> module = ModuleBuilder(context, config, *resolved).build(*tensors, weights);
  if (failed(verify(*module)))
    return importError("{0}: the imported module does not verify", weights.name());
  return std::move(module);
}
