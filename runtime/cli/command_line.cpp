//===-- command_line.cpp - chooses the command -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Dispatches to a command and turns its outcome into an exit status.
//===----------------------------------------------------------------------===//
#include "program.h"
#include "rlx/runtime/cli.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace rlx::cli {

static const Command Commands[] = {
    {"run", "complete a prompt, or chat (the default command)", runCommand},
    {"logits", "write the logits of a text to a .npy file", logitsCommand},
    {"perplexity", "measure the perplexity of a text file", perplexityCommand},
    {"bench", "measure tokens per second", benchCommand},
    {"trace", "write a timeline of every stage on every thread", traceCommand},
    {"replay", "measure what speculation saves on a text", replayCommand},
    {"tokenize", "print the token ids of a text", tokenizeCommand},
    {"info", "describe the model and the memory it needs", infoCommand},
};

static void printHelp(Console &console) {
  console.out << "usage: " << console.program << " [COMMAND] [ARGUMENTS]\n\n"
              << "A language model compiled by RLX. Commands:\n";
  for (const Command &command : Commands)
    console.out << "  " << command.name << std::string(12 - std::string(command.name).size(), ' ')
                << command.summary << "\n";
  console.out << "\nWithout a command: run. \"" << console.program
              << " COMMAND --help\" describes one.\n";
}

static Status printVersion(Console &console, const OpenProgram &open) {
  Expected<Program> program = open();
  if (!program)
    return program.status();
  auto manifest = nlohmann::json::parse(program->model.config(), nullptr, false);
  std::string compiler = "RLX";
  if (auto it = manifest.find("compiler"); it != manifest.end() && it->is_object())
    if (auto version = it->find("version"); version != it->end() && version->is_string())
      compiler += " " + version->get<std::string>();
  console.out << program->name << ", compiled by " << compiler << " for " << program->model.target()
              << "\n";
  return Status();
}

static Status dispatch(const std::vector<std::string> &args, Console &console,
                       const OpenProgram &open) {
  if (!args.empty()) {
    if (args[0] == "--help" || args[0] == "-h") {
      printHelp(console);
      return Status();
    }
    if (args[0] == "--version")
      return printVersion(console, open);
    for (const Command &command : Commands)
      if (args[0] == command.name)
        return command.run(console.program, {args.begin() + 1, args.end()}, console, open);
  }
  return runCommand(console.program, args, console, open);
}

/// Wrong arguments and files that cannot be read are the caller's to mend.
static int exitStatus(const Status &status) {
  if (interrupted())
    return 130;
  if (status.ok())
    return 0;
  return status.code() == ErrorCode::InvalidArgument ? 2 : 1;
}

int runCommandLine(const std::vector<std::string> &args, Console &console,
                   const OpenProgram &open) {
  SignalGuard signals;
  Status status;
  try {
    status = dispatch(args, console, open);
  } catch (const std::bad_alloc &) {
    status = Status(ErrorCode::OutOfMemory, "out of memory");
  }
  console.out.flush();
  if (status.ok())
    status = console.out.status();
  if (!status.ok())
    console.err << console.program << ": error: " << status.message() << "\n";
  console.err.flush();
  return exitStatus(status);
}

} // namespace rlx::cli

int rlx::runModelProgram(int argc, const char *const *argv) {
  using namespace rlx::cli;
  fillStandardDescriptors();
  Console console;
  console.inIsTerminal = isatty(console.in) == 1;
  std::vector<std::string> args;
  if (argc > 0) {
    std::string path = argv[0];
    console.program = path.substr(path.rfind('/') + 1);
    args.assign(argv + 1, argv + argc);
  }
  auto open = [&]() -> Expected<Program> {
    const std::string self = "/proc/self/exe";
    Expected<Model> model = Model::open(self);
    if (!model) { // the user knows the file by another name
      std::string message = model.status().message();
      if (message.compare(0, self.size(), self) == 0)
        message.replace(0, self.size(), argc > 0 ? argv[0] : "the program");
      return Status(model.status().code(), message);
    }
    return openProgram(std::move(*model), console);
  };
  return runCommandLine(args, console, open);
}
