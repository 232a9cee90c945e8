//===- OutputTest.cpp --------------------------------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Stop strings, .npy files, and outputs that cannot be written.
//===----------------------------------------------------------------------===//
#include "CliFixture.h"
#include "npy_writer.h"
#include "stop_filter.h"

#include <filesystem>
#include <fstream>
#include <random>

using namespace rlx;
using namespace rlx::cli;
using namespace rlx::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

TEST(StopFilter, HoldsBackWhatCouldBeTheStart) {
  StopFilter filter({"END", "\n\n"});
  std::string out;
  EXPECT_FALSE(filter.push("one\n", out));
  EXPECT_EQ(out, "one");
  EXPECT_FALSE(filter.push("two E", out));
  EXPECT_EQ(out, "one\ntwo ");
  EXPECT_FALSE(filter.push("N", out));
  EXPECT_EQ(out, "one\ntwo ");
  EXPECT_TRUE(filter.push("D and more", out));
  EXPECT_EQ(out, "one\ntwo ");
  filter.finish(out);
  EXPECT_EQ(out, "one\ntwo ");
}

TEST(StopFilter, ShowsEverythingWithoutAStop) {
  StopFilter filter({"stop"});
  std::string out;
  filter.push("don't sto", out);
  EXPECT_EQ(out, "don't ");
  filter.finish(out);
  EXPECT_EQ(out, "don't sto");
}

TEST(StopFilter, EqualsASearchInTheWholeText) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 30; ++i)
      text += "ab"[random() % 2];
    std::vector<std::string> stops;
    for (int i = 0; i < 2; ++i) {
      std::string stop;
      for (unsigned length = 1 + random() % 6; length > 0; --length)
        stop += "ab"[random() % 2];
      stops.push_back(stop);
    }
    size_t first = text.npos, end = text.npos;
    for (const std::string &stop : stops)
      if (size_t at = text.find(stop);
          at != text.npos && std::pair(at + stop.size(), at) < std::pair(end, first)) {
        first = at;
        end = at + stop.size();
      }
    StopFilter filter(stops);
    std::string out;
    bool stopped = false;
    for (size_t at = 0; at < text.size() && !stopped;) {
      size_t count = 1 + random() % 4;
      stopped = filter.push(text.substr(at, count), out);
      at += count;
    }
    filter.finish(out);
    ASSERT_EQ(out, text.substr(0, first)) << stops[0] << " " << stops[1] << " in " << text;
    ASSERT_EQ(stopped, first != text.npos);
  }
}

TEST(Npy, HeaderIsAsNumpyReadsIt) {
  for (uint64_t rows : {uint64_t(1), uint64_t(1234567890123)}) {
    std::string header = npyHeader(rows, 262144);
    EXPECT_EQ(header.size() % 64, 0u);
    EXPECT_EQ(header.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    size_t stated =
        static_cast<unsigned char>(header[8]) + 256 * static_cast<unsigned char>(header[9]);
    EXPECT_EQ(stated, header.size() - 10);
    EXPECT_EQ(header.back(), '\n');
    EXPECT_THAT(header, HasSubstr("'descr': '<f4', 'fortran_order': False, 'shape': (" +
                                  std::to_string(rows) + ", 262144), }"));
  }
}

TEST(Npy, AppearsOnlyWhenComplete) {
  TemporaryFolder folder;
  const std::vector<float> row = {1, 2, 3};
  {
    NpyWriter writer;
    ASSERT_TRUE(writer.open(folder.file("a.npy"), 2, 3).ok());
    ASSERT_TRUE(writer.append(row).ok());
    EXPECT_FALSE(std::filesystem::exists(folder.file("a.npy")));
    EXPECT_THAT(writer.finish().message(), HasSubstr("1 rows are missing"));
    EXPECT_FALSE(writer.append(std::vector<float>{1}).ok()); // a row of another size
  }
  EXPECT_THAT(folder.list(), IsEmpty());
  NpyWriter writer;
  ASSERT_TRUE(writer.open(folder.file("a.npy"), 1, 3).ok());
  ASSERT_TRUE(writer.append(row).ok());
  EXPECT_FALSE(writer.append(row).ok()); // one too many
  ASSERT_TRUE(writer.finish().ok());
  EXPECT_THAT(folder.list(), ElementsAre("a.npy"));
  EXPECT_EQ(contentsOf(folder.file("a.npy")),
            npyHeader(1, 3) + std::string(reinterpret_cast<const char *>(row.data()), 12));
}

TEST(Npy, WritesThroughSymbolicLinks) {
  TemporaryFolder folder;
  std::ofstream(folder.file("real.npy")) << "old";
  std::filesystem::create_symlink("real.npy", folder.file("link.npy"));
  NpyWriter writer;
  ASSERT_TRUE(writer.open(folder.file("link.npy"), 0, 3).ok());
  ASSERT_TRUE(writer.finish().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link.npy")));
  EXPECT_EQ(contentsOf(folder.file("real.npy")), npyHeader(0, 3));
}

TEST(Npy, NamesWhatCannotBeWritten) {
  TemporaryFolder folder;
  auto messageOf = [](const std::string &path) {
    NpyWriter writer;
    Status status = writer.open(path, 1, 1);
    for (int i = 0; status.ok() && i < 1; ++i)
      status = writer.append(std::vector<float>{0});
    return status.ok() ? writer.finish().message() : status.message();
  };
  EXPECT_THAT(messageOf(folder.file("no/such.npy")), HasSubstr("No such file"));
  EXPECT_THAT(messageOf(folder.file("")), HasSubstr("it is a folder"));
  EXPECT_THAT(messageOf("/dev/full"), HasSubstr("cannot write '/dev/full': No space left"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST(Npy, WritesNothingBeforeTheFirstRow) {
  NpyWriter writer;
  EXPECT_TRUE(writer.open("/dev/full", 1, 1).ok());
  EXPECT_FALSE(writer.append(std::vector<float>{0}).ok());
}

} // namespace
