//===- CodeGenTest.cpp - Tests of code generation -------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Objects are freestanding and reproducible; bad targets are errors.
//
//===----------------------------------------------------------------------===//
#include "TestModule.h"
#include "llvm/Target/TargetMachine.h"
#include <gmock/gmock.h>

using namespace rlx;
using namespace rlx::test;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

static std::string text(const llvm::SmallVector<char, 0> &bytes) {
  return std::string(bytes.begin(), bytes.end());
}

TEST(CodeGen, ObjectsOfBothArchitecturesNeedNoLibrary) {
  for (const CodeGenOptions &options : {x86Options(), armOptions(), x86Options()}) {
    auto object = compileTestModule(options, CodeFormat::Object);
    ASSERT_TRUE(bool(object)) << llvm::toString(object.takeError());
    EXPECT_THAT(undefinedSymbols(*object), IsEmpty()) << options.triple;
  }
}

TEST(CodeGen, SameInputGivesSameBytes) {
  auto first = compileTestModule(armOptions(), CodeFormat::Object);
  auto other = compileTestModule(x86Options(), CodeFormat::Object);
  auto second = compileTestModule(armOptions(), CodeFormat::Object);
  EXPECT_EQ(text(*first), text(*second));
  EXPECT_NE(text(*first), text(*other));
}

TEST(CodeGen, AssemblyIsForTheTarget) {
  auto x86 = compileTestModule(x86Options(), CodeFormat::Assembly);
  auto arm = compileTestModule(armOptions(), CodeFormat::Assembly);
  EXPECT_THAT(text(*x86), HasSubstr("retq"));
  EXPECT_THAT(text(*arm), HasSubstr("\tret\n"));
}

TEST(CodeGen, SanitizerChecksLoadsAndStores) {
  CodeGenOptions options = x86Options();
  options.sanitizeAddress = true;
  auto object = compileTestModule(options, CodeFormat::Object);
  ASSERT_TRUE(bool(object)) << llvm::toString(object.takeError());
  EXPECT_THAT(undefinedSymbols(*object), Contains("__asan_report_load4"));
  EXPECT_THAT(undefinedSymbols(*object), Contains("__asan_report_store4"));
}

TEST(CodeGen, UnknownTargetsAreErrors) {
  CodeGenOptions cpu = x86Options();
  cpu.cpu = "pentium-17";
  EXPECT_EQ(llvm::toString(createTargetMachine(cpu).takeError()),
            "expected a CPU of x86_64 but got 'pentium-17'");
  CodeGenOptions triple = x86Options();
  triple.triple = "pdp11-unknown-linux";
  EXPECT_THAT(llvm::toString(createTargetMachine(triple).takeError()),
              HasSubstr("expected a known target triple but got 'pdp11-unknown-linux'"));
  CodeGenOptions system = x86Options();
  system.triple = "x86_64-apple-darwin";
  EXPECT_THAT(llvm::toString(createTargetMachine(system).takeError()),
              HasSubstr("expected a target triple of an ELF system"));
}
