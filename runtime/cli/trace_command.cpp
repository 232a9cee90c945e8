//===-- trace_command.cpp - where the time goes -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The trace command: runs a prompt and writes when each thread was in which stage.
//===----------------------------------------------------------------------===//
#include "program.h"
#include "trace_json.h"

namespace rlx::cli {

namespace {
struct TraceOptions {
  CommonOptions common;
  std::optional<std::string> prompt;
  std::optional<std::vector<int32_t>> ids;
  std::optional<uint64_t> generate = 16;
  std::string output;
  bool isCold = false;
};
} // namespace

static void addOptions(ArgParser &parser, TraceOptions &options) {
  parser.positional(
      "PROMPT", intoOptionalText(options.prompt),
      "the prompt, completed as it is; BOS is put before it where the model wants it");
  parser.option("--ids", "2,5,...", intoIds(options.ids),
                "the prompt as token ids; nothing is added to them");
  parser.option("-n", "N", intoInteger(options.generate, 0, UINT32_MAX),
                "tokens to generate behind the prompt, greedily; default 16");
  parser.option("-o,--output", "FILE", intoText(options.output), "the JSON file to write");
  parser.flag("--cold", options.isCold,
              "trace the first run, in which weights are still read from the file; default: the "
              "second");
  options.common.addSession(parser);
}

static Status runOnce(const TraceOptions &options, Session &session,
                      const std::vector<int32_t> &ids) {
  if (Status status = session.clear(); !status.ok())
    return status;
  if (Status status = prefillUnlessInterrupted(session, ids);
      !status.ok() || *options.generate == 0 || interrupted())
    return status;
  GenerateOptions generate;
  generate.maxTokens = *options.generate;
  generate.ignoreEos = true;
  return session.generate(generate, [](int32_t) { return !interrupted(); }).status();
}

static Status traceRun(const TraceOptions &options, const Program &program, Session &session,
                       const std::vector<int32_t> &ids) {
  OutputFile file; // before the run: a name that cannot be written is told at once
  if (Status status = file.open(options.output); !status.ok())
    return status;
  if (!options.isCold)
    if (Status status = runOnce(options, session, ids); !status.ok())
      return status;
  StepTrace trace;
  session.setTrace(&trace);
  Status status = runOnce(options, session, ids);
  session.setTrace(nullptr);
  if (!status.ok() || interrupted())
    return status;
  if (Status written = writeTrace(file, trace, program.model, program.name); !written.ok())
    return written;
  if (options.common.verbose)
    program.console.err << std::to_string(trace.steps().size()) << " steps of "
                        << std::to_string(session.threads()) << " threads\n";
  return file.commit();
}

Status traceCommand(const std::string &programName, const std::vector<std::string> &args,
                    Console &console, const OpenProgram &open) {
  TraceOptions options;
  ArgParser parser(programName, "trace (PROMPT|--ids IDS) [options] -o FILE",
                   "Writes a timeline of every stage on every thread, as JSON for Perfetto "
                   "(ui.perfetto.dev)\nand chrome://tracing: one slice for each step, kernel call "
                   "and wait at a barrier.");
  addOptions(parser, options);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  if (options.ids.has_value() == options.prompt.has_value())
    return usageError("expected either a PROMPT or --ids");
  if (options.output.empty())
    return usageError("expected a file to write: -o FILE");
  Expected<Program> program = open();
  if (!program)
    return program.status();
  Expected<std::vector<int32_t>> ids =
      options.ids ? Expected<std::vector<int32_t>>(*options.ids)
                  : program->plainPrompt(*options.prompt, ControlText::Plain);
  if (!ids)
    return ids.status();
  if (ids->empty())
    return usageError("the prompt is empty");
  Expected<Session> session = createSession(*program, options.common, options.common.session());
  return session ? traceRun(options, *program, *session, *ids) : session.status();
}

} // namespace rlx::cli
