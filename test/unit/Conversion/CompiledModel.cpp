//===- CompiledModel.cpp - Modules compiled and loaded in process ---------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The back half of the compiler, and dlopen of an anonymous file.
//
//===----------------------------------------------------------------------===//
#include "CompiledModel.h"
#include "cpu_features.h"
#include "mlir/Pass/PassManager.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Target/Link.h"
#include "rlx/Target/TargetDescription.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace rlx;

llvm::Expected<llvm::SmallVector<char, 0>>
rlx::test::compileToSharedObject(mlir::ModuleOp module, llvm::StringRef targetCpu, bool sanitize) {
  llvm::Expected<TargetDescription> target = resolveTarget(targetCpu);
  if (!target)
    return target.takeError();
  // Linux grants the registers of a matrix unit on request only.
  missingCpuFeatures(target->requiredFeatures);
  mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  mlir::PassManager manager(module.getContext());
  manager.addPass(createConvertToKernels({targetCpu.str()}));
  buildConvertToLLVMPipeline(manager, *target);
  if (mlir::failed(manager.run(*copy)))
    return llvm::createStringError("conversion failed");
  llvm::LLVMContext context;
  CodeGenOptions options = target->codeGenOptions();
  options.sanitizeAddress = sanitize;
  auto ir = translateToLLVM(*copy, context, options);
  if (!ir)
    return ir.takeError();
  if (llvm::Error error = optimize(**ir, options))
    return error;
  auto object = emitCode(**ir, options, CodeFormat::Object);
  if (!object)
    return object.takeError();
  LinkOptions linkOptions;
  linkOptions.allowUndefined = sanitize;
  return linkSharedObject({*object}, linkOptions);
}

llvm::Expected<const rlx_model_t *> rlx::test::loadSharedObject(llvm::ArrayRef<char> object) {
  int file = ::memfd_create("model", 0);
  if (file < 0 || ::write(file, object.data(), object.size()) != ssize_t(object.size()))
    return llvm::createStringError("cannot make a file in memory");
  // The file stays open: dlopen takes equal paths for the same library.
  std::string path = "/proc/self/fd/" + std::to_string(file);
  void *library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return llvm::createStringError("%s", ::dlerror());
  auto query = reinterpret_cast<rlx_query_fn>(::dlsym(library, RLX_QUERY_SYMBOL));
  if (!query || !query(RLX_ABI_VERSION))
    return llvm::createStringError("the object has no model table");
  return query(RLX_ABI_VERSION);
}
