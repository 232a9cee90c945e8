//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Payloads are read back by the runtime's reader: content, alignment, checksums.

#include "rlx/Payload/PayloadWriter.h"
#include "TempFolder.h"
#include "zip_reader.h"
#include <gtest/gtest.h>

using namespace rlx;

namespace {

llvm::ArrayRef<uint8_t> bytesOf(llvm::StringRef text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// Writes `launcher`, then one aligned entry called `name`, then a small one.
std::string writeFile(const TempFolder &folder, const std::string &launcher,
                      const std::string &name) {
  llvm::Expected<OutputFile> file = OutputFile::create(folder.path() + "/model");
  EXPECT_TRUE(bool(file));
  llvm::cantFail(file->write(launcher));
  PayloadWriter writer(*file);
  llvm::cantFail(writer.begin(name, kPayloadAlignment));
  llvm::cantFail(writer.write(bytesOf("some ")));
  llvm::cantFail(writer.write(bytesOf("weights")));
  llvm::cantFail(writer.end());
  llvm::cantFail(writer.add("manifest.json", bytesOf("{}")));
  llvm::cantFail(writer.finish());
  llvm::cantFail(file->commit(true));
  return folder.read("model");
}

std::vector<ZipEntry> readEntries(const std::string &file) {
  auto entries = readZipDirectory({reinterpret_cast<const uint8_t *>(file.data()), file.size()});
  EXPECT_TRUE(bool(entries)) << (entries ? "" : entries.status().message());
  return entries ? *entries : std::vector<ZipEntry>();
}

} // namespace

TEST(PayloadWriterTest, EntriesAreReadBack) {
  TempFolder folder;
  std::string file = writeFile(folder, "launcher", "weights.bin");
  EXPECT_EQ(file.substr(0, 8), "launcher");
  std::vector<ZipEntry> entries = readEntries(file);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "weights.bin");
  EXPECT_EQ(file.substr(entries[0].offset, entries[0].size), "some weights");
  EXPECT_EQ(entries[0].offset % kPayloadAlignment, 0u);
  EXPECT_EQ(entries[0].crc32, zipCrc32({reinterpret_cast<const uint8_t *>("some weights"), 12}));
  EXPECT_EQ(entries[1].name, "manifest.json");
  EXPECT_EQ(file.substr(entries[1].offset, entries[1].size), "{}");
}

TEST(PayloadWriterTest, EveryAmountOfPaddingAligns) {
  // The local header of "w" takes 51 bytes. Around the amounts that an extra field
  // cannot hold (1 to 3 bytes, and nearly 64 KiB) an entry of padding goes before.
  constexpr uint64_t header = 30 + 1 + 20;
  for (uint64_t padding : {0, 1, 2, 3, 4, 5, 1000, 65510, 65514, 65515, 65516, 65530, 65535}) {
    TempFolder folder;
    std::string launcher(2 * kPayloadAlignment - header - padding, 'x');
    std::vector<ZipEntry> entries = readEntries(writeFile(folder, launcher, "w"));
    ASSERT_GE(entries.size(), 2u) << padding;
    const ZipEntry &entry = entries[entries.size() - 2];
    EXPECT_EQ(entry.name, "w");
    EXPECT_EQ(entry.offset % kPayloadAlignment, 0u) << padding;
    bool fits = padding == 0 || (padding >= 4 && padding <= 65515);
    EXPECT_EQ(entries.size(), fits ? 2u : 3u) << padding;
  }
}

TEST(PayloadWriterTest, EqualEntriesGiveEqualBytes) {
  TempFolder first, second;
  EXPECT_EQ(writeFile(first, "launcher", "w"), writeFile(second, "launcher", "w"));
}

TEST(PayloadWriterTest, AnAbandonedArchiveLeavesNothing) {
  TempFolder folder;
  {
    llvm::Expected<OutputFile> file = OutputFile::create(folder.path() + "/model");
    ASSERT_TRUE(bool(file));
    PayloadWriter writer(*file);
    llvm::cantFail(writer.begin("weights.bin"));
    llvm::cantFail(writer.write(bytesOf("half")));
  }
  EXPECT_FALSE(folder.exists("model.tmp"));
}
