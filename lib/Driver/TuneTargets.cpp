//===- TuneTargets.cpp - --tune -------------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Finds the products that most bytes of the weights belong to.
//===----------------------------------------------------------------------===//
#include "TuneTargets.h"
#include "rlx/Conversion/Weights.h"
#include "rlx/Tune/Tuner.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace mlir;
using namespace rlx;

/// The weights that linear ops other than a head multiply: heads are embeddings as a rule, and
/// have no part in products with many tokens.
static TuneShapes findShapes(ModuleOp module) {
  llvm::DenseSet<StringAttr> embeddings;
  module.walk([&](EmbeddingOp op) { embeddings.insert(op.getWeightAttr().getAttr()); });
  std::map<std::tuple<WeightFormat, int64_t, int64_t>, int64_t> bytes;
  for (auto weight : module.getOps<WeightOp>()) {
    RankedTensorType type = weight.getTensorType();
    if (getWeightLayout(weight) != "r16" || embeddings.contains(weight.getSymNameAttr()))
      continue;
    FailureOr<WeightFormat> format = getWeightFormat(weight);
    FailureOr<int64_t> size = getPackedBytes(weight);
    if (succeeded(format) && succeeded(size))
      bytes[{*format, type.getDimSize(1), type.getDimSize(0)}] += *size;
  }
  TuneShapes shapes;
  int64_t most[2] = {0, 0};
  for (auto [shape, total] : bytes) {
    auto [format, k, n] = shape;
    bool quantized = isQuantized(format);
    if (total <= most[quantized])
      continue;
    most[quantized] = total;
    (quantized ? shapes.quantized : shapes.dense) = TuneShape{format, k, n};
  }
  return shapes;
}

static llvm::Error tune(std::string &name, const TuneShapes &shapes, const TuneOptions &options,
                        Console &console) {
  llvm::Expected<TargetDescription> target = resolveTarget(name);
  if (!target)
    return target.takeError();
  TuneCache cache = TuneCache::standard();
  std::string origin = "found earlier, in " + cache.path();
  std::optional<std::string> tuning = cache.find(*target, shapes, options);
  if (!tuning) {
    llvm::Expected<TuneResult> result = tuneTarget(*target, shapes, options);
    if (!result)
      return result.takeError();
    tuning = result->tuning;
    origin = llvm::formatv("measured in {0:f1} s", result->seconds);
    // Without a cache the next compilation measures again.
    if (llvm::Error error = cache.store(*target, shapes, options, *result))
      console.note("the tuning is not kept: " + llvm::toString(std::move(error)));
  }
  name += ":" + *tuning;
  console.note("tuned --target-cpu=" + name + " (" + origin + ")");
  return llvm::Error::success();
}

llvm::Error rlx::tuneTargets(std::vector<std::string> &names, ModuleOp module, unsigned threads,
                             Console &console) {
  TuneShapes shapes = findShapes(module);
  if (!shapes.quantized && !shapes.dense)
    return llvm::createStringError("--tune: the model has no matrix to tune for");
  TuneOptions options;
  options.threads = threads;
  bool any = false;
  for (std::string &name : names) {
    llvm::StringRef text(name);
    if (!text.starts_with("native") || text.contains(':'))
      continue;
    any = true;
    if (llvm::Error error = tune(name, shapes, options, console))
      return error;
  }
  if (any)
    return llvm::Error::success();
  return llvm::createStringError("--tune measures on this machine: it needs the target 'native', "
                                 "without tuning of its own");
}
