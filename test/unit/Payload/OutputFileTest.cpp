//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// An output file appears whole or leaves what was there before.

#include "rlx/Payload/OutputFile.h"
#include "TempFolder.h"
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace rlx;
using testing::HasSubstr;

TEST(OutputFileTest, CommitReplacesTheOldFile) {
  TempFolder folder;
  std::string path = folder.write("out", "old");
  {
    llvm::Expected<OutputFile> file = OutputFile::create(path);
    ASSERT_TRUE(bool(file));
    llvm::cantFail(file->write(llvm::StringRef("new!")));
    EXPECT_EQ(folder.read("out"), "old");
    llvm::cantFail(file->seek(0));
    llvm::cantFail(file->write(llvm::StringRef("N")));
    llvm::cantFail(file->commit(/*executable=*/true));
  }
  EXPECT_EQ(folder.read("out"), "New!");
  EXPECT_FALSE(folder.exists("out.tmp"));
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_TRUE(status.st_mode & S_IXUSR);
}

TEST(OutputFileTest, NothingChangesWithoutCommit) {
  TempFolder folder;
  std::string path = folder.write("out", "old");
  {
    llvm::Expected<OutputFile> file = OutputFile::create(path);
    ASSERT_TRUE(bool(file));
    llvm::cantFail(file->write(llvm::StringRef("half")));
    EXPECT_TRUE(folder.exists("out.tmp"));
    llvm::Expected<OutputFile> second = OutputFile::create(path);
    ASSERT_FALSE(bool(second));
    EXPECT_THAT(llvm::toString(second.takeError()), HasSubstr("another process is writing it"));
  }
  EXPECT_EQ(folder.read("out"), "old");
  EXPECT_FALSE(folder.exists("out.tmp"));
}

TEST(OutputFileTest, RefusesBadPaths) {
  TempFolder folder;
  const std::pair<std::string, const char *> cases[] = {
      {"", "empty name"},
      {folder.path(), "got a directory"},
      {folder.path() + "/no/out", "does not exist"},
      {"/dev/null", "expected a regular file"},
  };
  for (const auto &[path, message] : cases)
    EXPECT_THAT(llvm::toString(checkOutputPath(path)), HasSubstr(message)) << path;
}

TEST(OutputFileTest, AFailingWriteIsAnErrorAndRemovesTheFile) {
  TempFolder folder;
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = {4096, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string message;
  {
    llvm::Expected<OutputFile> file = OutputFile::create(folder.path() + "/out");
    if (file) {
      llvm::cantFail(file->write(std::string(10000, 'x'))); // waits for more
      message = llvm::toString(file->flush());
    }
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("cannot write it"));
  EXPECT_FALSE(folder.exists("out.tmp"));
  EXPECT_FALSE(folder.exists("out"));
}

TEST(OutputFileTest, WritesWholeHugePagesUntilItIsFlushed) {
  constexpr size_t kPiece = 2 << 20;
  TempFolder folder;
  llvm::Expected<OutputFile> file = OutputFile::create(folder.path() + "/out");
  ASSERT_TRUE(bool(file));
  auto sizeNow = [&] { return std::filesystem::file_size(folder.path() + "/out.tmp"); };
  std::string expected;
  auto write = [&](size_t size) {
    std::string part;
    for (size_t i = 0; i < size; ++i)
      part.push_back(static_cast<char>((expected.size() + i) * 2654435761u >> 24));
    llvm::cantFail(file->write(part));
    expected += part;
    EXPECT_EQ(file->position(), expected.size());
    EXPECT_EQ(sizeNow(), expected.size() / kPiece * kPiece);
  };
  // Parts within a piece, to its end, over several, of exactly one, and beyond its start.
  for (size_t size : {size_t(1), kPiece - 2, size_t(1), kPiece, 2 * kPiece + 5, size_t(70000)})
    write(size);
  for (int i = 0; i < 100; ++i)
    write(65521);
  // What was written before is changed in place.
  llvm::cantFail(file->seek(kPiece - 1));
  EXPECT_EQ(sizeNow(), expected.size());
  llvm::cantFail(file->write(llvm::StringRef("across")));
  expected.replace(kPiece - 1, 6, "across");
  llvm::cantFail(file->seek(expected.size()));
  llvm::cantFail(file->write(llvm::StringRef("end")));
  expected += "end";
  llvm::cantFail(file->commit(/*executable=*/false));
  EXPECT_TRUE(folder.read("out") == expected);
}

TEST(OutputFileTest, ASecondSignalDoesNotKeepTheFirstFromRemovingTheFile) {
  TempFolder folder;
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    llvm::Expected<OutputFile> file = OutputFile::create(folder.path() + "/out");
    if (!file)
      _exit(1);
    // SIGTERM waits for whoever lets signals in again.
    sigset_t later;
    sigemptyset(&later);
    sigaddset(&later, SIGTERM);
    sigprocmask(SIG_BLOCK, &later, nullptr);
    std::raise(SIGTERM);
    std::raise(SIGINT);
    _exit(2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
  EXPECT_FALSE(folder.exists("out.tmp"));
}

TEST(OutputFileTest, IgnoredSignalsStayIgnored) {
  TempFolder folder;
  auto handler = std::signal(SIGHUP, SIG_IGN);
  {
    llvm::Expected<OutputFile> file = OutputFile::create(folder.path() + "/out");
    ASSERT_TRUE(bool(file));
    std::raise(SIGHUP);
    EXPECT_TRUE(folder.exists("out.tmp"));
  }
  std::signal(SIGHUP, handler);
}
