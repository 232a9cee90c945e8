//===- OutputFile.h - A file that appears whole or not at all ---*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Output goes to PATH.tmp, which takes PATH's place only when everything has been
// written. An error, a full disk or Ctrl-C removes it and leaves PATH alone.
//===----------------------------------------------------------------------===//
#ifndef RLX_PAYLOAD_OUTPUTFILE_H
#define RLX_PAYLOAD_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace rlx {

/// Checks that PATH can be written: its folder exists, and it is a regular file or
/// nothing yet. For failing before the work rather than after it.
llvm::Error checkOutputPath(llvm::StringRef path);

class OutputFile {
public:
  /// Creates PATH.tmp. Another process that writes the same one is an error.
  static llvm::Expected<OutputFile> create(llvm::StringRef path);

  OutputFile(OutputFile &&other) noexcept;
  OutputFile &operator=(OutputFile &&) = delete;
  /// Removes PATH.tmp unless commit() succeeded.
  ~OutputFile();

  /// Writes at the current position. Up to 2 MiB wait for more, so that an error may come with
  /// what is called next.
  llvm::Error write(llvm::ArrayRef<uint8_t> bytes);
  llvm::Error write(llvm::StringRef text);
  /// Writes what waits.
  llvm::Error flush();
  llvm::Error seek(uint64_t offset);
  uint64_t position() const { return offset; }
  /// Where the bytes are until commit(), but for those that wait.
  llvm::StringRef temporaryPath() const { return temporary; }

  /// Makes the bytes durable and renames PATH.tmp to PATH.
  llvm::Error commit(bool executable);

private:
  OutputFile(std::string path, std::string temporary, int descriptor);
  llvm::Error failure(const char *action, int code) const;
  llvm::Error writeThrough(llvm::ArrayRef<uint8_t> bytes);

  std::string path, temporary;
  int descriptor = -1;
  uint64_t offset = 0;
  std::vector<uint8_t> waiting; ///< up to `offset`
};

} // namespace rlx

#endif // RLX_PAYLOAD_OUTPUTFILE_H
