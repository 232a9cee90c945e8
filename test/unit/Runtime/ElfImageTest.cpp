//===-- ElfImageTest.cpp - code objects as ELF files -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The ELF parser: a sound object is relocated alike from both table formats;
// malformed headers and tables are refused by name; mutations never crash it.
//===----------------------------------------------------------------------===//
#include "elf_image.h"

#include "FakeReference.h"
#include "PayloadBuilder.h"

#include <cstring>
#include <elf.h>

using namespace rlx;
using namespace rlx::test;

static Span<const uint8_t> bytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// Parses, looks up the query function and relocates a copy in memory.
static Status loadInMemory(const std::string &file) {
  Expected<ElfImage> image = ElfImage::parse(bytesOf(file), "code");
  if (!image)
    return image.status();
  if (Status status = image->findFunction(RLX_QUERY_SYMBOL).status(); !status.ok())
    return status;
  if (image->memorySize() > (64 << 20))
    return Status(ErrorCode::OutOfMemory, "too large for a test");
  std::vector<uint8_t> memory(image->memorySize());
  for (const ElfSegment &segment : image->segments())
    std::memcpy(&memory[segment.address], file.data() + segment.fileOffset, segment.fileSize);
  return image->relocate(memory.data());
}

TEST(ElfImage, ReadsSoundObjects) {
  for (const char *path : {RLX_FAKE_CODE, RLX_FAKE_CODE_RELA}) {
    std::string file = readFile(path);
    Expected<ElfImage> image = ElfImage::parse(bytesOf(file), path);
    ASSERT_TRUE(image.ok()) << image.status().message();
    EXPECT_GE(image->segments().size(), 3u);
    EXPECT_GT(image->relroSize(), 0u);
    EXPECT_OK(image->findFunction("rlx_query").status());
    EXPECT_ERROR(image->findFunction("rlx_other").status(), BadFile, "symbol 'rlx_other'");
    EXPECT_ERROR(image->findFunction("").status(), BadFile, "symbol ''");
    EXPECT_OK(loadInMemory(file));
  }
}

namespace {
/// A sound object whose headers can be changed in place.
struct Editable {
  std::string file = readFile(RLX_FAKE_CODE);

  template <typename T> T *at(uint64_t offset) { return reinterpret_cast<T *>(&file[offset]); }
  Elf64_Ehdr *header() { return at<Elf64_Ehdr>(0); }
  Elf64_Phdr *anySegment(uint32_t type, int index) {
    for (int i = 0; i < header()->e_phnum; ++i) {
      auto *program = at<Elf64_Phdr>(header()->e_phoff + i * sizeof(Elf64_Phdr));
      if (program->p_type == type && index-- == 0)
        return program;
    }
    return nullptr;
  }
  Elf64_Phdr *segment(uint32_t type, int index = 0) {
    Elf64_Phdr *program = anySegment(type, index);
    EXPECT_NE(program, nullptr) << "no program header of type " << type;
    return program;
  }
  /// The loadable segment with these flags.
  Elf64_Phdr *load(uint32_t flags) {
    for (int i = 0;; ++i) {
      Elf64_Phdr *program = segment(PT_LOAD, i);
      if (!program || program->p_flags == flags)
        return program;
    }
  }
  Elf64_Dyn *dynamic(int64_t tag) {
    for (auto *entry = at<Elf64_Dyn>(segment(PT_DYNAMIC)->p_offset);; ++entry)
      if (entry->d_tag == tag || entry->d_tag == DT_NULL)
        return entry;
  }
  /// Offset in the file of what is mapped at an address.
  uint64_t offsetOf(uint64_t address) {
    for (int i = 0;; ++i) {
      Elf64_Phdr *program = segment(PT_LOAD, i);
      if (address - program->p_vaddr < program->p_filesz)
        return program->p_offset + (address - program->p_vaddr);
    }
  }
};
} // namespace

