//===-- output_file.h - files that appear when complete -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Writes a file under a temporary name and renames it when it is complete, with
// every failure to write noticed.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_OUTPUT_FILE_H
#define RLX_RUNTIME_CLI_OUTPUT_FILE_H

#include "rlx/runtime/status.h"

#include <string>
#include <string_view>

namespace rlx::cli {

class OutputFile {
public:
  OutputFile() = default;
  /// Removes what has not been committed.
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  /// What is not a regular file, such as /dev/stdout, is written in place.
  Status open(const std::string &path);
  Status write(std::string_view bytes);
  /// Moves the finished file to its name.
  Status commit();

private:
  Status failure(int error) const;

  std::string path;
  std::string temporary; ///< empty when written in place
  int descriptor = -1;
};

/// Writes a whole file.
Status writeFile(const std::string &path, std::string_view bytes);

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_OUTPUT_FILE_H
