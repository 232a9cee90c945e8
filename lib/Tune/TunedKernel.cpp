//===- TunedKernel.cpp - A linear kernel that can be run ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels, lowering and code generation are those of the compiler; LLVM's JIT
// linker puts the object into memory.
//
//===----------------------------------------------------------------------===//
#include "TunedKernel.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "rlx/Kernels/KernelLibrary.h"
#include "rlx/Kernels/Pipeline.h"
#include "rlx/Target/CodeGen.h"
#include <chrono>
#include <thread>
#include <vector>

using namespace rlx;

static llvm::Expected<llvm::SmallVector<char, 0>>
generate(const TargetDescription &target, const LinearSpec &spec, std::string &name) {
  mlir::MLIRContext context;
  auto module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  mlir::OwningOpRef<mlir::ModuleOp> owner(module);
  name = KernelLibrary(module, target).getLinear(spec).getName().str();
  mlir::PassManager manager(&context);
  buildKernelLoweringPipeline(manager, target);
  if (mlir::failed(manager.run(module)))
    return llvm::createStringError("cannot lower the kernel " + name);
  CodeGenOptions options = target.codeGenOptions();
  llvm::LLVMContext llvmContext;
  auto translated = translateToLLVM(module, llvmContext, options);
  if (!translated)
    return translated.takeError();
  // Translation hides what is no entry of a model.
  (*translated)->getFunction(name)->setLinkage(llvm::GlobalValue::ExternalLinkage);
  if (llvm::Error error = optimize(**translated, options))
    return std::move(error);
  return emitCode(**translated, options, CodeFormat::Object);
}

llvm::Expected<TunedKernel> TunedKernel::compile(const TargetDescription &target,
                                                 const LinearSpec &spec) {
  std::string name;
  auto object = generate(target, spec, name);
  if (!object)
    return object.takeError();
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  llvm::StringRef bytes(object->data(), object->size());
  if (llvm::Error error =
          (*jit)->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(bytes, "kernel")))
    return std::move(error);
  auto address = (*jit)->lookup(name);
  if (!address)
    return address.takeError();
  TunedKernel kernel;
  kernel.function = address->toPtr<Function>();
  kernel.jit = std::move(*jit);
  return kernel;
}

double TunedKernel::run(const KernelMemory &memory, int64_t rows, unsigned threads) const {
  struct alignas(64) Counter {
    int64_t value = 0;
  };
  std::vector<Counter> counters(memory.runs);
  auto start = std::chrono::steady_clock::now();
  // Threads need not wait for each other: every run writes the same numbers.
  auto work = [&](int64_t thread) {
    for (size_t i = 0; i < memory.runs; ++i)
      function(memory.weights + i * memory.weightBytes, memory.in, memory.out, &counters[i], rows,
               thread, threads);
  };
  std::vector<std::thread> others;
  for (unsigned thread = 1; thread < threads; ++thread)
    others.emplace_back(work, thread);
  work(0);
  for (std::thread &other : others)
    other.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
