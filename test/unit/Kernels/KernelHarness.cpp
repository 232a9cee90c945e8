//===- KernelHarness.cpp - Compiles and runs kernels in tests -------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The way from a module to callable code, and its environment.
//
//===----------------------------------------------------------------------===//
#include "KernelHarness.h"
#include "cpu_features.h"
#include "mlir/IR/Verifier.h"
#include "rlx/Kernels/Pipeline.h"
#include "rlx/Target/CodeGen.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/TargetParser/Host.h"
#include <sys/mman.h>
#include <unistd.h>

using namespace rlx;
using namespace rlx::test;

void *rlx::test::mapGuarded(size_t bytes, size_t &mapped, void *&end) {
  if (SharedArena::get().isActive()) {
    end = static_cast<char *>(SharedArena::get().allocate(bytes)) + bytes;
    return nullptr;
  }
  size_t page = sysconf(_SC_PAGESIZE);
  size_t usable = (bytes + page - 1) / page * page;
  mapped = usable + page;
  void *base = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    abort();
  end = static_cast<char *>(base) + usable;
  mprotect(end, page, PROT_NONE);
  return base;
}

void rlx::test::unmapGuarded(void *base, size_t mapped) { munmap(base, mapped); }

KernelModule::KernelModule(const TargetDescription &target) : target(target) {
  op = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  library = std::make_unique<KernelLibrary>(*op, this->target);
}

llvm::SmallVector<char, 0> KernelModule::compile(std::string &error) {
  mlir::OwningOpRef<mlir::ModuleOp> lowered = op->clone();
  mlir::PassManager manager(&context);
  buildKernelLoweringPipeline(manager, target);
  if (failed(mlir::verify(*lowered)) || failed(manager.run(*lowered))) {
    error = "lowering failed";
    return {};
  }
  llvm::LLVMContext llvmContext;
  CodeGenOptions options = target.codeGenOptions();
  auto translated = translateToLLVM(*lowered, llvmContext, options);
  if (!translated) {
    error = llvm::toString(translated.takeError());
    return {};
  }
  for (llvm::Function &function : **translated)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::ExternalLinkage);
  if (llvm::Error failure = optimize(**translated, options)) {
    error = llvm::toString(std::move(failure));
    return {};
  }
  auto object = emitCode(**translated, options, CodeFormat::Object);
  if (!object) {
    error = llvm::toString(object.takeError());
    return {};
  }
  return std::move(*object);
}

std::vector<std::string> rlx::test::undefinedSymbols(llvm::ArrayRef<char> object) {
  auto file = llvm::cantFail(llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef({object.data(), object.size()}, "kernels")));
  std::vector<std::string> names;
  for (const llvm::object::SymbolRef &symbol : file->symbols())
    if (llvm::cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined)
      if (llvm::StringRef name = llvm::cantFail(symbol.getName()); !name.empty())
        names.push_back(name.str());
  return names;
}

void KernelModule::load() {
  std::string error;
  llvm::SmallVector<char, 0> object = compile(error);
  ASSERT_EQ(error, "");
  ASSERT_EQ(undefinedSymbols(object), std::vector<std::string>());
  if (isForeign(target)) {
    std::vector<std::string> names;
    for (auto function : op->getOps<mlir::func::FuncOp>())
      names.push_back(function.getName().str());
    foreign = std::make_unique<ForeignProcess>();
    ASSERT_EQ(foreign->start(object, names), "");
    return;
  }
  jit = llvm::cantFail(llvm::orc::LLJITBuilder().create());
  llvm::cantFail(jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(
      llvm::StringRef(object.data(), object.size()), "kernels")));
}

TargetDescription rlx::test::testTarget(const std::string &name) {
  if (name != "generic")
    return llvm::cantFail(resolveTarget(name));
  bool arm = llvm::Triple(llvm::sys::getProcessTriple()).isAArch64();
  TargetDescription target = llvm::cantFail(resolveTarget(arm ? "aarch64" : "x86-64-v3"));
  target.int8Dot = Int8Dot::Generic;
  return target;
}

std::vector<std::string> rlx::test::runnableTargets() {
  // Linux grants the registers of a matrix unit on request only; this makes it.
  auto runs = [](const char *name) {
    return missingCpuFeatures(testTarget(name).requiredFeatures).empty();
  };
  runs("native");
  const std::string native = testTarget("native").name;
  std::vector<std::string> names = {"native"};
  for (const char *name :
       {"generic", "x86-64-v3", "x86-64-v3+avxvnni", "x86-64-v4", "x86-64-v4+bf16",
        "x86-64-v4+vnni+bf16+amx", "aarch64", "aarch64+dotprod", "aarch64+i8mm"})
    if (name != native &&
        (isForeign(testTarget(name)) ? name[0] == 'a' && canRunAArch64() : runs(name)))
      names.push_back(name);
  return names;
}

std::vector<std::string> rlx::test::nativeAndBaseline() {
  std::vector<std::string> names = {"native", "generic"};
  if (isForeign(testTarget("aarch64")) && canRunAArch64())
    names.push_back("aarch64");
  return names;
}

bool rlx::test::isForeign(const TargetDescription &target) {
  return llvm::Triple(target.triple).getArch() !=
         llvm::Triple(llvm::sys::getProcessTriple()).getArch();
}

std::string rlx::test::targetTestName(const testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  for (char &c : name)
    c = isalnum(c) ? c : '_';
  return name;
}

std::vector<float> rlx::test::randomFloats(size_t count, uint32_t seed, float deviation) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(generator);
  return values;
}
