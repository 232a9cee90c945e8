//===-- console.cpp - the streams of the program -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements reading and writing on descriptors and the interrupt flag.
//===----------------------------------------------------------------------===//
#include "console.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace rlx::cli {

Output &Output::operator<<(std::string_view text) {
  buffer += text;
  if (buffer.size() >= 65536)
    flush();
  return *this;
}

void Output::flush() {
  std::string_view rest = buffer;
  while (!rest.empty() && error == 0) {
    ssize_t written = write(descriptor, rest.data(), rest.size());
    if (written >= 0)
      rest.remove_prefix(static_cast<size_t>(written));
    else if (errno != EINTR)
      error = errno;
  }
  buffer.clear();
}

Status Output::status() const {
  if (error == 0)
    return Status();
  return Status(ErrorCode::InvalidState,
                std::string("cannot write the output: ") + std::strerror(error));
}

static volatile std::sig_atomic_t interruptFlag = 0;
/// Readable after an interrupt. The flag alone would not do: a signal that comes between looking at
/// it and reading, or to another thread, would leave the read waiting.
static int wakePipe[2] = {-1, -1};

/// read(), but it fails with EINTR as soon as the user interrupts.
static ssize_t readUnlessInterrupted(int descriptor, char *buffer, size_t size) {
  pollfd waits[2] = {{descriptor, POLLIN, 0}, {wakePipe[0], POLLIN, 0}};
  while (poll(waits, 2, -1) < 0)
    if (errno != EINTR)
      return -1;
  if (!interrupted())
    return read(descriptor, buffer, size);
  errno = EINTR;
  return -1;
}

/// Reads up to the end of `descriptor`; the number of the error, or 0.
static int readToEnd(int descriptor, std::string &text) {
  char buffer[65536];
  while (true) {
    ssize_t count = readUnlessInterrupted(descriptor, buffer, sizeof(buffer));
    if (count == 0)
      return 0;
    if (count > 0)
      text.append(buffer, static_cast<size_t>(count));
    else if (errno != EINTR || interrupted())
      return errno;
  }
}

Expected<std::string> Console::readAll() {
  std::string text = std::move(unread);
  unread.clear();
  if (int error = readToEnd(in, text))
    return Status(ErrorCode::InvalidArgument,
                  std::string("cannot read standard input: ") + std::strerror(error));
  return text;
}

std::optional<std::string> Console::readLine() {
  while (true) {
    if (size_t end = unread.find('\n'); end != unread.npos) {
      std::string line = unread.substr(0, end);
      unread.erase(0, end + 1);
      return line;
    }
    char buffer[4096];
    ssize_t count = readUnlessInterrupted(in, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR && !interrupted())
      continue;
    if (count > 0) {
      unread.append(buffer, static_cast<size_t>(count));
      continue;
    }
    if (count < 0 || unread.empty())
      return std::nullopt;
    return std::exchange(unread, std::string()); // a last line without its end
  }
}

Expected<std::string> readFile(const std::string &path) {
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  int error = descriptor < 0 ? errno : readToEnd(descriptor, text);
  if (descriptor >= 0)
    close(descriptor);
  if (error)
    return Status(ErrorCode::InvalidArgument,
                  "cannot read '" + path + "': " + std::strerror(error));
  return text;
}

extern "C" {
static void onInterrupt(int signal) {
  if (interruptFlag) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  interruptFlag = 1;
  const int error = errno;
  [[maybe_unused]] ssize_t written = write(wakePipe[1], "", 1);
  errno = error;
}
}

SignalGuard::SignalGuard() {
  if (pipe2(wakePipe, O_CLOEXEC | O_NONBLOCK) != 0) // then only what reads now is interrupted
    wakePipe[0] = wakePipe[1] = -1;
  interruptFlag = 0;
  struct sigaction action = {};
  action.sa_handler = onInterrupt;
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

SignalGuard::~SignalGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGPIPE, SIG_DFL);
  for (int &end : wakePipe)
    if (int descriptor = std::exchange(end, -1); descriptor >= 0)
      close(descriptor);
}

bool interrupted() { return interruptFlag != 0; }

void fillStandardDescriptors() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(descriptor, F_GETFD) < 0) // opening takes the lowest free number: this one
      (void)open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void clearInterrupt() {
  char bytes[16];
  while (read(wakePipe[0], bytes, sizeof(bytes)) > 0) {
  }
  interruptFlag = 0;
}

} // namespace rlx::cli
