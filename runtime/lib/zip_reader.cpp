//===-- runtime/lib/zip_reader.cpp - entries of a payload -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the ZIP directory reader, with zip64 for payloads above 4 GiB.
//===----------------------------------------------------------------------===//
#include "zip_reader.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace rlx {

constexpr uint64_t endSize = 22, end64LocatorSize = 20, end64Size = 56;
constexpr uint64_t centralSize = 46, localSize = 30;

template <typename T> static T readAt(const uint8_t *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T)); // ZIP is little-endian, like every target
  return value;
}

static Status bad(const std::string &message) { return Status(ErrorCode::BadFile, message); }

namespace {
/// Where the central directory is, and how far the offsets that the archive
/// records are from offsets in the file (the launcher may not be counted).
struct Directory {
  uint64_t begin, end, entries, shift;
};
} // namespace

static const uint8_t *findEnd(Span<const uint8_t> file) {
  if (file.size() < endSize)
    return nullptr;
  // The end record is followed by a comment of up to 65535 bytes only.
  uint64_t furthest = std::min<uint64_t>(file.size(), endSize + 0xffff);
  for (uint64_t back = endSize; back <= furthest; ++back) {
    const uint8_t *end = file.end() - back;
    if (readAt<uint32_t>(end) == 0x06054b50 && readAt<uint16_t>(end + 20) == back - endSize)
      return end;
  }
  return nullptr;
}

static Expected<Directory> findDirectory(Span<const uint8_t> file) {
  const uint8_t *end = findEnd(file);
  if (!end)
    return bad("expected a model payload (a ZIP archive) at the end of the file but found none; "
               "was the file truncated or stripped?");
  uint64_t endOffset = end - file.begin();
  uint64_t entries = readAt<uint16_t>(end + 10);
  uint64_t size = readAt<uint32_t>(end + 12);
  uint64_t offset = readAt<uint32_t>(end + 16);
  uint64_t disks = readAt<uint16_t>(end + 4) + readAt<uint16_t>(end + 6);
  const uint8_t *locator = end - end64LocatorSize;
  if (endOffset >= end64LocatorSize + end64Size && readAt<uint32_t>(locator) == 0x07064b50) {
    const uint8_t *end64 = locator - end64Size;
    if (readAt<uint32_t>(end64) != 0x06064b50)
      return bad("payload: expected a zip64 end record before its locator");
    entries = readAt<uint64_t>(end64 + 32);
    size = readAt<uint64_t>(end64 + 40);
    offset = readAt<uint64_t>(end64 + 48);
    disks = uint64_t(readAt<uint32_t>(end64 + 16)) + readAt<uint32_t>(end64 + 20);
    endOffset = end64 - file.begin();
  }
  if (disks != 0)
    return bad("payload: expected an archive in one part but it is split");
  if (size > endOffset || offset > endOffset - size)
    return bad("payload: the directory of " + std::to_string(size) + " bytes at offset " +
               std::to_string(offset) + " does not fit before offset " + std::to_string(endOffset));
  if (entries > size / centralSize)
    return bad("payload: a directory of " + std::to_string(size) + " bytes cannot hold " +
               std::to_string(entries) + " entries");
  return Directory{endOffset - size, endOffset, entries, endOffset - size - offset};
}

/// Replaces the fields that are all ones by those of the zip64 extra field.
static Status readZip64(Span<const uint8_t> extra, const std::string &name, uint64_t &size,
                        uint64_t &stored, uint64_t &offset) {
  for (size_t at = 0; at + 4 <= extra.size();) {
    uint16_t id = readAt<uint16_t>(&extra[at]);
    size_t length = readAt<uint16_t>(&extra[at] + 2);
    at += 4;
    if (length > extra.size() - at)
      break;
    if (id == 1) {
      size_t used = 0;
      for (uint64_t *field : {&size, &stored, &offset}) {
        if (*field != 0xffffffff)
          continue;
        if (used + 8 > length)
          return bad("payload: entry '" + name + "' has a zip64 field that is too short");
        *field = readAt<uint64_t>(&extra[at] + used);
        used += 8;
      }
      return Status();
    }
    at += length;
  }
  return Status();
}

