//===- LauncherTest.cpp ---------------------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A model file as a process: the launcher, the fake model's code and a
// tokenizer, with pipes and on a terminal.
//===----------------------------------------------------------------------===//
#include "CliFixture.h"
#include "PayloadBuilder.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace rlx;
using namespace rlx::test;
using nlohmann::json;
using testing::HasSubstr;

namespace {

class Launcher : public testing::Test {
protected:
  /// A model file for chats in the temporary folder.
  std::string modelFile() {
    std::vector<TestEntry> entries = fakePayload(test::readFile(RLX_FAKE_CODE));
    for (TestEntry &entry : entries)
      if (entry.name == "tokenizer.bin")
        entry.data = fakeTables();
    json manifest = json::parse(entries.front().data);
    json chat = json::parse(chatManifest("prepend"));
    manifest["model"] = chat["model"];
    manifest["turn_format"] = chat["turn_format"];
    manifest["tokenizer"] = {{"entry", "tokenizer.bin"}};
    entries.front().data = manifest.dump();
    return write("model", buildArchive(contentsOf(RLX_LAUNCHER), entries));
  }

  std::string write(const std::string &name, const std::string &bytes) {
    std::ofstream(folder.file(name), std::ios::binary) << bytes;
    std::filesystem::permissions(folder.file(name), std::filesystem::perms::owner_all);
    return folder.file(name);
  }

  /// Runs a shell command; its exit status and output.
  CliResult shell(const std::string &command) {
    CliResult result;
    std::FILE *pipe = popen((command + " 2>" + folder.file("err")).c_str(), "r");
    for (int c; (c = std::fgetc(pipe)) != EOF;)
      result.out += static_cast<char>(c);
    result.status = WEXITSTATUS(pclose(pipe));
    result.err = contentsOf(folder.file("err"));
    return result;
  }

  TemporaryFolder folder;
};

/// A process on a terminal of its own.
class TerminalProcess {
public:
  explicit TerminalProcess(const std::vector<std::string> &command) {
    child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) {
      std::vector<char *> argv;
      for (const std::string &word : command)
        argv.push_back(const_cast<char *>(word.c_str()));
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
  }
  ~TerminalProcess() {
    if (child > 0)
      kill(child, SIGKILL), waitpid(child, nullptr, 0);
    close(terminal);
  }

  void type(const std::string &text) { EXPECT_GT(::write(terminal, text.data(), text.size()), 0); }
  /// Reads until `text` has appeared so many times since the start.
  void await(const std::string &text, int times) {
    auto count = [&] {
      int found = 0;
      for (size_t at = 0; (at = seen.find(text, at)) != seen.npos; at += text.size())
        ++found;
      return found;
    };
    char buffer[256];
    for (ssize_t size; count() < times && (size = read(terminal, buffer, sizeof(buffer))) > 0;)
      seen.append(buffer, static_cast<size_t>(size));
    EXPECT_GE(count(), times) << "seen: " << seen;
  }
  int wait() {
    int status = 0;
    waitpid(child, &status, 0);
    child = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  /// The terminal's input, output, control and local flags.
  std::vector<tcflag_t> settings() const {
    termios now;
    EXPECT_EQ(tcgetattr(terminal, &now), 0);
    return {now.c_iflag, now.c_oflag, now.c_cflag, now.c_lflag};
  }

private:
  pid_t child;
  int terminal = -1;
  std::string seen;
};

TEST_F(Launcher, NeedsAModel) {
  CliResult result = shell(std::string(RLX_LAUNCHER) + " info");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr(RLX_LAUNCHER ": expected a model payload"));
  EXPECT_EQ(shell(std::string(RLX_LAUNCHER) + " --help").status, 0);
}

TEST_F(Launcher, RunsThroughPipes) {
  CliSetup setup;
  setup.manifest = chatManifest("prepend");
  std::string expected = runCli({"abc", "-n9"}, setup).out;
  ASSERT_GT(expected.size(), 1u);
  std::string model = modelFile();
  EXPECT_EQ(shell(model + " abc -n9").out, expected);
  EXPECT_EQ(shell("echo abc | " + model + " -n9").out, expected);
  EXPECT_EQ(shell(model + " run -n9 < /dev/null | cat").status, 0);
  CliResult full = shell(model + " abc -n9 > /dev/full");
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr("model: error: cannot write the output: No space left"));
  EXPECT_EQ(shell(model + " --wrong").status, 2);
}

TEST_F(Launcher, NoticesClosedDescriptors) {
  std::string model = modelFile();
  CliResult noInput = shell("timeout 60 " + model + " -n9 <&-");
  EXPECT_EQ(noInput.status, 2);
  EXPECT_THAT(noInput.err, HasSubstr("cannot read standard input: Bad file descriptor"));
  CliResult noOutput = shell(model + " abc -n9 >&-");
  EXPECT_EQ(noOutput.status, 1);
  EXPECT_THAT(noOutput.err, HasSubstr("cannot write the output: Bad file descriptor"));
  // Messages must not go into a file that takes the number of a closed one.
  const std::string arguments = " logits -v --ids 2,9,11 -o ";
  EXPECT_EQ(shell(model + arguments + folder.file("open.npy")).status, 0);
  EXPECT_EQ(shell("(" + model + arguments + folder.file("closed.npy") + " <&- >&- 2>&-)").status,
            0);
  EXPECT_EQ(contentsOf(folder.file("open.npy")), contentsOf(folder.file("closed.npy")));
}

TEST_F(Launcher, ChatsOnATerminal) {
  TerminalProcess chat({modelFile(), "-n3", "--print-ids"});
  chat.await("> ", 1);
  std::vector<tcflag_t> before = chat.settings();
  chat.type("abc\n");
  chat.await("> ", 2);
  chat.type("def\n");
  chat.await("> ", 3);
  EXPECT_EQ(chat.settings(), before);
  chat.type("\x03"); // Ctrl-C
  EXPECT_EQ(chat.wait(), 130);
}

TEST_F(Launcher, ChatEndsWithTheInput) {
  TerminalProcess chat({modelFile(), "-n3"});
  chat.await("> ", 1);
  chat.type("\x04"); // Ctrl-D
  EXPECT_EQ(chat.wait(), 0);
}

} // namespace
