//===- PayloadWriter.h - The stored ZIP behind a launcher -------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Appends entries to an output file as a ZIP archive without compression, so that
// any ZIP tool lists them and the runtime maps them where they are.
//===----------------------------------------------------------------------===//
#ifndef RLX_PAYLOAD_PAYLOADWRITER_H
#define RLX_PAYLOAD_PAYLOADWRITER_H

#include "rlx/Payload/OutputFile.h"
#include <memory>

namespace rlx {

/// Alignment in the file of code and weights, which the runtime maps: the largest
/// page size of any target.
constexpr uint64_t kPayloadAlignment = 65536;

/// Entries are written one after another; dates are fixed, so that equal entries
/// give equal bytes. Offsets count from the start of the file (zip64 where needed).
class PayloadWriter {
public:
  /// `file` stands behind whatever comes before the archive, and outlives it.
  explicit PayloadWriter(OutputFile &file);
  ~PayloadWriter();

  /// Starts an entry whose data will begin at a multiple of `alignment`, a power of
  /// two of at most 65536. `name` must be new.
  llvm::Error begin(llvm::StringRef name, uint64_t alignment = 1);
  llvm::Error write(llvm::ArrayRef<uint8_t> bytes);
  llvm::Error end();

  /// begin, write and end.
  llvm::Error add(llvm::StringRef name, llvm::ArrayRef<uint8_t> bytes, uint64_t alignment = 1);

  /// Writes the directory. Nothing can be added afterwards.
  llvm::Error finish();

  struct Impl; // public for the callbacks that minizip calls

private:
  std::unique_ptr<Impl> impl;
};

} // namespace rlx

#endif // RLX_PAYLOAD_PAYLOADWRITER_H
