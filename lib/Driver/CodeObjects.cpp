//===- CodeObjects.cpp - From a planned module to machine code ------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Targets, and the phases kernels, llvm and object.
//===----------------------------------------------------------------------===//
#include "CodeObjects.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Conversion/Scratch.h"
#include "rlx/Target/CodeGen.h"
#include "rlx/Transforms/Passes.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/TargetParser/Triple.h"

using namespace rlx;

llvm::Expected<std::vector<NamedTarget>> rlx::resolveTargets(llvm::ArrayRef<std::string> names) {
  std::vector<NamedTarget> targets;
  for (const std::string &name : names) {
    llvm::Expected<TargetDescription> target = resolveTarget(name);
    if (!target)
      return target.takeError();
    for (const NamedTarget &other : targets) {
      if (other.description.name == target->name)
        return llvm::createStringError("--target-cpu: '" + name + "' and '" + other.name +
                                       "' are the same target");
      if (llvm::Triple(other.description.triple).getArch() !=
          llvm::Triple(target->triple).getArch())
        return llvm::createStringError("--target-cpu: '" + name + "' and '" + other.name +
                                       "' are of different architectures; compile a binary for "
                                       "each");
    }
    targets.push_back({name, std::move(*target)});
  }
  return targets;
}

llvm::Error rlx::runTargetPhase(PassRunner &runner, mlir::ModuleOp module, Phase phase,
                                const NamedTarget &target) {
  return runner.run(module, getPhaseInfo(phase).name, [&](mlir::OpPassManager &manager) {
    if (phase == Phase::Kernels) {
      ConvertToKernelsOptions options;
      options.targetCpu = target.name;
      manager.addPass(createVerifyPlan(scratchBytes)); // a module to resume from may be edited
      manager.addPass(createConvertToKernels(options));
    } else {
      buildConvertToLLVMPipeline(manager, target.description);
    }
  });
}

llvm::Expected<CodeObject> rlx::generateCode(mlir::ModuleOp module, const NamedTarget &target,
                                             EmitKind emit, unsigned optLevel) {
  CodeGenOptions options = target.description.codeGenOptions();
  options.optLevel = optLevel;
  llvm::LLVMContext context;
  llvm::Expected<std::unique_ptr<llvm::Module>> llvmModule =
      translateToLLVM(module, context, options);
  if (!llvmModule)
    return llvmModule.takeError();
  if (llvm::Error error = optimize(**llvmModule, options))
    return std::move(error);
  CodeObject object{target.description, {}};
  if (emit == EmitKind::Llvm) {
    std::string text = printIR(**llvmModule);
    object.bytes.assign(text.begin(), text.end());
    return object;
  }
  llvm::Expected<llvm::SmallVector<char, 0>> code = emitCode(
      **llvmModule, options, emit == EmitKind::Asm ? CodeFormat::Assembly : CodeFormat::Object);
  if (!code)
    return code.takeError();
  object.bytes = std::move(*code);
  return object;
}
