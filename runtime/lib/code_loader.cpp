//===-- runtime/lib/code_loader.cpp - maps a code object -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the loader: segments straight from the file, relocated, then
// protected; nothing is writable and executable at once.
//===----------------------------------------------------------------------===//
#include "code_loader.h"

#include "no_sanitize.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace rlx {

static Status systemError(const std::string &name, const char *what) {
  return Status(ErrorCode::OutOfMemory, name + ": " + what + ": " + std::strerror(errno));
}

static Status mapSegment(uint8_t *base, const ElfSegment &segment, int descriptor,
                         uint64_t fileOffset, const std::string &name) {
  uint64_t page = pageSize();
  uint64_t lead = segment.address % page;
  uint8_t *start = base + segment.address - lead;
  int protection = segment.writable     ? PROT_READ | PROT_WRITE
                   : segment.executable ? PROT_READ | PROT_EXEC
                                        : PROT_READ;
  uint64_t fromFile = segment.fileSize == 0 ? 0 : roundUp(lead + segment.fileSize, page);
  if (fromFile && mmap(start, fromFile, protection, MAP_PRIVATE | MAP_FIXED, descriptor,
                       fileOffset + segment.fileOffset - lead) == MAP_FAILED)
    return systemError(name, "cannot map code");
  uint64_t whole = roundUp(lead + segment.memorySize, page);
  if (whole > fromFile && mmap(start + fromFile, whole - fromFile, protection,
                               MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
    return systemError(name, "cannot map zeroed data");
  // The last page of the file part holds whatever follows in the file.
  if (segment.writable && fromFile > lead + segment.fileSize)
    std::memset(start + lead + segment.fileSize, 0, fromFile - lead - segment.fileSize);
  return Status();
}

static Status protectRelro(uint8_t *base, const ElfImage &image, const std::string &name) {
  uint64_t page = pageSize();
  uint64_t begin = image.relroAddress() / page * page;
  uint64_t end = (image.relroAddress() + image.relroSize()) / page * page;
  for (const ElfSegment &segment : image.segments()) {
    bool covers = segment.writable && segment.address / page * page <= begin &&
                  end <= roundUp(segment.address + segment.memorySize, page);
    if (covers && end > begin && mprotect(base + begin, end - begin, PROT_READ) != 0)
      return systemError(name, "cannot protect relocated data");
  }
  return Status();
}

Expected<LoadedCode> LoadedCode::load(int descriptor, uint64_t fileOffset,
                                      Span<const uint8_t> bytes, const std::string &name) {
  if (fileOffset % pageSize() != 0)
    return Status(ErrorCode::BadFile, name + ": expected an offset that is a multiple of " +
                                          std::to_string(pageSize()) + " but got " +
                                          std::to_string(fileOffset));
  Expected<ElfImage> image = ElfImage::parse(bytes, name);
  if (!image)
    return image.status();
  Expected<uint64_t> symbol = image->findFunction(RLX_QUERY_SYMBOL);
  if (!symbol)
    return symbol.status();

  LoadedCode code;
  Expected<MappedRegion> memory = MappedRegion::reserve(roundUp(image->memorySize(), pageSize()));
  if (!memory)
    return memory.status();
  code.memory = std::move(*memory);
  for (const ElfSegment &segment : image->segments())
    if (Status status = mapSegment(code.memory.data(), segment, descriptor, fileOffset, name);
        !status.ok())
      return status;
  if (Status status = image->relocate(code.memory.data()); !status.ok())
    return status;
  if (Status status = protectRelro(code.memory.data(), *image, name); !status.ok())
    return status;
  code.function = reinterpret_cast<rlx_query_fn>(code.memory.data() + *symbol);
  return code;
}

RLX_NO_SANITIZE_FUNCTION
Expected<const rlx_model_t *> queryTable(rlx_query_fn query, const std::string &name) {
  const rlx_model_t *table = query(RLX_ABI_VERSION);
  if (!table)
    return Status(ErrorCode::Unsupported, name + ": expected code for ABI version " +
                                              std::to_string(RLX_ABI_VERSION) +
                                              " but it was compiled for another; compile the "
                                              "model again");
  if (Status status = checkTable(*table, name); !status.ok())
    return status;
  return table;
}

} // namespace rlx
