//===-- runtime/lib/payload.cpp - the file behind a model -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the mapped model file.
//===----------------------------------------------------------------------===//
#include "payload.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rlx {

Payload::Payload(Payload &&other) noexcept
    : fileName(std::move(other.fileName)), fd(std::exchange(other.fd, -1)),
      mapping(std::move(other.mapping)), entries(std::move(other.entries)) {}

Payload &Payload::operator=(Payload &&other) noexcept {
  std::swap(fileName, other.fileName);
  std::swap(fd, other.fd);
  std::swap(mapping, other.mapping);
  std::swap(entries, other.entries);
  return *this;
}

Payload::~Payload() {
  if (fd >= 0)
    close(fd);
}

Expected<Payload> Payload::open(const std::string &path) {
  auto bad = [&](const std::string &message) {
    return Status(ErrorCode::BadFile, path + ": " + message);
  };
  Payload payload;
  payload.fileName = path;
  payload.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (payload.fd < 0)
    return bad(std::string("cannot open the model: ") + std::strerror(errno));
  struct stat info;
  if (fstat(payload.fd, &info) != 0)
    return bad(std::string("cannot read the model's size: ") + std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return bad("expected a model file but it is not a regular file");
  Expected<MappedRegion> mapping =
      MappedRegion::file(payload.fd, static_cast<uint64_t>(info.st_size));
  if (!mapping)
    return bad(mapping.status().message());
  payload.mapping = std::move(*mapping);
  Expected<std::vector<ZipEntry>> entries =
      readZipDirectory({payload.mapping.data(), payload.mapping.size()});
  if (!entries)
    return bad(entries.status().message());
  payload.entries = std::move(*entries);
  return payload;
}

const ZipEntry *Payload::find(const std::string &name) const {
  for (const ZipEntry &entry : entries)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

Expected<const ZipEntry *> Payload::require(const std::string &name, uint64_t alignment) const {
  const ZipEntry *entry = find(name);
  if (!entry)
    return Status(ErrorCode::BadFile, fileName + ": the payload has no entry '" + name + "'");
  if (entry->offset % alignment != 0)
    return Status(ErrorCode::BadFile,
                  fileName + ": entry '" + name + "': expected an offset that is a multiple of " +
                      std::to_string(alignment) + " but got " + std::to_string(entry->offset));
  return entry;
}

Span<const uint8_t> Payload::bytes(const ZipEntry &entry) const {
  return {mapping.data() + entry.offset, entry.size};
}

} // namespace rlx
