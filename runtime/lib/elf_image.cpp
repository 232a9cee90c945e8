//===-- runtime/lib/elf_image.cpp - a code object's ELF file -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the ELF parser and its relocations.
//===----------------------------------------------------------------------===//
#include "elf_image.h"

#include "memory.h"

#include <algorithm>
#include <cstring>
#include <elf.h>

// Newer than some C libraries' <elf.h>.
#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#define DT_RELRENT 37
#endif

namespace rlx {

// No code object comes near; bounds what a corrupt header can ask for.
constexpr uint64_t imageLimit = uint64_t(1) << 32;

template <typename T> static T readAt(const uint8_t *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

static bool fits(uint64_t offset, uint64_t bytes, uint64_t limit) {
  return offset <= limit && bytes <= limit - offset;
}

uint16_t ElfImage::nativeMachine() {
#if defined(__x86_64__)
  return EM_X86_64;
#else
  return EM_AARCH64;
#endif
}

/// What the dynamic section says; addresses are relative to the image.
struct ElfImage::Dynamic {
  uint64_t rela = 0, relaSize = 0, relaEntry = sizeof(Elf64_Rela);
  uint64_t relr = 0, relrSize = 0, relrEntry = sizeof(uint64_t);
  uint64_t strings = 0, stringsSize = 0, symbols = 0, hash = 0;
  const char *unsupported = nullptr;
};

Status ElfImage::bad(const std::string &message) const {
  return Status(ErrorCode::BadFile, name + ": " + message);
}

Expected<ElfImage> ElfImage::parse(Span<const uint8_t> file, const std::string &name,
                                   uint16_t machine) {
  ElfImage image;
  image.file = file;
  image.name = name;
  image.machine = machine;
  if (Status status = image.readSegments(); !status.ok())
    return status;
  return image;
}

Status ElfImage::readSegments() {
  if (file.size() < sizeof(Elf64_Ehdr) || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
    return bad("expected an ELF file");
  auto header = readAt<Elf64_Ehdr>(file.data());
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_type != ET_DYN)
    return bad("expected a 64-bit little-endian shared object");
  if (header.e_machine != machine)
    return Status(ErrorCode::Unsupported, name + ": expected code for ELF machine " +
                                              std::to_string(machine) + " but got " +
                                              std::to_string(header.e_machine));
  uint64_t count = header.e_phnum;
  if (header.e_phentsize != sizeof(Elf64_Phdr) ||
      !fits(header.e_phoff, count * sizeof(Elf64_Phdr), file.size()))
    return bad("the program headers reach beyond the file");

  uint64_t dynamicOffset = 0, dynamicSize = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t *at = file.data() + header.e_phoff + i * sizeof(Elf64_Phdr);
    auto program = readAt<Elf64_Phdr>(at);
    if (program.p_type == PT_LOAD) {
      if (Status status = addSegment(at); !status.ok())
        return status;
    } else if (program.p_type == PT_DYNAMIC) {
      dynamicOffset = program.p_offset;
      dynamicSize = program.p_filesz;
    } else if (program.p_type == PT_GNU_RELRO) {
      relroBegin = program.p_vaddr;
      relroLength = program.p_memsz;
    } else if (program.p_type == PT_TLS || program.p_type == PT_INTERP) {
      return bad("expected no thread-local storage and no interpreter");
    }
  }
  if (size == 0 || dynamicSize == 0)
    return bad("expected loadable segments and a dynamic section");
  if (!fits(relroBegin, relroLength, size))
    return bad("the read-only-after-relocation range lies outside the image");
  if (!fits(dynamicOffset, dynamicSize, file.size()))
    return bad("the dynamic section reaches beyond the file");
  return readDynamic(dynamicOffset, dynamicSize);
}

Status ElfImage::addSegment(const uint8_t *bytes) {
  auto header = readAt<Elf64_Phdr>(bytes);
  ElfSegment segment{header.p_offset,
                     header.p_filesz,
                     header.p_vaddr,
                     header.p_memsz,
                     (header.p_flags & PF_W) != 0,
                     (header.p_flags & PF_X) != 0};
  if (!fits(segment.fileOffset, segment.fileSize, file.size()))
    return bad("a segment reaches beyond the file");
  if (segment.fileSize > segment.memorySize ||
      !fits(segment.address, segment.memorySize, imageLimit))
    return bad("a segment has absurd sizes");
  if (segment.writable && segment.executable)
    return bad("a segment is both writable and executable");
  if (!segment.writable && segment.fileSize != segment.memorySize)
    return bad("a read-only segment has bytes that are not in the file");
  uint64_t page = pageSize();
  if (segment.address % page != segment.fileOffset % page)
    return bad("a segment is not aligned to pages of " + std::to_string(page) + " bytes");
  if (!loads.empty() && segment.address / page * page < roundUp(size, page))
    return bad("segments share a page or are out of order");
  size = segment.address + segment.memorySize;
  loads.push_back(segment);
  return Status();
}

Status ElfImage::readDynamic(uint64_t fileOffset, uint64_t bytes) {
  Dynamic dynamic;
  for (uint64_t i = 0; i < bytes / sizeof(Elf64_Dyn); ++i) {
    auto entry = readAt<Elf64_Dyn>(file.data() + fileOffset + i * sizeof(Elf64_Dyn));
    uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
    case DT_NULL:
      return checkDynamic(dynamic);
    case DT_RELA:
      dynamic.rela = value;
      break;
    case DT_RELASZ:
      dynamic.relaSize = value;
      break;
    case DT_RELAENT:
      dynamic.relaEntry = value;
      break;
    case DT_RELR:
      dynamic.relr = value;
      break;
    case DT_RELRSZ:
      dynamic.relrSize = value;
      break;
    case DT_RELRENT:
      dynamic.relrEntry = value;
      break;
    case DT_STRTAB:
      dynamic.strings = value;
      break;
    case DT_STRSZ:
      dynamic.stringsSize = value;
      break;
    case DT_SYMTAB:
      dynamic.symbols = value;
      break;
    case DT_HASH:
      dynamic.hash = value;
      break;
    case DT_NEEDED:
      dynamic.unsupported = "a needed library";
      break;
    case DT_INIT:
    case DT_FINI:
    case DT_INIT_ARRAY:
    case DT_FINI_ARRAY:
      dynamic.unsupported = "start-up or exit code";
      break;
    case DT_JMPREL:
    case DT_REL:
    case DT_TEXTREL:
      dynamic.unsupported = "relocations other than RELATIVE";
      break;
    default:
      break;
    }
  }
  return bad("the dynamic section has no end");
}

