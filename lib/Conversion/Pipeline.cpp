//===- Pipeline.cpp - The pipeline to the LLVM dialect --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Puts kernel lowering and the model table together.
//
//===----------------------------------------------------------------------===//
#include "rlx/Kernels/Pipeline.h"
#include "mlir/Pass/PassRegistry.h"
#include "rlx/Conversion/Passes.h"

using namespace mlir;
using namespace rlx;

void rlx::buildConvertToLLVMPipeline(OpPassManager &manager, const TargetDescription &target) {
  buildKernelLoweringPipeline(manager, target);
  manager.addPass(createEmitModelTable());
}

void rlx::registerConversionPipelines() {
  PassRegistryFunction build = [](OpPassManager &manager, StringRef options,
                                  function_ref<LogicalResult(const Twine &)> error) {
    StringRef cpu = options;
    if (!cpu.empty() && !cpu.consume_front("target-cpu="))
      return error("expected the option target-cpu=NAME but got '" + options + "'");
    llvm::Expected<TargetDescription> target = resolveTarget(cpu.empty() ? "native" : cpu);
    if (!target)
      return error(llvm::toString(target.takeError()));
    buildConvertToLLVMPipeline(manager, *target);
    return success();
  };
  registerPassPipeline("rlx-convert-to-llvm",
                       "Lower step functions and kernels to the LLVM dialect, with the model "
                       "table; target-cpu=NAME as for rlx-convert-to-kernels",
                       build, [](function_ref<void(const mlir::detail::PassOptions &)>) {});
}
