//===- Compiler.h - One compile, phase by phase -----------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Takes a checkpoint, or a module that an earlier compile stopped at, to its output.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_COMPILER_H
#define RLX_LIB_DRIVER_COMPILER_H

#include "Artifacts.h"

namespace rlx {

class Compiler {
public:
  explicit Compiler(const CompileOptions &options)
      : options(options), console(options.verbose), runner(options, console) {}

  llvm::Error run();

private:
  llvm::Error openInput();
  llvm::Error openCheckpointOf(llvm::StringRef input, llvm::StringRef configFile);
  llvm::Error checkOutput() const;
  llvm::Error resolveProfile();
  llvm::Error import();
  llvm::Error runModulePhase(Phase phase);
  llvm::Error resolveModuleTargets();
  llvm::Error writeModule();
  llvm::Error emitText();
  llvm::Error emitModel();
  llvm::Expected<std::vector<CodeObject>> generateAll();
  llvm::Error reportCode(mlir::ModuleOp lowered, const CodeObject &object);
  llvm::Error reportSkipped();
  llvm::Error verify(const ModelOutput &output);
  void summarize(const ModelManifest &manifest, uint64_t size, llvm::StringRef targets);

  bool isPending(Phase phase) const { return !options.resumeFrom || phase > *options.resumeFrom; }

  const CompileOptions &options;
  Console console;
  PassRunner runner;
  std::optional<Checkpoint> checkpoint;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OwningOpRef<mlir::ModuleOp> reference; ///< as imported or read, for --verify
  Profile profile;
  Settings settings;
  std::vector<NamedTarget> targets;
};

} // namespace rlx

#endif // RLX_LIB_DRIVER_COMPILER_H
