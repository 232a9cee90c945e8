//===- VerifyOutput.cpp - rlx-compile --verify ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Runs the model binary that was written, and beside it the interpreter on the module
// as it was imported (or read): only the weights' types are those that were compiled.
//===----------------------------------------------------------------------===//
#include "Compiler.h"
#include "rlx/Transforms/Passes.h"

using namespace mlir;
using namespace rlx;

llvm::Error Compiler::verify(const ModelOutput &output) {
  if (!checkpoint || !isPending(Phase::Kernels))
    return llvm::createStringError("--verify needs the checkpoint and a module of RLX ops: resume "
                                   "from an earlier phase");
  if (!options.openCompiled)
    return llvm::createStringError("--verify: this program cannot run model binaries");
  console.startPhase("verify");
  if (isPending(Phase::Plan))
    if (llvm::Error error = runner.run(*reference, "verify", [&](OpPassManager &manager) {
          manager.addPass(createPackWeights(settings.weights));
        }))
      return error;
  SourceWeights weights(*checkpoint->weights);
  for (const NamedTarget &target : targets) {
    const TargetDescription &description = target.description;
    llvm::Expected<std::unique_ptr<CompiledSession>> session =
        options.openCompiled(output.temporaryPath().str(), description.name);
    if (!session)
      return llvm::createStringError("--verify: " + llvm::toString(session.takeError()));
    VerifyOptions how;
    how.bf16Dot = description.bf16Dot;
    how.tiles = description.tiles;
    llvm::Expected<VerifyReport> report =
        verifyAgainstInterpreter(*reference, weights, **session, how);
    if (!report)
      return report.takeError();
    if (!report->passed())
      return llvm::createStringError(
          "--verify: target " + description.name +
          " differs from the reference interpreter: " + describe(*report));
    console.note("verified " + description.name +
                 " against the reference interpreter: " + describe(*report));
  }
  return llvm::Error::success();
}
