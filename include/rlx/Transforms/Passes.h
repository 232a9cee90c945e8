//===- Passes.h - RLX to RLX passes and pipelines ---------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The passes between import and the conversion to kernels, see Passes.td, and
// the pipelines that the compiler's phases run.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TRANSFORMS_PASSES_H
#define RLX_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "rlx/IR/RLXOps.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rlx {

#define GEN_PASS_DECL
#include "rlx/Transforms/Passes.h.inc"

/// Bytes of scratch memory that an op's kernel needs for a step of at most
/// `maxTokens` tokens (BATCH * SEQ); 0: none.
using ScratchBytesFn = std::function<int64_t(mlir::Operation *op, int64_t maxTokens)>;

/// As createPlanMemory() and createVerifyPlan(), for kernels that need scratch memory.
std::unique_ptr<mlir::Pass> createPlanMemory(ScratchBytesFn scratchBytes);
std::unique_ptr<mlir::Pass> createVerifyPlan(ScratchBytesFn scratchBytes);

/// The fusions that a profile selects, in the order in which they run.
enum class Fusion { Attention, RopeAppend, Geglu, Qkv, GateUp, NormIntoLinear, Epilogues };

/// The name that profiles use, e.g. "norm-into-linear".
llvm::StringRef stringifyFusion(Fusion fusion);
std::optional<Fusion> symbolizeFusion(llvm::StringRef name);
std::vector<Fusion> getAllFusions();

/// The fusions of each role. GateUp includes Geglu.
struct FusionOptions {
  std::vector<Fusion> prefill = getAllFusions();
  std::vector<Fusion> decode = getAllFusions();
};

/// Names of the ops that generic kernels compute, by role (rlx-mark-generic).
struct GenericOps {
  std::vector<std::string> prefill, decode;
};

struct PlanOptions {
  PackWeightsOptions weights;
  std::string screenHead; ///< type of the coarse copy of rlx-screen-head; empty: none
  ScratchBytesFn scratchBytes;
  GenericOps genericOps;
};

/// The pipelines of the phases fuse, fold, specialize and plan. Each ends with
/// the verifier of its stage.
void buildFusionPipeline(mlir::OpPassManager &manager, const FusionOptions &options);
void buildFoldPipeline(mlir::OpPassManager &manager);
void buildSpecializePipeline(mlir::OpPassManager &manager, const SpecializeOptions &options);
void buildPlanPipeline(mlir::OpPassManager &manager, const PlanOptions &options);

/// Registers the passes, and as pipelines with default options rlx-fuse, rlx-fold
/// and rlx-plan. Planning asks `scratchBytes` for what the kernels need.
void registerTransformsPasses(ScratchBytesFn scratchBytes = {});

} // namespace rlx

#endif // RLX_TRANSFORMS_PASSES_H
