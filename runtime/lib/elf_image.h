//===-- runtime/lib/elf_image.h - a code object's ELF file -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Parses an ELF64 shared object as the compiler links code objects: a few
// loadable segments, relative relocations only, no imports, no start-up code.
// Everything read is checked; nothing is mapped or run here.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_ELF_IMAGE_H
#define RLX_RUNTIME_LIB_ELF_IMAGE_H

#include "rlx/runtime/span.h"
#include "rlx/runtime/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace rlx {

/// A loadable segment; addresses are relative to where the image is mapped.
struct ElfSegment {
  uint64_t fileOffset, fileSize;
  uint64_t address, memorySize;
  bool writable, executable;
};

class ElfImage {
public:
  /// The e_machine of this program's own architecture.
  static uint16_t nativeMachine();

  /// Checks `file`, which must outlive the image; `name` is for messages.
  static Expected<ElfImage> parse(Span<const uint8_t> file, const std::string &name,
                                  uint16_t machine = nativeMachine());

  /// Ascending, on distinct pages, all below memorySize().
  const std::vector<ElfSegment> &segments() const { return loads; }
  uint64_t memorySize() const { return size; }

  /// Bytes that become read-only after relocation; empty without PT_GNU_RELRO.
  uint64_t relroAddress() const { return relroBegin; }
  uint64_t relroSize() const { return relroLength; }

  /// Applies all relocations to the image mapped at `base`, as if it were to
  /// run at address `base`. Touches only bytes of writable segments.
  Status relocate(uint8_t *base) const;

  /// The address of an exported symbol that lies in an executable segment.
  Expected<uint64_t> findFunction(const std::string &symbol) const;

private:
  struct Dynamic;
  Status bad(const std::string &message) const;
  Status readSegments();
  Status addSegment(const uint8_t *header);
  Status readDynamic(uint64_t fileOffset, uint64_t bytes);
  Status checkDynamic(const Dynamic &dynamic);
  /// The file's bytes that are mapped at `address`.
  Expected<Span<const uint8_t>> bytesAt(uint64_t address, uint64_t bytes, const char *what) const;
  bool isWritable(uint64_t address) const;
  Status relocateRela(uint8_t *base) const;
  Status relocateRelr(uint8_t *base) const;
  Status relocateWord(uint8_t *base, uint64_t address) const;

  Span<const uint8_t> file;
  std::string name;
  uint16_t machine = 0;
  std::vector<ElfSegment> loads;
  uint64_t size = 0;
  uint64_t relroBegin = 0, relroLength = 0;
  Span<const uint8_t> rela, relr, strings;
  uint64_t symbolTable = 0, hashTable = 0; // addresses; 0 without
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_ELF_IMAGE_H
