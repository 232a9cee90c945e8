//===-- console.h - the streams of the program -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Standard input, output and error as file descriptors, with every failure to
// write noticed, and the interrupt key as a flag.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_CONSOLE_H
#define RLX_RUNTIME_CLI_CONSOLE_H

#include "rlx/runtime/status.h"

#include <optional>
#include <string>
#include <string_view>

namespace rlx::cli {

/// Writes to a descriptor through a buffer; the first failure sticks.
class Output {
public:
  explicit Output(int descriptor) : descriptor(descriptor) {}
  ~Output() { flush(); }
  Output(const Output &) = delete;
  Output &operator=(const Output &) = delete;

  Output &operator<<(std::string_view text);
  void flush();
  bool failed() const { return error != 0; }
  /// What went wrong, if anything did.
  Status status() const;

private:
  int descriptor;
  int error = 0;
  std::string buffer;
};

struct Console {
  explicit Console(int in = 0, int out = 1, int err = 2) : in(in), out(out), err(err) {}
  int in;
  Output out, err;
  bool inIsTerminal = false;
  std::string program = "model"; ///< name in messages

  /// Reads standard input to its end.
  Expected<std::string> readAll();
  /// The next line without its end; nullopt at the end of the input, on an
  /// error and when interrupted.
  std::optional<std::string> readLine();

private:
  std::string unread;
};

/// Reads a file; errors name it.
Expected<std::string> readFile(const std::string &path);

/// While it lives, SIGINT sets a flag instead of ending the program; a second
/// one ends it. SIGPIPE becomes an error of the write.
class SignalGuard {
public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard &) = delete;
  SignalGuard &operator=(const SignalGuard &) = delete;
};
bool interrupted();
void clearInterrupt();

/// Puts a descriptor on which every use fails in place of each of the standard
/// three that is closed, so that no file opened later takes its number.
void fillStandardDescriptors();

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_CONSOLE_H
