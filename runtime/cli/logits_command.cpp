//===-- logits_command.cpp - logits to a file -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The logits command: the model's raw output for a text, as a .npy matrix.
//===----------------------------------------------------------------------===//
#include "npy_writer.h"
#include "program.h"

namespace rlx::cli {

namespace {
struct LogitsOptions {
  CommonOptions common;
  std::optional<std::vector<int32_t>> ids;
  std::optional<std::string> text;
  std::string output;
  bool lastOnly = false;
};
} // namespace

static Setter intoPositions(bool &lastOnly) {
  return [&lastOnly](const std::string &value) {
    if (value != "all" && value != "last")
      return usageError("expected all or last but got '" + value + "'");
    lastOnly = value == "last";
    return Status();
  };
}

static Status writeLogits(const LogitsOptions &options, Session &session,
                          const std::vector<int32_t> &ids) {
  NpyWriter writer;
  const uint64_t columns = session.model().vocabSize();
  if (Status status = writer.open(options.output, options.lastOnly ? 1 : ids.size(), columns);
      !status.ok())
    return status;
  Status written;
  auto deliver = [&](uint64_t, Span<const float> row) {
    if (written.ok()) // the next step delivers again
      written = writer.append(row);
    return written.ok() && !interrupted();
  };
  if (options.lastOnly) {
    if (Status status = prefillUnlessInterrupted(session, ids); !status.ok() || interrupted())
      return status;
    Expected<Span<const float>> row = session.logits();
    if (!row)
      return row.status();
    deliver(ids.size() - 1, *row);
  } else if (Status status = prefillUnlessInterrupted(session, ids, deliver); !status.ok()) {
    return status;
  }
  if (!written.ok() || interrupted())
    return written;
  return writer.finish();
}

Status logitsCommand(const std::string &programName, const std::vector<std::string> &args,
                     Console &console, const OpenProgram &open) {
  LogitsOptions options;
  ArgParser parser(programName, "logits (--ids IDS|--text TEXT) [options] -o FILE",
                   "Writes the logits of a text as a float32 matrix [positions, vocabulary].");
  parser.option("--ids", "2,5,...", intoIds(options.ids),
                "the token ids; nothing is added to them");
  parser.option("--text", "TEXT", intoOptionalText(options.text),
                "a text; BOS is put before it where the model wants it");
  parser.option("--positions", "all|last", intoPositions(options.lastOnly),
                "rows to write; default: all");
  parser.option("-o,--output", "FILE", intoText(options.output), "the .npy file to write");
  options.common.addSession(parser);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  if (options.ids.has_value() == options.text.has_value())
    return usageError("expected either --ids or --text");
  if (options.output.empty())
    return usageError("expected a file to write: -o FILE");
  Expected<Program> program = open();
  if (!program)
    return program.status();
  Expected<std::vector<int32_t>> ids =
      options.ids ? Expected<std::vector<int32_t>>(*options.ids)
                  : program->plainPrompt(*options.text, ControlText::Plain);
  if (!ids)
    return ids.status();
  if (ids->empty())
    return usageError("--text: the text is empty");
  Expected<Session> session = createSession(*program, options.common, options.common.session());
  return session ? writeLogits(options, *session, *ids) : session.status();
}

} // namespace rlx::cli
