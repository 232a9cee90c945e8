//===- TestModels.cpp - The bundled checkpoints, loaded -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Import, transforms, code generation, linking and loading in one process.
//
//===----------------------------------------------------------------------===//
#include "TestModels.h"
#include "CompiledModel.h"
#include "PlainPlan.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Conversion/Scratch.h"
#include "rlx/Import/Checkpoint.h"
#include "rlx/Import/ImportModel.h"
#include "rlx/Packing/PackWeights.h"
#include "rlx/Transforms/Passes.h"
#include <cstring>

using namespace rlx;
using namespace rlx::test;

static bool isGguf(llvm::StringRef name) { return name.ends_with(".gguf"); }

/// Everything between import and code generation.
static mlir::LogicalResult transform(mlir::ModuleOp module, const TestModelOptions &options,
                                     bool asStored) {
  mlir::PassManager manager(module.getContext());
  if (options.optimised) {
    PlanOptions plan;
    plan.weights.dtype = asStored ? "" : "f32";
    plan.weights.quantize = options.quantize;
    plan.screenHead = options.reduced ? "q4_0" : "";
    plan.scratchBytes = scratchBytes;
    buildFusionPipeline(manager, {});
    buildFoldPipeline(manager);
    buildSpecializePipeline(manager, {});
    buildPlanPipeline(manager, plan);
  } else {
    convertWeightsToF32(module);
    planWithoutReuse(module);
    addVariants(module);
  }
  manager.addPass(createAssignWeightLayout());
  return manager.run(module);
}

/// As models are packed that users get.
static llvm::Expected<std::vector<Line>> packByProduct(mlir::ModuleOp module,
                                                       const WeightSource &source) {
  auto recipes = readRecipes(module, [&](SourceAttr tensor) -> llvm::Expected<const Tensor *> {
    return source.find(tensor.getTensor().getValue());
  });
  if (!recipes)
    return recipes.takeError();
  std::vector<char> bytes;
  auto packed = rlx::packWeights(*recipes, {}, [&](llvm::ArrayRef<uint8_t> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
    return llvm::Error::success();
  });
  if (!packed)
    return packed.takeError();
  std::vector<Line> lines((bytes.size() + sizeof(Line) - 1) / sizeof(Line));
  std::memcpy(lines.data(), bytes.data(), bytes.size());
  return lines;
}

llvm::Expected<LoadedModel> rlx::test::loadTestModel(llvm::StringRef name,
                                                     const TestModelOptions &options) {
  const char *folder = isGguf(name) ? RLX_TEST_DATA "/goldens/gguf/" : RLX_TEST_DATA "/models/";
  llvm::Expected<Checkpoint> checkpoint = openCheckpoint((folder + name).str());
  if (!checkpoint)
    return checkpoint.takeError();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  ImportOptions import;
  import.maxBatch = options.batch;
  import.chunk = options.chunk;
  import.maxOutputs = options.chunk;
  import.kvType = options.reduced ? KVType::Q8_0 : KVType::F32;
  auto module = importModel(context, *checkpoint->weights, checkpoint->config, import);
  if (!module)
    return module.takeError();
  if (mlir::failed(transform(**module, options, isGguf(name))))
    return llvm::createStringError("the transforms failed");
  auto object = compileToSharedObject(**module, options.target, options.sanitize);
  if (!object)
    return object.takeError();
  auto table = loadSharedObject(*object);
  if (!table)
    return table.takeError();
  if (options.quantize.empty() && !isGguf(name))
    return LoadedModel{*table, packWeights(**module, *checkpoint->weights)};
  auto weights = packByProduct(**module, *checkpoint->weights);
  if (!weights)
    return weights.takeError();
  return LoadedModel{*table, std::move(*weights)};
}
