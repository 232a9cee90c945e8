//===-- chat.cpp - a conversation on the terminal -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Only the new turn is prefilled; what was said before is in the cache.
//===----------------------------------------------------------------------===//
#include "chat.h"

namespace rlx::cli {

/// The ids that continue the session with what the user typed.
static Expected<std::vector<int32_t>> turnIds(const Program &program, const ChatOptions &options,
                                              const Session &session, const std::string &line) {
  const bool isFirst = session.pastLen() == 0;
  const bool hasTurns = program.turnFormat && !options.raw;
  const ControlText control = hasTurns || options.raw ? ControlText::Parse : ControlText::Plain;
  if (!isFirst)
    return program.tokenizer->encode(hasTurns ? program.turnFormat->nextTurn(line) : line, control);
  return program.plainPrompt(hasTurns ? *program.turnFormat->firstTurn(line, options.system) : line,
                             control);
}

static Status answer(const Program &program, const ChatOptions &options, ReplySessions sessions,
                     const std::string &line) {
  Session &session = sessions.session;
  Expected<std::vector<int32_t>> ids = turnIds(program, options, session, line);
  if (!ids)
    return ids.status();
  const uint64_t before = session.pastLen();
  if (Status status = prefillPrompt(program, options.common, session, *ids); !status.ok())
    return status;
  if (interrupted())
    return session.rewind(before); // the turn was not heard in full
  return generateReply(program, options.common, options.reply, sessions, *ids);
}

Status chat(const Program &program, const ChatOptions &options, ReplySessions sessions) {
  Console &console = program.console;
  console.err << program.name << ": type a text and Enter; /clear starts anew, /exit or Ctrl-D "
              << "ends\n";
  console.err.flush();
  while (!console.out.failed()) {
    console.out << "> ";
    console.out.flush();
    std::optional<std::string> line = console.readLine();
    if (!line) {
      console.out << "\n";
      return Status();
    }
    if (*line == "/exit")
      return Status();
    if (*line == "/clear") {
      if (Status status = sessions.session.clear(); !status.ok())
        return status;
      continue;
    }
    if (line->find_first_not_of(" \t\r") == line->npos)
      continue;
    Status status = answer(program, options, sessions, *line);
    if (status.code() == ErrorCode::ContextFull)
      console.err << program.console.program << ": " << status.message()
                  << "; /clear starts anew\n";
    else if (!status.ok())
      return status;
    console.err.flush();
    clearInterrupt();
  }
  return Status();
}

} // namespace rlx::cli
