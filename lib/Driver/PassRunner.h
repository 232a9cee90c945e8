//===- PassRunner.h - Running the pipelines of phases -----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Owns the MLIR context of a compile; turns diagnostics into errors and notes.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_PASSRUNNER_H
#define RLX_LIB_DRIVER_PASSRUNNER_H

#include "Console.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "rlx/Driver/CompileOptions.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/ThreadPool.h"

namespace rlx {

class PassRunner {
public:
  PassRunner(const CompileOptions &options, Console &console);
  ~PassRunner();

  mlir::MLIRContext &getContext() { return context; }

  /// Runs the passes that `build` adds. Errors of the passes are the error, their
  /// warnings and remarks become notes.
  llvm::Error run(mlir::ModuleOp module, llvm::StringRef phase,
                  llvm::function_ref<void(mlir::OpPassManager &)> build);

  /// Reads a module from a file; errors are "file:line:column: …".
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> parse(llvm::StringRef path);

private:
  mlir::LogicalResult handle(mlir::Diagnostic &diagnostic);
  llvm::Error takeErrors(const llvm::Twine &otherwise);

  const CompileOptions &options;
  Console &console;
  llvm::DefaultThreadPool pool;
  mlir::MLIRContext context;
  mlir::DefaultTimingManager timing;
  mlir::TimingScope scope;
  std::string errors;
};

} // namespace rlx

#endif // RLX_LIB_DRIVER_PASSRUNNER_H
