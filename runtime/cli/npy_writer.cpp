//===-- npy_writer.cpp - matrices for numpy -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the .npy header and the rows behind it.
//===----------------------------------------------------------------------===//
#include "npy_writer.h"

namespace rlx::cli {

std::string npyHeader(uint64_t rows, uint64_t columns) {
  std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                           std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  constexpr size_t prefix = 10, alignment = 64;
  while ((prefix + dictionary.size() + 1) % alignment != 0)
    dictionary += ' ';
  dictionary += '\n';
  std::string header = "\x93NUMPY";
  header += '\x01'; // version 1.0
  header += '\x00';
  header += static_cast<char>(dictionary.size() & 0xFF);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

Status NpyWriter::open(const std::string &name, uint64_t rows, uint64_t columnCount) {
  path = name;
  rowsLeft = rows;
  columns = columnCount;
  header = npyHeader(rows, columns);
  return file.open(path);
}

Status NpyWriter::writeHeader() {
  std::string bytes = std::move(header);
  header.clear();
  return file.write(bytes);
}

Status NpyWriter::append(Span<const float> row) {
  if (row.size() != columns || rowsLeft == 0)
    return Status(ErrorCode::InvalidState, "cannot write '" + path + "': expected " +
                                               std::to_string(rowsLeft) + " more rows of " +
                                               std::to_string(columns) + " numbers but got " +
                                               std::to_string(row.size()) + " numbers");
  if (Status status = writeHeader(); !status.ok())
    return status;
  --rowsLeft;
  return file.write({reinterpret_cast<const char *>(row.data()), row.size() * sizeof(float)});
}

Status NpyWriter::finish() {
  if (rowsLeft != 0)
    return Status(ErrorCode::InvalidState,
                  "cannot write '" + path + "': " + std::to_string(rowsLeft) + " rows are missing");
  if (Status status = writeHeader(); !status.ok()) // of a matrix without rows
    return status;
  return file.commit();
}

} // namespace rlx::cli
