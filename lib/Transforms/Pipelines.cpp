//===- Pipelines.cpp - Pipelines of the phases ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Puts the passes together, and registers them and the pipelines.
//
//===----------------------------------------------------------------------===//
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "rlx/Transforms/Passes.h"

using namespace mlir;
using namespace rlx;

namespace rlx {
namespace {
#define GEN_PASS_REGISTRATION
#include "rlx/Transforms/Passes.h.inc"
} // namespace
} // namespace rlx

static constexpr std::pair<Fusion, StringLiteral> kFusions[] = {
    {Fusion::Attention, "attention"}, {Fusion::RopeAppend, "rope-append"},
    {Fusion::Geglu, "geglu"},         {Fusion::Qkv, "qkv"},
    {Fusion::GateUp, "gate-up"},      {Fusion::NormIntoLinear, "norm-into-linear"},
    {Fusion::Epilogues, "epilogues"},
};

StringRef rlx::stringifyFusion(Fusion fusion) {
  const auto *entry = llvm::find_if(kFusions, [&](const auto &e) { return e.first == fusion; });
  return entry->second;
}

std::optional<Fusion> rlx::symbolizeFusion(StringRef name) {
  const auto *entry = llvm::find_if(kFusions, [&](const auto &e) { return e.second == name; });
  return entry == std::end(kFusions) ? std::nullopt : std::optional(entry->first);
}

std::vector<Fusion> rlx::getAllFusions() {
  std::vector<Fusion> all;
  for (const auto &entry : kFusions)
    all.push_back(entry.first);
  return all;
}

static std::unique_ptr<Pass> createFusion(Fusion fusion, const std::string &role) {
  switch (fusion) {
  case Fusion::Attention:
    return createFuseAttention({role});
  case Fusion::RopeAppend:
    return createFuseRopeAppend({role});
  case Fusion::Geglu:
    return createFuseGeglu({role});
  case Fusion::Qkv:
    return createFuseQkv({role});
  case Fusion::GateUp:
    return createFuseGateUp({role});
  case Fusion::NormIntoLinear:
    return createFuseNormIntoLinear({role});
  case Fusion::Epilogues:
    return createFuseEpilogues({role});
  }
  llvm_unreachable("every fusion has its pass");
}

static bool selects(const std::vector<Fusion> &list, Fusion fusion) {
  // Gate and up meet in an rlx.geglu.
  return llvm::is_contained(list, fusion) ||
         (fusion == Fusion::Geglu && llvm::is_contained(list, Fusion::GateUp));
}

static void addStageVerifier(OpPassManager &manager, StringRef stage) {
  VerifyStageOptions options;
  options.stage = stage.str();
  manager.addPass(createVerifyStage(options));
}

void rlx::buildFusionPipeline(OpPassManager &manager, const FusionOptions &options) {
  for (const auto &entry : kFusions) {
    bool prefill = selects(options.prefill, entry.first);
    bool decode = selects(options.decode, entry.first);
    if (prefill || decode)
      manager.addPass(createFusion(entry.first, prefill && decode ? ""
                                                : prefill         ? "prefill"
                                                                  : "decode"));
  }
  addStageVerifier(manager, "fuse");
}

void rlx::buildFoldPipeline(OpPassManager &manager) {
  manager.addPass(createFoldConstants());
  manager.addPass(createShareRopeAngles());
  addStageVerifier(manager, "fold");
}

void rlx::buildSpecializePipeline(OpPassManager &manager, const SpecializeOptions &options) {
  manager.addPass(createSpecialize(options));
  addStageVerifier(manager, "specialize");
}

static void addGenericOps(OpPassManager &manager, ArrayRef<std::string> names, StringRef role) {
  if (names.empty())
    return;
  MarkGenericOptions options;
  llvm::append_range(options.names, names);
  options.role = role.str();
  manager.addPass(createMarkGeneric(options));
}

void rlx::buildPlanPipeline(OpPassManager &manager, const PlanOptions &options) {
  addGenericOps(manager, options.genericOps.prefill, "prefill");
  addGenericOps(manager, options.genericOps.decode, "decode");
  manager.addPass(createPackWeights(options.weights));
  if (!options.screenHead.empty())
    manager.addPass(createScreenHead({options.screenHead}));
  manager.addPass(createPlanMemory(options.scratchBytes));
  addStageVerifier(manager, "plan");
  manager.addPass(createVerifyPlan(options.scratchBytes));
}

void rlx::registerTransformsPasses(ScratchBytesFn scratchBytes) {
  // The first registration of a pass holds.
  registerPass([scratchBytes] { return createPlanMemory(scratchBytes); });
  registerPass([scratchBytes] { return createVerifyPlan(scratchBytes); });
  registerRLXTransformsPasses();
  PassPipelineRegistration<>("rlx-fuse", "Run every fusion on both roles",
                             [](OpPassManager &manager) { buildFusionPipeline(manager, {}); });
  PassPipelineRegistration<>("rlx-fold", "Compute at compile time what does not depend on tokens",
                             [](OpPassManager &manager) { buildFoldPipeline(manager); });
  PassPipelineRegistration<>("rlx-plan", "Pack weights and plan memory",
                             [scratchBytes](OpPassManager &manager) {
                               buildPlanPipeline(manager, {{}, {}, scratchBytes, {}});
                             });
}
