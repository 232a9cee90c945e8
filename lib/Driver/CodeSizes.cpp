//===- CodeSizes.cpp - What takes the room in a code object ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Sizes of functions are those of their symbols; who calls whom is in the module.
//===----------------------------------------------------------------------===//
#include "CodeSizes.h"
#include "Console.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "rlx/IR/RLXOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace rlx;

std::string rlx::describeIR(ModuleOp module) {
  size_t ops = 0, functions = 0;
  module->walk([&](Operation *op) {
    ++ops;
    functions += isa<FunctionOpInterface>(op);
  });
  return llvm::formatv("{0} ops in {1} functions", ops, functions).str();
}

/// The bytes of each function by its name.
static llvm::Expected<llvm::StringMap<uint64_t>> readSizes(llvm::ArrayRef<char> bytes) {
  auto object = llvm::object::ObjectFile::createELFObjectFile(
      llvm::MemoryBufferRef({bytes.data(), bytes.size()}, "code object"));
  if (!object)
    return object.takeError();
  llvm::StringMap<uint64_t> sizes;
  for (llvm::object::ELFSymbolRef symbol : (*object)->symbols()) {
    llvm::Expected<llvm::object::SymbolRef::Type> type = symbol.getType();
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!type || !name)
      return llvm::joinErrors(type.takeError(), name.takeError());
    if (*type == llvm::object::SymbolRef::ST_Function)
      sizes[*name] = symbol.getSize();
  }
  return sizes;
}

/// The functions that `function` calls by name and that the object has: the others were inlined.
static llvm::SetVector<StringRef> calledFunctions(LLVM::LLVMFuncOp function,
                                                  const llvm::StringMap<uint64_t> &sizes) {
  llvm::SetVector<StringRef> called;
  function.walk([&](LLVM::CallOp call) {
    if (std::optional<StringRef> callee = call.getCallee(); callee && sizes.contains(*callee))
      called.insert(*callee);
  });
  return called;
}

llvm::Expected<std::string> rlx::describeCode(ModuleOp module, llvm::ArrayRef<char> object) {
  llvm::Expected<llvm::StringMap<uint64_t>> sizes = readSizes(object);
  if (!sizes)
    return sizes.takeError();
  auto sum = [&](const llvm::SetVector<StringRef> &names) {
    uint64_t bytes = 0;
    for (StringRef name : names)
      bytes += sizes->lookup(name);
    return bytes;
  };
  std::string text;
  llvm::SetVector<StringRef> all;
  for (auto variant : module.getOps<VariantOp>()) {
    auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(variant.getFunction());
    if (!function)
      continue;
    llvm::SetVector<StringRef> kernels = calledFunctions(function, *sizes);
    text += llvm::formatv("  variant {0}: step {1}, {2} kernels {3}\n", variant.getSymName(),
                          formatBytes(sizes->lookup(variant.getFunction())), kernels.size(),
                          formatBytes(sum(kernels)));
    all.insert(kernels.begin(), kernels.end());
  }
  text += llvm::formatv("  all variants: {0} kernels {1}\n", all.size(), formatBytes(sum(all)));
  return text;
}
