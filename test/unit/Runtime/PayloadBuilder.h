//===-- PayloadBuilder.h - writes model files for tests -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Writes stored ZIP archives, right or deliberately wrong, and whole model files
// around the fake model's code object.
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_PAYLOADBUILDER_H
#define RLX_TEST_PAYLOADBUILDER_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rlx::test {

struct TestEntry {
  std::string name;
  std::string data;
  uint64_t alignment = 1;
};

/// One entry's headers, as they are about to be written, for tests to spoil.
struct EntryFields {
  uint16_t flags = 0, method = 0;
  uint32_t crc32 = 0;
  uint64_t stored = 0, size = 0, localOffset = 0;
  std::string localName;
};

struct ArchiveOptions {
  bool zip64 = false;
  /// Whether offsets count from the start of the file, or of the archive.
  bool offsetsFromFile = true;
  std::string comment;
  int entryCountError = 0;
  /// Called with each entry's name before its headers are written.
  std::function<void(const std::string &name, EntryFields &fields)> spoil;
};

/// `prefix` (the launcher) followed by an archive of the entries.
std::string buildArchive(const std::string &prefix, const std::vector<TestEntry> &entries,
                         const ArchiveOptions &options = {});

/// The entries of a sound model file: manifest, code and weights.
std::vector<TestEntry> fakePayload(const std::string &code);

/// The manifest that describes these entries' code and weights.
std::string fakeManifest(const std::vector<TestEntry> &entries);

std::string readFile(const std::string &path);
/// Writes a file in the tests' temporary directory and returns its path.
std::string writeTemporary(const std::string &name, const std::string &bytes);

} // namespace rlx::test

#endif // RLX_TEST_PAYLOADBUILDER_H
