//===- TestModule.cpp - A module that the target tests compile ------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The module under test and the ELF readers of the target tests.
//
//===----------------------------------------------------------------------===//
#include "TestModule.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ELFObjectFile.h"

using namespace llvm;

// The table has the size of rlx_model_t and its pointers; all numbers are zero.
static const char *const source = R"mlir(
llvm.mlir.global internal constant @text("target\00") {addr_space = 0 : i32}
llvm.mlir.global internal constant @rlx_model() : !llvm.struct<(i64, ptr, array<10 x i64>, array<3 x ptr>)> {
  %0 = llvm.mlir.zero : !llvm.struct<(i64, ptr, array<10 x i64>, array<3 x ptr>)>
  %1 = llvm.mlir.addressof @text : !llvm.ptr
  %2 = llvm.insertvalue %1, %0[1] : !llvm.struct<(i64, ptr, array<10 x i64>, array<3 x ptr>)>
  %3 = llvm.mlir.addressof @copy : !llvm.ptr
  %4 = llvm.insertvalue %3, %2[3, 0] : !llvm.struct<(i64, ptr, array<10 x i64>, array<3 x ptr>)>
  llvm.return %4 : !llvm.struct<(i64, ptr, array<10 x i64>, array<3 x ptr>)>
}
llvm.func @copy(%to: !llvm.ptr {llvm.noalias}, %from: !llvm.ptr {llvm.noalias}, %count: i64) {
  %zero = llvm.mlir.constant(0 : i64) : i64
  %one = llvm.mlir.constant(1 : i64) : i64
  llvm.br ^loop(%zero : i64)
^loop(%i: i64):
  %source = llvm.getelementptr %from[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %target = llvm.getelementptr %to[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %value = llvm.load %source : !llvm.ptr -> f32
  llvm.store %value, %target : f32, !llvm.ptr
  %next = llvm.add %i, %one : i64
  %more = llvm.icmp "ult" %next, %count : i64
  llvm.cond_br %more, ^loop(%next : i64), ^done
^done:
  llvm.return
}
llvm.func @rlx_query(%version: i32) -> !llvm.ptr {
  %0 = llvm.mlir.addressof @rlx_model : !llvm.ptr
  llvm.return %0 : !llvm.ptr
}
)mlir";

rlx::CodeGenOptions rlx::test::x86Options() { return {}; }

rlx::CodeGenOptions rlx::test::armOptions() {
  CodeGenOptions options;
  options.triple = "aarch64-unknown-linux-gnu";
  options.cpu = "neoverse-n1";
  return options;
}

Expected<SmallVector<char, 0>> rlx::test::compileTestModule(const CodeGenOptions &options,
                                                            CodeFormat format) {
  mlir::MLIRContext context;
  context.loadDialect<mlir::LLVM::LLVMDialect>();
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  if (!module)
    return createStringError("the test module does not parse");
  LLVMContext llvmContext;
  Expected<std::unique_ptr<Module>> ir = translateToLLVM(*module, llvmContext, options);
  if (!ir)
    return ir.takeError();
  if (Error error = optimize(**ir, options))
    return error;
  return emitCode(**ir, options, format);
}

static std::unique_ptr<object::ObjectFile> openElf(ArrayRef<char> elf) {
  return cantFail(object::ObjectFile::createELFObjectFile(
      MemoryBufferRef(StringRef(elf.data(), elf.size()), "test")));
}

std::vector<std::string> rlx::test::undefinedSymbols(ArrayRef<char> elf) {
  std::vector<std::string> names;
  std::unique_ptr<object::ObjectFile> file = openElf(elf);
  for (const object::SymbolRef &symbol : file->symbols())
    if (cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined)
      if (StringRef name = cantFail(symbol.getName()); !name.empty())
        names.push_back(name.str());
  return names;
}

std::vector<std::string> rlx::test::exportedSymbols(ArrayRef<char> elf) {
  std::vector<std::string> names;
  std::unique_ptr<object::ObjectFile> file = openElf(elf);
  for (const object::SymbolRef &symbol :
       cast<object::ELFObjectFileBase>(*file).getDynamicSymbolIterators())
    names.push_back(cantFail(symbol.getName()).str());
  return names;
}