TEST(ElfImage, MalformedObjectsAreRefused) {
  constexpr int64_t relr = 36, relrSize = 35; // DT_RELR, DT_RELRSZ
  struct {
    const char *message;
    std::function<void(Editable &)> spoil;
  } rows[] = {
      {"expected an ELF file", [](Editable &e) { e.file[1] = 'e'; }},
      {"expected an ELF file", [](Editable &e) { e.file.resize(40); }},
      {"64-bit little-endian", [](Editable &e) { e.file[EI_CLASS] = ELFCLASS32; }},
      {"64-bit little-endian", [](Editable &e) { e.header()->e_type = ET_EXEC; }},
      {"expected code for ELF machine", [](Editable &e) { e.header()->e_machine = EM_RISCV; }},
      {"program headers reach", [](Editable &e) { e.header()->e_phoff = e.file.size() - 8; }},
      {"program headers reach", [](Editable &e) { e.header()->e_phnum = 60000; }},
      {"expected loadable segments", [](Editable &e) { e.header()->e_phnum = 0; }},
      {"expected loadable segments",
       [](Editable &e) {
         Elf64_Phdr *only = e.segment(PT_LOAD);
         only->p_filesz = only->p_memsz = 0;
         while (Elf64_Phdr *other = e.anySegment(PT_LOAD, 1))
           other->p_type = PT_NULL;
       }},
      {"segment reaches beyond", [](Editable &e) { e.load(PF_R)->p_filesz = 1 << 30; }},
      {"absurd sizes", [](Editable &e) { e.load(PF_R | PF_W)->p_memsz = ~uint64_t(0); }},
      {"absurd sizes", [](Editable &e) { e.load(PF_R | PF_W)->p_memsz = 1; }},
      {"both writable and executable", [](Editable &e) { e.load(PF_R | PF_X)->p_flags |= PF_W; }},
      {"bytes that are not in the file", [](Editable &e) { e.load(PF_R | PF_X)->p_memsz += 1; }},
      {"not aligned to pages", [](Editable &e) { e.load(PF_R | PF_X)->p_vaddr += 64; }},
      {"share a page",
       [](Editable &e) {
         e.load(PF_R | PF_X)->p_vaddr = 0;
         e.load(PF_R | PF_X)->p_offset = 0;
       }},
      {"thread-local storage", [](Editable &e) { e.segment(PT_GNU_RELRO)->p_type = PT_TLS; }},
      {"lies outside the image", [](Editable &e) { e.segment(PT_GNU_RELRO)->p_memsz = 1 << 30; }},
      {"dynamic section reaches", [](Editable &e) { e.segment(PT_DYNAMIC)->p_offset = 1 << 30; }},
      {"has no end", [](Editable &e) { e.segment(PT_DYNAMIC)->p_filesz = 32; }},
      {"a needed library", [](Editable &e) { e.dynamic(DT_STRSZ)->d_tag = DT_NEEDED; }},
      {"start-up or exit code", [](Editable &e) { e.dynamic(DT_STRSZ)->d_tag = DT_INIT_ARRAY; }},
      {"other than RELATIVE", [](Editable &e) { e.dynamic(DT_STRSZ)->d_tag = DT_JMPREL; }},
      {"entries of another size", [=](Editable &e) { e.dynamic(relrSize)->d_un.d_val = 7; }},
      {"packed relocation table lies outside",
       [=](Editable &e) { e.dynamic(relr)->d_un.d_ptr = ~uint64_t(0) - 4; }},
      {"packed relocation lies outside",
       [=](Editable &e) { *e.at<uint64_t>(e.offsetOf(e.dynamic(relr)->d_un.d_ptr)) = 0; }},
      {"packed relocation lies outside",
       [=](Editable &e) { *e.at<uint64_t>(e.offsetOf(e.dynamic(relr)->d_un.d_ptr)) = ~0ul; }},
      {"string table lies outside",
       [](Editable &e) { e.dynamic(DT_STRTAB)->d_un.d_ptr = 1ul << 40; }},
      {"symbol hash table lies",
       [](Editable &e) { e.dynamic(DT_HASH)->d_un.d_ptr = ~uint64_t(0); }},
      {"symbol table lies outside",
       [](Editable &e) { e.dynamic(DT_SYMTAB)->d_un.d_ptr = 1 << 30; }},
      {"expected to find the symbol",
       [](Editable &e) { *e.at<uint32_t>(e.offsetOf(e.dynamic(DT_HASH)->d_un.d_ptr)) = 0; }},
      {"not in an executable segment",
       [](Editable &e) {
         uint64_t symbols = e.offsetOf(e.dynamic(DT_SYMTAB)->d_un.d_ptr);
         for (int i = 1; i < 3; ++i)
           e.at<Elf64_Sym>(symbols)[i].st_value = 0;
       }},
  };
  for (auto &row : rows) {
    Editable elf;
    row.spoil(elf);
    Status status = loadInMemory(elf.file);
    EXPECT_FALSE(status.ok()) << row.message;
    EXPECT_NE(status.message().find(row.message), std::string::npos)
        << "expected '" << row.message << "' but got '" << status.message() << "'";
  }
}

TEST(ElfImage, CyclicSymbolChainsEnd) {
  Editable elf;
  uint64_t hash = elf.offsetOf(elf.dynamic(DT_HASH)->d_un.d_ptr);
  uint32_t buckets = *elf.at<uint32_t>(hash), chains = *elf.at<uint32_t>(hash + 4);
  for (uint32_t i = 0; i < chains; ++i)
    *elf.at<uint32_t>(hash + 8 + 4 * (buckets + i)) = 1;
  Expected<ElfImage> image = ElfImage::parse(bytesOf(elf.file), "code");
  ASSERT_TRUE(image.ok());
  EXPECT_ERROR(image->findFunction("rlx_other").status(), BadFile, "rlx_other");
}

TEST(ElfImage, MutationsNeverCrash) {
  for (const char *path : {RLX_FAKE_CODE, RLX_FAKE_CODE_RELA}) {
    const std::string sound = readFile(path);
    uint32_t state = 1;
    auto random = [&](uint32_t limit) {
      state = state * 1664525 + 1013904223;
      return (state >> 8) % limit;
    };
    int refused = 0;
    for (int round = 0; round < 3000; ++round) {
      std::string file = sound;
      // Headers and dynamic tables are at the start of the file's pages.
      for (uint32_t change = 0; change <= random(3); ++change) {
        uint32_t at = random(4) * 65536 + random(1200);
        if (at < file.size())
          file[at] = random(3) ? char(random(256)) : char(file[at] ^ 1 << random(8));
      }
      refused += !loadInMemory(file).ok();
    }
    EXPECT_GT(refused, 100);
  }
}
