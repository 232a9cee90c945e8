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
#include "rlx/Transforms/Passes.h"

using namespace rlx;
using namespace rlx::test;

/// Everything between import and code generation.
static mlir::LogicalResult transform(mlir::ModuleOp module, bool optimised) {
  mlir::PassManager manager(module.getContext());
  if (optimised) {
    PlanOptions plan;
    plan.weights.dtype = "f32";
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

llvm::Expected<LoadedModel> rlx::test::loadTestModel(llvm::StringRef name, bool optimised,
                                                     bool sanitize) {
  llvm::Expected<Checkpoint> checkpoint = openCheckpoint((RLX_TEST_DATA "/models/" + name).str());
  if (!checkpoint)
    return checkpoint.takeError();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  ImportOptions options;
  options.chunk = 32;
  options.maxOutputs = 32;
  options.kvType = KVType::F32;
  auto module = importModel(context, *checkpoint->weights, checkpoint->config, options);
  if (!module)
    return module.takeError();
  if (mlir::failed(transform(**module, optimised)))
    return llvm::createStringError("the transforms failed");
  auto object = compileToSharedObject(**module, "x86-64-v3", sanitize);
  if (!object)
    return object.takeError();
  auto table = loadSharedObject(*object);
  if (!table)
    return table.takeError();
  return LoadedModel{*table, packWeights(**module, *checkpoint->weights)};
}
