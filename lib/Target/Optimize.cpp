//===- Optimize.cpp - The LLVM optimisation pipeline ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs LLVM's default pipeline for the target, with the sanitizer if asked for.
//
//===----------------------------------------------------------------------===//
#include "rlx/Target/CodeGen.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"

using namespace llvm;

static OptimizationLevel getLevel(unsigned optLevel) {
  switch (optLevel) {
  case 0:
    return OptimizationLevel::O0;
  case 1:
    return OptimizationLevel::O1;
  case 2:
    return OptimizationLevel::O2;
  default:
    return OptimizationLevel::O3;
  }
}

Error rlx::optimize(Module &module, const CodeGenOptions &options) {
  Expected<std::unique_ptr<TargetMachine>> machine = createTargetMachine(options);
  if (!machine)
    return machine.takeError();
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager graph;
  ModuleAnalysisManager modules;
  PipelineTuningOptions tuning;
  // Kernels are written at the vector width they want. All that the vectorisers
  // could still find are scalar tails, which are not worth their compile time.
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  PassBuilder builder(machine->get(), tuning);
  TargetLibraryInfoImpl library((*machine)->getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  if (options.sanitizeAddress)
    builder.registerOptimizerLastEPCallback(
        [](ModulePassManager &passes, OptimizationLevel, ThinOrFullLTOPhase) {
          passes.addPass(AddressSanitizerPass(AddressSanitizerOptions()));
        });
  ModulePassManager passes =
      options.optLevel == 0 ? builder.buildO0DefaultPipeline(OptimizationLevel::O0)
                            : builder.buildPerModuleDefaultPipeline(getLevel(options.optLevel));
  passes.run(module, modules);
  return Error::success();
}
