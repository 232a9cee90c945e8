//===- Translate.cpp - LLVM dialect to LLVM IR ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Translates to LLVM IR and makes the result freestanding.
//
//===----------------------------------------------------------------------===//
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "rlx/Target/CodeGen.h"
#include "rlx/runtime/abi.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

/// Keeps the query function and hides the rest, so that the optimiser sees every
/// caller and the object exports one symbol.
static void restrictSymbols(Module &module) {
  for (GlobalValue &value : module.global_values()) {
    if (value.isDeclaration() || value.getName().starts_with("llvm."))
      continue;
    if (value.getName() == RLX_QUERY_SYMBOL) {
      value.setDSOLocal(true);
      continue;
    }
    value.setLinkage(GlobalValue::InternalLinkage);
    value.setVisibility(GlobalValue::DefaultVisibility);
  }
}

static void setFunctionAttributes(Module &module, const rlx::CodeGenOptions &options) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("no-builtins");
    function.addFnAttr("target-cpu", options.cpu);
    if (!options.features.empty())
      function.addFnAttr("target-features", options.features);
    function.addFnAttr(Attribute::NoUnwind);
    // So that how fast a kernel's loops are fetched does not depend on what stands before it.
    function.setAlignment(Align(64));
    // Without a frame pointer, which LLVM must know of before it allocates registers, it does not
    // align the stack for vectors that registers do not suffice for: those would cross cache lines.
    if (module.getTargetTriple().isX86())
      function.addFnAttr("frame-pointer", "all");
    function.setUWTableKind(UWTableKind::None);
    if (options.sanitizeAddress)
      function.addFnAttr(Attribute::SanitizeAddress);
  }
}

/// A copy of `module` without what only RLX's own passes read: the ops of its
/// dialect and the module's attributes.
static mlir::OwningOpRef<mlir::ModuleOp> withoutMetadata(mlir::ModuleOp module) {
  mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  for (mlir::Operation &op : llvm::make_early_inc_range(*copy->getBody()))
    if (op.getName().getDialectNamespace() == "rlx")
      op.erase();
  for (mlir::NamedAttribute attribute : llvm::to_vector((*copy)->getDiscardableAttrs()))
    if (attribute.getName().strref().starts_with("rlx."))
      (*copy)->removeDiscardableAttr(attribute.getName());
  return copy;
}

Expected<std::unique_ptr<Module>> rlx::translateToLLVM(mlir::ModuleOp module, LLVMContext &context,
                                                       const CodeGenOptions &options) {
  Expected<std::unique_ptr<TargetMachine>> machine = createTargetMachine(options);
  if (!machine)
    return machine.takeError();
  mlir::registerBuiltinDialectTranslation(*module.getContext());
  mlir::registerLLVMDialectTranslation(*module.getContext());
  mlir::OwningOpRef<mlir::ModuleOp> copy = withoutMetadata(module);
  std::unique_ptr<Module> result = mlir::translateModuleToLLVMIR(*copy, context, "rlx");
  if (!result)
    return createStringError("the module could not be translated to LLVM IR");
  result->setTargetTriple((*machine)->getTargetTriple());
  result->setDataLayout((*machine)->createDataLayout());
  result->setPICLevel(PICLevel::SmallPIC);
  restrictSymbols(*result);
  setFunctionAttributes(*result, options);
  std::string message;
  raw_string_ostream stream(message);
  if (verifyModule(*result, &stream))
    return createStringError("the translated LLVM IR is not valid: %s", message.c_str());
  return result;
}

std::string rlx::printIR(const Module &module) {
  std::string text;
  raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}