/// Finds the entry's data through its local header, which must agree.
static Expected<uint64_t> dataOffset(Span<const uint8_t> file, const Directory &directory,
                                     const std::string &name, uint64_t local, uint64_t size) {
  if (local > directory.begin || directory.begin - local < localSize + name.size())
    return bad("payload: entry '" + name + "' starts outside the archive");
  const uint8_t *header = file.begin() + local;
  if (readAt<uint32_t>(header) != 0x04034b50)
    return bad("payload: entry '" + name + "' has no local header where the directory says");
  uint64_t nameSize = readAt<uint16_t>(header + 26), extraSize = readAt<uint16_t>(header + 28);
  if (nameSize != name.size() || std::memcmp(header + localSize, name.data(), nameSize) != 0)
    return bad("payload: entry '" + name + "' has another name in its local header");
  uint64_t headerSize = localSize + nameSize + extraSize;
  uint64_t room = directory.begin - local;
  if (headerSize > room || size > room - headerSize)
    return bad("payload: entry '" + name + "' of " + std::to_string(size) +
               " bytes reaches beyond the archive");
  return local + headerSize;
}

/// Reads the central header at `at` and moves `at` behind it.
static Expected<ZipEntry> readEntry(Span<const uint8_t> file, const Directory &directory,
                                    uint64_t &at) {
  const uint8_t *header = file.begin() + at;
  if (directory.end - at < centralSize || readAt<uint32_t>(header) != 0x02014b50)
    return bad("payload: expected a directory entry at offset " + std::to_string(at));
  uint64_t nameSize = readAt<uint16_t>(header + 28), extraSize = readAt<uint16_t>(header + 30);
  uint64_t total = centralSize + nameSize + extraSize + readAt<uint16_t>(header + 32);
  if (total > directory.end - at)
    return bad("payload: the directory entry at offset " + std::to_string(at) + " is cut off");
  std::string name(reinterpret_cast<const char *>(header + centralSize), nameSize);
  if (name.empty() || name.find('\0') != std::string::npos)
    return bad("payload: the directory entry at offset " + std::to_string(at) + " has no name");
  if (readAt<uint16_t>(header + 8) & 1)
    return bad("payload: entry '" + name + "' is encrypted");
  if (readAt<uint16_t>(header + 10) != 0)
    return bad("payload: entry '" + name + "' is compressed, expected a stored one");
  uint64_t stored = readAt<uint32_t>(header + 20), size = readAt<uint32_t>(header + 24);
  uint64_t local = readAt<uint32_t>(header + 42);
  Span<const uint8_t> extra(header + centralSize + nameSize, extraSize);
  if (Status status = readZip64(extra, name, size, stored, local); !status.ok())
    return status;
  if (stored != size)
    return bad("payload: entry '" + name + "' has " + std::to_string(stored) +
               " stored bytes, expected its size " + std::to_string(size));
  if (local > file.size())
    return bad("payload: entry '" + name + "' starts outside the archive");
  Expected<uint64_t> data = dataOffset(file, directory, name, local + directory.shift, size);
  if (!data)
    return data.status();
  at += total;
  return ZipEntry{std::move(name), *data, size, readAt<uint32_t>(header + 16)};
}

Expected<std::vector<ZipEntry>> readZipDirectory(Span<const uint8_t> file) {
  Expected<Directory> directory = findDirectory(file);
  if (!directory)
    return directory.status();
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  uint64_t at = directory->begin;
  for (uint64_t i = 0; i < directory->entries; ++i) {
    Expected<ZipEntry> entry = readEntry(file, *directory, at);
    if (!entry)
      return entry.status();
    if (!names.insert(entry->name).second)
      return bad("payload: entry '" + entry->name + "' occurs twice");
    entries.push_back(std::move(*entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const ZipEntry &a, const ZipEntry &b) { return a.offset < b.offset; });
  for (size_t i = 1; i < entries.size(); ++i)
    if (entries[i].offset - entries[i - 1].offset < entries[i - 1].size)
      return bad("payload: entries '" + entries[i - 1].name + "' and '" + entries[i].name +
                 "' overlap");
  return entries;
}

uint32_t zipCrc32(Span<const uint8_t> bytes) {
  uint32_t crc = ~0u;
  for (uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

} // namespace rlx
