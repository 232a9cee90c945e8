//===-- PayloadBuilder.cpp - writes model files for tests -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the archive writer.
//===----------------------------------------------------------------------===//
#include "PayloadBuilder.h"

#include "FakeModel.h"
#include "sha256.h"
#include "zip_reader.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <unistd.h>

namespace rlx::test {

static Span<const uint8_t> bytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// Appends little-endian integers of the sizes of their types.
template <typename... Values> static void put(std::string &out, Values... values) {
  (out.append(reinterpret_cast<const char *>(&values), sizeof(values)), ...);
}

static void putLocal(std::string &out, const EntryFields &fields) {
  put(out, uint32_t(0x04034b50), uint16_t(45), fields.flags, fields.method, uint32_t(0),
      fields.crc32, uint32_t(fields.stored), uint32_t(fields.size),
      uint16_t(fields.localName.size()), uint16_t(0));
  out += fields.localName;
}

static void putCentral(std::string &out, const std::string &name, const EntryFields &fields,
                       bool zip64) {
  std::string extra;
  if (zip64)
    put(extra, uint16_t(1), uint16_t(24), fields.size, fields.stored, fields.localOffset);
  auto narrow = [&](uint64_t value) { return zip64 ? ~uint32_t(0) : uint32_t(value); };
  put(out, uint32_t(0x02014b50), uint16_t(45), uint16_t(45), fields.flags, fields.method,
      uint32_t(0), fields.crc32, narrow(fields.stored), narrow(fields.size), uint16_t(name.size()),
      uint16_t(extra.size()), uint16_t(0), uint16_t(0), uint16_t(0), uint32_t(0),
      narrow(fields.localOffset));
  out += name + extra;
}

static void putEnd(std::string &out, uint64_t count, uint64_t size, uint64_t offset,
                   const ArchiveOptions &options) {
  if (options.zip64) {
    uint64_t end64 = out.size();
    put(out, uint32_t(0x06064b50), uint64_t(44), uint16_t(45), uint16_t(45), uint32_t(0),
        uint32_t(0), count, count, size, offset);
    put(out, uint32_t(0x07064b50), uint32_t(0), end64, uint32_t(1));
    count = 0xffff;
    size = offset = 0xffffffff;
  }
  put(out, uint32_t(0x06054b50), uint16_t(0), uint16_t(0), uint16_t(count), uint16_t(count),
      uint32_t(size), uint32_t(offset), uint16_t(options.comment.size()));
  out += options.comment;
}

std::string buildArchive(const std::string &prefix, const std::vector<TestEntry> &entries,
                         const ArchiveOptions &options) {
  std::string out = prefix, directory;
  uint64_t shift = options.offsetsFromFile ? 0 : prefix.size();
  for (const TestEntry &entry : entries) {
    uint64_t header = 30 + entry.name.size();
    while ((out.size() + header) % entry.alignment != 0)
      out += '\0';
    EntryFields fields;
    fields.crc32 = zipCrc32(bytesOf(entry.data));
    fields.stored = fields.size = entry.data.size();
    fields.localOffset = out.size() - shift;
    fields.localName = entry.name;
    if (options.spoil)
      options.spoil(entry.name, fields);
    putLocal(out, fields);
    out += entry.data;
    putCentral(directory, entry.name, fields, options.zip64);
  }
  uint64_t offset = out.size() - shift;
  out += directory;
  putEnd(out, entries.size() + options.entryCountError, directory.size(), offset, options);
  return out;
}

std::string fakeManifest(const std::vector<TestEntry> &entries) {
  std::string code, weights;
  for (const TestEntry &entry : entries) {
    std::string hash = hexDigits(sha256(bytesOf(entry.data)));
    if (entry.name.rfind("code/", 0) == 0)
      code += (code.empty() ? "" : ", ") + (R"({"target": "fake", "entry": ")" + entry.name +
                                            R"(", "cpu_features": [], "sha256": ")" + hash + "\"}");
    else if (entry.name == "weights.bin")
      weights = R"({"entry": "weights.bin", "bytes": )" + std::to_string(entry.data.size()) +
                R"(, "sha256": ")" + hash + "\"}";
  }
  return R"({"format": 1, "code": [)" + code + R"(], "weights": )" + weights +
         R"(, "model": {"eos_token_ids": [1], "layers": [{}, {}, {}]}})";
}

std::vector<TestEntry> fakePayload(const std::string &code) {
  std::string weights(FAKE_WEIGHTS, '\0');
  weights[0] = 2;
  std::vector<TestEntry> entries = {{"manifest.json", ""},
                                    {"tokenizer.bin", "tables"},
                                    {"code/fake.so", code, 65536},
                                    {"weights.bin", weights, 65536}};
  entries[0].data = fakeManifest(entries);
  return entries;
}

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::string writeTemporary(const std::string &name, const std::string &bytes) {
  std::string path = testing::TempDir() + "rlx-" + std::to_string(getpid()) + "-" + name;
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  EXPECT_TRUE(file.good()) << path;
  return path;
}

} // namespace rlx::test