Status ElfImage::checkDynamic(const Dynamic &dynamic) {
  if (dynamic.unsupported)
    return bad(std::string("expected a self-contained object but it has ") + dynamic.unsupported);
  if (dynamic.relaEntry != sizeof(Elf64_Rela) || dynamic.relrEntry != sizeof(uint64_t) ||
      dynamic.relaSize % sizeof(Elf64_Rela) != 0 || dynamic.relrSize % sizeof(uint64_t) != 0)
    return bad("the relocation tables have entries of another size");
  struct {
    uint64_t address, bytes;
    const char *what;
    Span<const uint8_t> *out;
  } tables[] = {{dynamic.rela, dynamic.relaSize, "relocation table", &rela},
                {dynamic.relr, dynamic.relrSize, "packed relocation table", &relr},
                {dynamic.strings, dynamic.stringsSize, "string table", &strings}};
  for (auto &table : tables) {
    if (table.bytes == 0)
      continue;
    Expected<Span<const uint8_t>> bytes = bytesAt(table.address, table.bytes, table.what);
    if (!bytes)
      return bytes.status();
    *table.out = *bytes;
  }
  symbolTable = dynamic.symbols;
  hashTable = dynamic.hash;
  return Status();
}

Expected<Span<const uint8_t>> ElfImage::bytesAt(uint64_t address, uint64_t bytes,
                                                const char *what) const {
  for (const ElfSegment &segment : loads)
    if (address >= segment.address && fits(address - segment.address, bytes, segment.fileSize))
      return file.slice(segment.fileOffset + (address - segment.address), bytes);
  return bad(std::string("the ") + what + " lies outside the segments");
}

bool ElfImage::isWritable(uint64_t address) const {
  for (const ElfSegment &segment : loads)
    if (segment.writable && address >= segment.address &&
        fits(address - segment.address, sizeof(uint64_t), segment.memorySize))
      return true;
  return false;
}

