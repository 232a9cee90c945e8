//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// An output file appears whole or leaves what was there before.

#include "rlx/Payload/OutputFile.h"
#include "TempFolder.h"
#include <csignal>
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
    if (file)
      message = llvm::toString(file->write(std::string(10000, 'x')));
  }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, HasSubstr("cannot write it"));
  EXPECT_FALSE(folder.exists("out.tmp"));
  EXPECT_FALSE(folder.exists("out"));
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
