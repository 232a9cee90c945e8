//===-- output_file.cpp - files that appear when complete -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the temporary file.
//===----------------------------------------------------------------------===//
#include "output_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rlx::cli {

OutputFile::~OutputFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

Status OutputFile::failure(int error) const {
  return Status(ErrorCode::InvalidState, "cannot write '" + path + "': " + std::strerror(error));
}

Status OutputFile::open(const std::string &name) {
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
  if (descriptor >= 0)
    return Status();
  std::string candidate = path + ".tmp" + std::to_string(getpid());
  descriptor = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0)
    return Status(ErrorCode::InvalidArgument,
                  "cannot write '" + path + "': " + std::strerror(errno));
  temporary = candidate;
  return Status();
}

Status OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failure(errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Status();
}

Status OutputFile::commit() {
  int error = close(descriptor) == 0 ? 0 : errno;
  descriptor = -1;
  if (error)
    return failure(error);
  if (!temporary.empty() && rename(temporary.c_str(), path.c_str()) != 0)
    return failure(errno);
  temporary.clear();
  return Status();
}

Status writeFile(const std::string &path, std::string_view bytes) {
  OutputFile file;
  if (Status status = file.open(path); !status.ok())
    return status;
  if (Status status = file.write(bytes); !status.ok())
    return status;
  return file.commit();
}

} // namespace rlx::cli