Status ElfImage::relocate(uint8_t *base) const {
  if (Status status = relocateRela(base); !status.ok())
    return status;
  return relocateRelr(base);
}

Status ElfImage::relocateRela(uint8_t *base) const {
  uint32_t relative = machine == EM_X86_64 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE;
  for (size_t at = 0; at < rela.size(); at += sizeof(Elf64_Rela)) {
    auto entry = readAt<Elf64_Rela>(&rela[at]);
    if (ELF64_R_TYPE(entry.r_info) != relative)
      return bad("expected relative relocations only but got type " +
                 std::to_string(ELF64_R_TYPE(entry.r_info)));
    if (!isWritable(entry.r_offset))
      return bad("a relocation lies outside the writable segments");
    uint64_t value = reinterpret_cast<uint64_t>(base) + static_cast<uint64_t>(entry.r_addend);
    std::memcpy(base + entry.r_offset, &value, sizeof(value));
  }
  return Status();
}

Status ElfImage::relocateWord(uint8_t *base, uint64_t address) const {
  if (!isWritable(address))
    return bad("a packed relocation lies outside the writable segments");
  uint64_t value = readAt<uint64_t>(base + address) + reinterpret_cast<uint64_t>(base);
  std::memcpy(base + address, &value, sizeof(value));
  return Status();
}

Status ElfImage::relocateRelr(uint8_t *base) const {
  // An even entry is the address of a word; an odd one has a bit for each of
  // the 63 words that follow those of the entry before.
  uint64_t next = 0;
  for (size_t at = 0; at < relr.size(); at += sizeof(uint64_t)) {
    auto entry = readAt<uint64_t>(&relr[at]);
    if (entry % 2 == 0) {
      if (Status status = relocateWord(base, entry); !status.ok())
        return status;
      next = entry + sizeof(uint64_t);
      continue;
    }
    for (uint64_t bit = 0; bit < 63; ++bit) {
      if (!(entry >> (bit + 1) & 1))
        continue;
      if (Status status = relocateWord(base, next + bit * sizeof(uint64_t)); !status.ok())
        return status;
    }
    next += 63 * sizeof(uint64_t);
  }
  return Status();
}

static uint32_t sysvHash(const std::string &symbol) {
  uint32_t hash = 0;
  for (unsigned char c : symbol) {
    hash = (hash << 4) + c;
    uint32_t high = hash & 0xf0000000;
    hash = (hash ^ high >> 24) & ~high;
  }
  return hash;
}

Expected<uint64_t> ElfImage::findFunction(const std::string &symbol) const {
  Expected<Span<const uint8_t>> counts = bytesAt(hashTable, 8, "symbol hash table");
  if (!counts)
    return counts.status();
  uint64_t buckets = readAt<uint32_t>(counts->data()), chains = readAt<uint32_t>(&(*counts)[4]);
  Expected<Span<const uint8_t>> table =
      bytesAt(hashTable, 8 + 4 * (buckets + chains), "symbol hash table");
  if (!table)
    return table.status();
  Expected<Span<const uint8_t>> symbols =
      bytesAt(symbolTable, chains * sizeof(Elf64_Sym), "symbol table");
  if (!symbols)
    return symbols.status();

  uint64_t index = buckets ? readAt<uint32_t>(&(*table)[8 + 4 * (sysvHash(symbol) % buckets)]) : 0;
  // A chain has at most all symbols; a longer one is a cycle.
  for (uint64_t steps = 0; index != 0 && index < chains && steps < chains; ++steps) {
    auto entry = readAt<Elf64_Sym>(&(*symbols)[index * sizeof(Elf64_Sym)]);
    bool sameName = fits(entry.st_name, symbol.size() + 1, strings.size()) &&
                    std::memcmp(&strings[entry.st_name], symbol.c_str(), symbol.size() + 1) == 0;
    if (sameName && entry.st_shndx != SHN_UNDEF) {
      for (const ElfSegment &segment : loads)
        if (segment.executable && entry.st_value >= segment.address &&
            entry.st_value - segment.address < segment.memorySize)
          return uint64_t(entry.st_value);
      return bad("symbol '" + symbol + "' is not in an executable segment");
    }
    index = readAt<uint32_t>(&(*table)[8 + 4 * (buckets + index)]);
  }
  return bad("expected to find the symbol '" + symbol + "'");
}

} // namespace rlx
