//===- PassRunner.cpp - Running the pipelines of phases -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Context, diagnostics, timing and reproducers.
//===----------------------------------------------------------------------===//
#include "PassRunner.h"
#include "CodeSizes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/Extensions/AllExtensions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "rlx/IR/RLXOps.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace rlx;

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registry.insert<RLXDialect, arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect,
                  index::IndexDialect, LLVM::LLVMDialect, math::MathDialect, scf::SCFDialect,
                  vector::VectorDialect>();
  func::registerAllExtensions(registry);
  return registry;
}

PassRunner::PassRunner(const CompileOptions &options, Console &console)
    : options(options), console(console), pool(llvm::hardware_concurrency(options.threads)),
      context(makeRegistry(), MLIRContext::Threading::DISABLED) {
  // A reproducer of the single failing pass needs passes to run one by one.
  if (options.threads != 1 && options.reproducer.empty())
    context.setThreadPool(pool);
  context.printOpOnDiagnostic(false); // the op is the whole module, often
  context.getDiagEngine().registerHandler(
      [this](Diagnostic &diagnostic) { return handle(diagnostic); });
  timing.setEnabled(options.verbose);
  scope = timing.getRootScope();
}

PassRunner::~PassRunner() {
  scope.stop();
  context.disableMultithreading(); // the context must not outlive its pool's use
}

LogicalResult PassRunner::handle(Diagnostic &diagnostic) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto place = dyn_cast<FileLineColLoc>(diagnostic.getLocation()))
    stream << place.getFilename().getValue() << ":" << place.getLine() << ":" << place.getColumn()
           << ": ";
  stream << diagnostic;
  for (Diagnostic &attached : diagnostic.getNotes())
    stream << "\n  " << attached;
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
    errors += (errors.empty() ? "" : "\n") + text;
  else
    console.note(text);
  return success();
}

llvm::Error PassRunner::takeErrors(const llvm::Twine &otherwise) {
  std::string text = errors.empty() ? otherwise.str() : std::move(errors);
  errors.clear();
  return llvm::createStringError(text);
}

llvm::Error PassRunner::run(ModuleOp module, llvm::StringRef phase,
                            llvm::function_ref<void(OpPassManager &)> build) {
  console.startPhase(phase);
  PassManager manager(&context, ModuleOp::getOperationName());
  TimingScope nested = scope.nest(phase);
  manager.enableTiming(nested);
  if (!options.reproducer.empty())
    manager.enableCrashReproducerGeneration(options.reproducer, /*genLocalReproducer=*/true);
  build(manager);
  if (failed(manager.run(module)))
    return takeErrors("the phase '" + phase + "' failed");
  if (options.verbose)
    console.setOutcome(describeIR(module));
  return llvm::Error::success();
}

llvm::Expected<OwningOpRef<ModuleOp>> PassRunner::parse(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError(path + ": cannot be read: " + buffer.getError().message());
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return takeErrors(path + ": cannot be read");
  return std::move(module);
}
