//===-- npy_writer.h - matrices for numpy -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Writes a float32 matrix row by row as a .npy file. The file appears under its
// name only when it is complete.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_NPY_WRITER_H
#define RLX_RUNTIME_CLI_NPY_WRITER_H

#include "output_file.h"
#include "rlx/runtime/span.h"
#include "rlx/runtime/status.h"

#include <cstdint>
#include <string>

namespace rlx::cli {

/// The header of a .npy file (version 1.0) for a C-ordered matrix of float32.
std::string npyHeader(uint64_t rows, uint64_t columns);

class NpyWriter {
public:
  /// Starts a file of so many rows and columns. What is not a regular file,
  /// such as /dev/stdout, is written in place, from the first row on.
  Status open(const std::string &path, uint64_t rows, uint64_t columns);
  Status append(Span<const float> row);
  /// Moves the finished file to its name; an error if rows are missing.
  Status finish();

private:
  Status writeHeader();

  std::string path;
  std::string header; ///< until the first row
  OutputFile file;
  uint64_t rowsLeft = 0;
  uint64_t columns = 0;
};

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_NPY_WRITER_H
