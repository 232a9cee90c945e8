//===-- program.h - a model with its text side -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// What every command works on: the model, its tokenizer and what its manifest
// says about text, and the options that all commands share.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_PROGRAM_H
#define RLX_RUNTIME_CLI_PROGRAM_H

#include "arg_parser.h"
#include "console.h"
#include "rlx/runtime/session.h"
#include "rlx/runtime/tokenizer.h"
#include "rlx/runtime/turn_format.h"

#include <functional>
#include <optional>

namespace rlx::cli {

struct Program {
  Program(Model model, Console &console) : model(std::move(model)), console(console) {}

  Model model;
  Console &console;
  std::optional<Tokenizer> tokenizer;
  std::optional<TurnFormat> turnFormat;
  /// As the checkpoint's generation_config.json asks; greedy without one.
  SamplingOptions sampling;
  std::string name = "model"; ///< of the model, from the manifest

  /// The tokenizer, or the error that the model has none.
  Expected<const Tokenizer *> requireTokenizer() const;
  /// The ids of a plain text, behind BOS where the model wants it.
  Expected<std::vector<int32_t>> plainPrompt(std::string_view text, ControlText control) const;
};

/// Reads tokenizer, turn format and defaults of an opened model. `tables`
/// replaces the tokenizer in the payload, for models in memory.
Expected<Program> openProgram(Model model, Console &console,
                              std::optional<Span<const uint8_t>> tables = std::nullopt);

/// The options of every command.
struct CommonOptions {
  std::optional<uint64_t> threads;
  bool verbose = false;
  std::string variant;
  std::optional<uint64_t> maxContext;
  uint64_t maxMemory = 0;

  /// -t and -v.
  void addBasic(ArgParser &parser);
  /// Those and what shapes a session.
  void addSession(ArgParser &parser);
  SessionOptions session() const;
};

/// Creates a session, and with -v says what it uses.
Expected<Session> createSession(const Program &program, const CommonOptions &options,
                                const SessionOptions &sessionOptions);

/// Appends `ids` (>= 1) in steps, before each of which an interrupt ends it;
/// with a callback as Session::prefillAll, but with the index in a step.
Status prefillUnlessInterrupted(Session &session, Span<const int32_t> ids,
                                const LogitsCallback &callback = nullptr);

/// "1.5 GiB".
std::string formatBytes(uint64_t bytes);
/// `value` with so many digits behind the point.
std::string formatFixed(double value, int digits);

/// A command: parses `args`, runs, returns what went wrong. Interrupted
/// commands return success; the caller asks interrupted().
struct Command {
  const char *name;
  const char *summary;
  Status (*run)(const std::string &programName, const std::vector<std::string> &args,
                Console &console, const std::function<Expected<Program>()> &open);
};

/// Parses for a command; on --help prints it and returns false.
Expected<bool> parseArgs(ArgParser &parser, const std::vector<std::string> &args, Console &console);

using OpenProgram = std::function<Expected<Program>()>;

Status runCommand(const std::string &, const std::vector<std::string> &, Console &,
                  const OpenProgram &);
Status logitsCommand(const std::string &, const std::vector<std::string> &, Console &,
                     const OpenProgram &);
Status perplexityCommand(const std::string &, const std::vector<std::string> &, Console &,
                         const OpenProgram &);
Status benchCommand(const std::string &, const std::vector<std::string> &, Console &,
                    const OpenProgram &);
Status traceCommand(const std::string &, const std::vector<std::string> &, Console &,
                    const OpenProgram &);
Status replayCommand(const std::string &, const std::vector<std::string> &, Console &,
                     const OpenProgram &);
Status tokenizeCommand(const std::string &, const std::vector<std::string> &, Console &,
                       const OpenProgram &);
Status infoCommand(const std::string &, const std::vector<std::string> &, Console &,
                   const OpenProgram &);

/// Dispatches to a command (run, when the first argument names none) and turns
/// its status into an exit status and a message.
int runCommandLine(const std::vector<std::string> &args, Console &console, const OpenProgram &open);

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_PROGRAM_H
