//===- CodeGen.h - LLVM dialect to LLVM IR, assembly and objects -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The back ends behind --emit=llvm|asm|object: a module in the LLVM dialect is
// translated, optimised for one target and printed as IR, assembly or ELF.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TARGET_CODEGEN_H
#define RLX_TARGET_CODEGEN_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm
namespace mlir {
class ModuleOp;
} // namespace mlir

namespace rlx {

/// What LLVM has to know to generate code. `triple` must name an ELF target.
struct CodeGenOptions {
  std::string triple = "x86_64-unknown-linux-gnu";
  std::string cpu = "x86-64-v3";
  std::string features; ///< LLVM's form, e.g. "+avx512vnni,+avx512bf16".
  unsigned optLevel = 3;
  /// Instruments loads and stores with AddressSanitizer. The object then refers
  /// to the sanitizer's run-time library, which the loading process provides.
  bool sanitizeAddress = false;
};

/// The machine that `options` describes, or an error that names what is unknown.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const CodeGenOptions &options);

/// Translates a module of the LLVM dialect. Every symbol but rlx_query becomes
/// internal, and no function may call the C library: builtins are off, so that
/// the optimiser does not turn loops into calls of memcpy.
llvm::Expected<std::unique_ptr<llvm::Module>>
translateToLLVM(mlir::ModuleOp module, llvm::LLVMContext &context, const CodeGenOptions &options);

/// Runs the optimisation pipeline of options.optLevel, tuned for the target.
llvm::Error optimize(llvm::Module &module, const CodeGenOptions &options);

/// The textual LLVM IR of `module`.
std::string printIR(const llvm::Module &module);

enum class CodeFormat { Assembly, Object };

/// Generates machine code. `module` must have been optimised.
llvm::Expected<llvm::SmallVector<char, 0>>
emitCode(llvm::Module &module, const CodeGenOptions &options, CodeFormat format);

} // namespace rlx

#endif // RLX_TARGET_CODEGEN_H
