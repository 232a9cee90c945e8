//===- ChatTest.cpp ----------------------------------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Chats on the fake model, and interrupts.
//===----------------------------------------------------------------------===//
#include "CliFixture.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <pthread.h>
#include <thread>
#include <unistd.h>

using namespace rlx;
using namespace rlx::test;
using testing::HasSubstr;

namespace {

CliSetup terminal(const std::string &typed) {
  CliSetup setup;
  setup.manifest = chatManifest("prepend");
  setup.inIsTerminal = true;
  setup.input = typed;
  return setup;
}

/// The replies of a chat, between its prompts.
std::vector<std::string> replies(const std::string &out) {
  std::vector<std::string> list;
  for (size_t at = out.find("> "); at != out.npos;) {
    size_t next = out.find("> ", at + 2);
    list.push_back(out.substr(at + 2, next == out.npos ? next : next - at - 2));
    at = next;
  }
  return list;
}

TEST(Chat, KeepsItsCacheBetweenTurns) {
  const std::vector<std::string> args = {"-n4", "--print-ids"};
  CliResult result = runCli(args, terminal("abc\n\n  \ndef\n"));
  EXPECT_EQ(result.status, 0) << result.err;
  std::vector<std::string> said = replies(result.out);
  ASSERT_EQ(said.size(), 5u); // two replies, two empty lines, the end
  // The whole conversation in one prompt ends in the same reply. The first
  // reply's ids are put back as ids, since text could be cut differently.
  const std::string &tables = fakeTables();
  Tokenizer tokenizer =
      *Tokenizer::open({reinterpret_cast<const uint8_t *>(tables.data()), tables.size()});
  auto idsOf = [&](const std::string &text) {
    std::string list;
    std::vector<int32_t> ids = *tokenizer.encode(text, ControlText::Parse);
    for (int32_t id : ids)
      list += std::to_string(id) + ",";
    return list;
  };
  std::string first = said[0].substr(0, said[0].find('\n'));
  std::string ids = "2," + idsOf("<start_of_turn>user\nabc<end_of_turn>\n<start_of_turn>model\n") +
                    first + "," +
                    idsOf("<end_of_turn>\n<start_of_turn>user\ndef<end_of_turn>\n"
                          "<start_of_turn>model\n");
  ids.pop_back();
  CliSetup plain;
  plain.manifest = chatManifest("prepend");
  EXPECT_EQ(said[3], runCli({"-n4", "--print-ids", "--ids", ids}, plain).out);
  EXPECT_EQ(said[0], runCli({"abc", "-n4", "--print-ids"}, plain).out);
}

TEST(Chat, ClearStartsAnew) {
  std::vector<std::string> said =
      replies(runCli({"-n4", "--print-ids"}, terminal("abc\n/clear\nabc\n/exit\nabc\n")).out);
  ASSERT_EQ(said.size(), 4u);
  EXPECT_EQ(said[0], said[2]);
  EXPECT_EQ(said[3], "");
}

TEST(Chat, GoesOnWhenTheContextIsFull) {
  CliResult result = runCli({"-n4", "--max-context", "24", "--print-ids"},
                            terminal("abc\ndef\ndef\n/clear\nabc\n"));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("/clear starts anew"));
  std::vector<std::string> said = replies(result.out);
  EXPECT_EQ(said[0], said[4]);
}

TEST(Chat, NeedsATokenizer) {
  CliSetup setup = terminal("abc\n");
  setup.hasTokenizer = false;
  EXPECT_EQ(runCli({}, setup).status, 2);
  EXPECT_EQ(runCli({"--naive"}, terminal("abc\n")).status, 2);
}

/// Sends SIGINT to the calling thread a moment after it began to handle the signal.
class LateInterrupt {
public:
  LateInterrupt()
      : target(pthread_self()), thread([this] {
          using std::chrono::milliseconds;
          struct sigaction now = {};
          do
            std::this_thread::sleep_for(milliseconds(1));
          while (sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == SIG_DFL);
          // Most likely it waits by then; either way the signal must not get lost.
          std::this_thread::sleep_for(milliseconds(200));
          pthread_kill(target, SIGINT);
          sent = true;
        }) {}
  ~LateInterrupt() { thread.join(); }

  void wait() const {
    while (!sent)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

private:
  pthread_t target;
  std::atomic<bool> sent{false};
  std::thread thread;
};

TEST(Interrupt, EndsAWaitingChat) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  CliSetup setup = terminal("");
  setup.inDescriptor = ends[0];
  LateInterrupt interrupt;
  CliResult result = runCli({}, setup);
  EXPECT_EQ(result.status, 130);
  EXPECT_EQ(result.out, "> \n");
  close(ends[0]);
  close(ends[1]);
}

TEST(Interrupt, EndsEveryCommandBeforeItsNextStep) {
  TemporaryFolder folder;
  const std::string text = folder.file("text"), output = folder.file("output");
  std::ofstream(text) << "abc def abc def";
  CliSetup setup;
  setup.interrupts = true;
  setup.input = "abc";
  const uint64_t before = fake_step_count();
  for (const std::vector<std::string> &args : std::vector<std::vector<std::string>>{
           {"abc", "-n9"},
           {"-n9"},
           {"logits", "--text", "abc", "-o", output},
           {"logits", "--ids=2", "--positions=last", "-o", output},
           {"perplexity", text},
           {"bench", "-p8", "-n8", "-d8"},
           {"bench", "-p8", "-n8", "--plot", output},
           {"trace", "abc", "-o", output},
           {"replay", text}}) {
    CliResult result = runCli(args, setup);
    EXPECT_EQ(result.status, 130) << args[0] << ": " << result.err;
    EXPECT_EQ(result.out, "") << args[0];
    EXPECT_EQ(fake_step_count(), before) << args[0];
  }
  EXPECT_EQ(folder.list(), std::vector<std::string>{"text"});
}

TEST(Interrupt, EndsAReply) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  // A reader that only starts after the interrupt: generation waits for it.
  std::string filler(1 << 20, 'x');
  ASSERT_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
  for (size_t size = filler.size(); size > 0;)
    if (write(ends[1], filler.data(), size) < 0)
      size /= 2;
  ASSERT_EQ(fcntl(ends[1], F_SETFL, 0), 0);
  std::string read;
  LateInterrupt interrupt;
  std::thread reader([&] {
    interrupt.wait();
    char buffer[4096];
    for (ssize_t count; (count = ::read(ends[0], buffer, sizeof(buffer))) > 0;)
      read.append(buffer, static_cast<size_t>(count));
  });
  CliSetup setup;
  setup.outDescriptor = ends[1];
  CliResult result = runCli({"--ids", "2,9,11", "-n", "100", "--print-ids"}, setup);
  close(ends[1]);
  reader.join();
  close(ends[0]);
  EXPECT_EQ(result.status, 130) << result.err;
  read.erase(0, read.find_first_not_of('x'));
  EXPECT_FALSE(read.empty());
  EXPECT_LT(std::count(read.begin(), read.end(), ','), 5) << read;
}

} // namespace
