//===- TestModule.h - A module that the target tests compile ----*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles a small module of the LLVM dialect for a target: a query function, a
// model table with a pointer in it, and a loop that is memcpy in disguise.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_TARGET_TESTMODULE_H
#define RLX_TEST_UNIT_TARGET_TESTMODULE_H

#include "rlx/Target/CodeGen.h"
#include "llvm/Support/Error.h"

namespace rlx::test {

/// Optimised code for the test module.
llvm::Expected<llvm::SmallVector<char, 0>> compileTestModule(const CodeGenOptions &options,
                                                             CodeFormat format);

/// Options for the two architectures.
CodeGenOptions x86Options();
CodeGenOptions armOptions();

/// Names of the symbols of an ELF file: undefined ones, and exported ones of the
/// dynamic symbol table.
std::vector<std::string> undefinedSymbols(llvm::ArrayRef<char> elf);
std::vector<std::string> exportedSymbols(llvm::ArrayRef<char> elf);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_TARGET_TESTMODULE_H
