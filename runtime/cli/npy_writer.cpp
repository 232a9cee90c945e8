//===-- npy_writer.cpp - matrices for numpy -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the .npy header and the temporary file.
//===----------------------------------------------------------------------===//
#include "npy_writer.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

NpyWriter::~NpyWriter() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

Status NpyWriter::failure(int error) const {
  return Status(ErrorCode::InvalidState, "cannot write '" + path + "': " + std::strerror(error));
}

Status NpyWriter::open(const std::string &name, uint64_t rows, uint64_t columnCount) {
  path = name;
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode))
      return Status(ErrorCode::InvalidArgument, "cannot write '" + path + "': it is a folder");
    if (!S_ISREG(info.st_mode))
      descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    // Through a symbolic link the file behind it is replaced, not the link.
    if (char *real = realpath(path.c_str(), nullptr)) {
      path = real;
      std::free(real);
    }
  }
  if (descriptor < 0) {
    std::string candidate = path + ".tmp" + std::to_string(getpid());
    descriptor = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0)
      return Status(ErrorCode::InvalidArgument,
                    "cannot write '" + path + "': " + std::strerror(errno));
    temporary = candidate;
  }
  rowsLeft = rows;
  columns = columnCount;
  std::string header = npyHeader(rows, columns);
  return write(header.data(), header.size());
}

Status NpyWriter::write(const void *data, size_t bytes) {
  const char *next = static_cast<const char *>(data);
  while (bytes > 0) {
    ssize_t written = ::write(descriptor, next, bytes);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failure(errno);
    next += written;
    bytes -= static_cast<size_t>(written);
  }
  return Status();
}

Status NpyWriter::append(Span<const float> row) {
  if (row.size() != columns || rowsLeft == 0)
    return Status(ErrorCode::InvalidState, "cannot write '" + path + "': expected " +
                                               std::to_string(rowsLeft) + " more rows of " +
                                               std::to_string(columns) + " numbers but got " +
                                               std::to_string(row.size()) + " numbers");
  --rowsLeft;
  return write(row.data(), row.size() * sizeof(float));
}

Status NpyWriter::finish() {
  if (rowsLeft != 0)
    return Status(ErrorCode::InvalidState,
                  "cannot write '" + path + "': " + std::to_string(rowsLeft) + " rows are missing");
  int error = close(descriptor) == 0 ? 0 : errno;
  descriptor = -1;
  if (error)
    return failure(error);
  if (!temporary.empty() && rename(temporary.c_str(), path.c_str()) != 0)
    return failure(errno);
  temporary.clear();
  return Status();
}

} // namespace rlx::cli
