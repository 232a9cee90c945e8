//===-- ElfImageFuzz.cpp - code object -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Parses any bytes as a code object, then looks up its query function and
// relocates it in memory; the mapping itself is not exercised. The seeds are
// test/unit/Runtime/FakeModel.c, linked with small pages and stripped, with
// packed and with plain relocations.
//===----------------------------------------------------------------------===//
#include "elf_image.h"

#include <cstring>
#include <elf.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rlx::Expected<rlx::ElfImage> image = rlx::ElfImage::parse({data, size}, "code", EM_X86_64);
  if (!image)
    return 0;
  (void)image->findFunction("rlx_query");
  if (image->memorySize() > (1 << 20))
    return 0;
  std::vector<uint8_t> memory(image->memorySize());
  for (const rlx::ElfSegment &segment : image->segments())
    std::memcpy(memory.data() + segment.address, data + segment.fileOffset, segment.fileSize);
  (void)image->relocate(memory.data());
  return 0;
}
