//===- TargetMachine.cpp - Options to an LLVM target machine --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Creates the TargetMachine that the optimiser and the code generator share.
//
//===----------------------------------------------------------------------===//
#include "llvm/Target/TargetMachine.h"
#include "rlx/Target/CodeGen.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Triple.h"
#include <mutex>

using namespace llvm;

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
  });
}

static CodeGenOptLevel getCodeGenLevel(unsigned optLevel) {
  switch (optLevel) {
  case 0:
    return CodeGenOptLevel::None;
  case 1:
    return CodeGenOptLevel::Less;
  case 2:
    return CodeGenOptLevel::Default;
  default:
    return CodeGenOptLevel::Aggressive;
  }
}

Expected<std::unique_ptr<TargetMachine>> rlx::createTargetMachine(const CodeGenOptions &options) {
  initializeTargets();
  Triple triple(options.triple);
  if (!triple.isOSBinFormatELF())
    return createStringError("expected a target triple of an ELF system but got '%s'",
                             options.triple.c_str());
  std::string message;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return createStringError("expected a known target triple but got '%s': %s",
                             options.triple.c_str(), message.c_str());
  // LLVM only warns on standard error about a CPU it does not know.
  std::unique_ptr<MCSubtargetInfo> subtarget(target->createMCSubtargetInfo(triple, "", ""));
  if (!subtarget->isCPUStringValid(options.cpu))
    return createStringError("expected a CPU of %s but got '%s'",
                             triple.getArchName().str().c_str(), options.cpu.c_str());
  TargetOptions targetOptions;
  // Contraction would change results with the vector width the compiler picks:
  // kernels say math.fma where they mean it.
  targetOptions.AllowFPOpFusion = FPOpFusion::Standard;
  std::unique_ptr<TargetMachine> machine(
      target->createTargetMachine(triple, options.cpu, options.features, targetOptions, Reloc::PIC_,
                                  CodeModel::Small, getCodeGenLevel(options.optLevel)));
  if (!machine)
    return createStringError("cannot generate code for target triple '%s'", options.triple.c_str());
  return machine;
}
