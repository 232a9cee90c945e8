//===-- runtime/lib/zip_reader.h - entries of a payload -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads the directory of a stored (uncompressed) ZIP archive at the end of a
// file. Everything read is checked: the file may come from anywhere.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_ZIP_READER_H
#define RLX_RUNTIME_LIB_ZIP_READER_H

#include "rlx/runtime/span.h"
#include "rlx/runtime/status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace rlx {

struct ZipEntry {
  std::string name;
  uint64_t offset; ///< of the data, from the start of the file
  uint64_t size;
  uint32_t crc32;
};

/// The entries of the archive that ends `file`, sorted by offset. All lie within
/// the file, are stored, have distinct names and do not overlap.
Expected<std::vector<ZipEntry>> readZipDirectory(Span<const uint8_t> file);

/// The CRC-32 that ZIP uses.
uint32_t zipCrc32(Span<const uint8_t> bytes);

} // namespace rlx

#endif // RLX_RUNTIME_LIB_ZIP_READER_H
