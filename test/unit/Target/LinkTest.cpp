//===- LinkTest.cpp - Tests of linking in process -------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared objects export the query function, need nothing and hold only relative
// relocations, for two architectures in one process.
//
//===----------------------------------------------------------------------===//
#include "rlx/Target/Link.h"
#include "TestModule.h"
#include "rlx/runtime/abi.h"
#include "llvm/Object/ELFObjectFile.h"
#include <gmock/gmock.h>

using namespace rlx;
using namespace rlx::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

static llvm::SmallVector<char, 0> link(const CodeGenOptions &options) {
  auto object = llvm::cantFail(compileTestModule(options, CodeFormat::Object));
  return llvm::cantFail(linkSharedObject({object}));
}

TEST(Link, SharedObjectsOfTwoArchitecturesInOneProcess) {
  for (const CodeGenOptions &options : {x86Options(), armOptions(), x86Options()}) {
    llvm::SmallVector<char, 0> elf = link(options);
    EXPECT_THAT(exportedSymbols(elf), ElementsAre(RLX_QUERY_SYMBOL));
    EXPECT_THAT(undefinedSymbols(elf), IsEmpty());
  }
}

TEST(Link, RelocationsAreRelative) {
  for (const CodeGenOptions &options : {x86Options(), armOptions()}) {
    llvm::SmallVector<char, 0> elf = link(options);
    auto file = llvm::cantFail(llvm::object::ObjectFile::createELFObjectFile(
        llvm::MemoryBufferRef({elf.data(), elf.size()}, "test")));
    bool relr = false;
    for (llvm::object::ELFSectionRef section : file->sections()) {
      relr |= section.getType() == llvm::ELF::SHT_RELR;
      // lld keeps an empty table on AArch64.
      if (section.getType() == llvm::ELF::SHT_RELA)
        EXPECT_EQ(section.getSize(), 0u) << options.triple;
    }
    EXPECT_TRUE(relr) << options.triple;
  }
}

TEST(Link, SameObjectsGiveSameBytes) {
  EXPECT_EQ(link(x86Options()), link(x86Options()));
  EXPECT_EQ(link(armOptions()), link(armOptions()));
}

TEST(Link, UndefinedSymbolsAreErrors) {
  CodeGenOptions options = x86Options();
  options.sanitizeAddress = true;
  auto object = llvm::cantFail(compileTestModule(options, CodeFormat::Object));
  auto refused = linkSharedObject({object});
  EXPECT_THAT(llvm::toString(refused.takeError()),
              HasSubstr("undefined symbol: __asan_report_load4"));
  LinkOptions allow;
  allow.allowUndefined = true;
  auto linked = linkSharedObject({object}, allow);
  EXPECT_TRUE(bool(linked)) << llvm::toString(linked.takeError());
}

TEST(Link, BadInputIsAnError) {
  EXPECT_EQ(llvm::toString(linkSharedObject({}).takeError()),
            "expected at least one object to link");
  std::vector<char> junk(100, 'x');
  EXPECT_THAT(llvm::toString(linkSharedObject({llvm::ArrayRef<char>(junk)}).takeError()),
              HasSubstr("linking failed"));
}

TEST(Link, WeightsHashIsPatchedIntoObjectsAndSharedObjects) {
  WeightsHash hash;
  for (size_t i = 0; i < hash.size(); ++i)
    hash[i] = static_cast<uint8_t>(i + 1);
  auto object = llvm::cantFail(compileTestModule(armOptions(), CodeFormat::Object));
  auto patchedLater = llvm::cantFail(linkSharedObject({object}));
  ASSERT_FALSE(bool(setWeightsHash(object, hash)));
  ASSERT_FALSE(bool(setWeightsHash(patchedLater, hash)));
  auto patchedEarlier = llvm::cantFail(linkSharedObject({object}));
  EXPECT_EQ(patchedLater, patchedEarlier);
  // The data segment, which is aligned to 64 KiB, begins with the table.
  llvm::StringRef bytes(patchedLater.data(), patchedLater.size());
  size_t found = bytes.find({reinterpret_cast<const char *>(hash.data()), hash.size()});
  ASSERT_NE(found, llvm::StringRef::npos);
  EXPECT_EQ(found % 65536, offsetof(rlx_model_t, weights_hash));
}

TEST(Link, WeightsHashNeedsAModelTable) {
  std::vector<char> junk(100, 'x');
  WeightsHash hash = {};
  EXPECT_TRUE(bool(llvm::errorToBool(setWeightsHash(junk, hash))));
}
