//===-- run_command.cpp - completing a prompt -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The run command: finds the prompt, brings it into the model's turn format and
// shows the reply; without a prompt on a terminal it opens a chat.
//===----------------------------------------------------------------------===//
#include "chat.h"
#include "reply.h"

namespace rlx::cli {

namespace {
struct RunOptions {
  CommonOptions common;
  ReplyOptions reply;
  std::optional<std::string> prompt, system;
  std::optional<std::vector<int32_t>> ids;
  bool raw = false;
};
} // namespace

static void addOptions(ArgParser &parser, RunOptions &options) {
  parser.positional("PROMPT", intoOptionalText(options.prompt),
                    "the prompt; - or a redirected standard input: read it from there");
  options.reply.add(parser);
  parser.flag("--raw", options.raw,
              "complete PROMPT as it is, without the chat template; control pieces such as "
              "<start_of_turn> count");
  parser.option("--system", "TEXT", intoOptionalText(options.system),
                "a text that goes before the conversation");
  parser.option("--ids", "2,5,...", intoIds(options.ids),
                "the prompt as token ids; nothing is added to them");
  options.common.addSession(parser);
}

static Status check(const RunOptions &options, const Program &program) {
  if (Status status = options.reply.check(); !status.ok())
    return status;
  if (options.ids && options.prompt)
    return usageError("expected a PROMPT or --ids but got both");
  if (!program.tokenizer && !options.ids)
    return program.requireTokenizer().status();
  if (!program.tokenizer && !options.reply.stops.empty())
    return usageError("--stop needs text, but this model was compiled without a tokenizer");
  if (options.reply.printIds && !options.reply.stops.empty())
    return usageError("--stop needs text, but --print-ids prints ids");
  if (!options.system)
    return Status();
  if (options.ids || options.raw)
    return usageError(std::string("--system cannot be used with ") +
                      (options.ids ? "--ids" : "--raw"));
  if (!program.turnFormat)
    return usageError("--system needs a chat template, but this model has none that RLX knows; "
                      "put the text into the prompt");
  if (program.turnFormat->system == SystemRole::Error)
    return usageError("--system: the chat template of this model has no system text; put it into "
                      "the prompt");
  return Status();
}

/// The ids to prefill.
static Expected<std::vector<int32_t>> promptIds(const RunOptions &options, const Program &program) {
  if (options.ids)
    return *options.ids;
  std::string text = options.prompt.value_or("-");
  if (text == "-") {
    Expected<std::string> input = program.console.readAll();
    if (!input)
      return input.status();
    text = std::move(*input);
  }
  Expected<std::vector<int32_t>> ids =
      options.raw || !program.turnFormat
          ? program.plainPrompt(text, options.raw ? ControlText::Parse : ControlText::Plain)
          : program.plainPrompt(*program.turnFormat->firstTurn(text, options.system.value_or("")),
                                ControlText::Parse);
  if (ids && ids->empty())
    return usageError("the prompt is empty");
  return ids;
}

static Status complete(const RunOptions &options, const Program &program, ReplySessions sessions) {
  sessions.end = true;
  Session &session = sessions.session;
  Expected<std::vector<int32_t>> ids = promptIds(options, program);
  if (!ids)
    return ids.status();
  if (options.common.verbose) {
    program.console.err << "seed " << std::to_string(session.sampling().seed) << "\n";
    program.console.err.flush();
  }
  if (!options.reply.naive)
    if (Status status = prefillPrompt(program, options.common, session, *ids); !status.ok())
      return status;
  if (interrupted())
    return Status();
  return generateReply(program, options.common, options.reply, sessions, *ids);
}

Status runCommand(const std::string &programName, const std::vector<std::string> &args,
                  Console &console, const OpenProgram &open) {
  RunOptions options;
  ArgParser parser(programName, "run [PROMPT] [options]",
                   "Completes a prompt, in the model's chat template where it has one. The word "
                   "run may be left out.\nOn a terminal without a prompt it opens a chat.");
  addOptions(parser, options);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  Expected<Program> program = open();
  if (!program)
    return program.status();
  if (Status status = check(options, *program); !status.ok())
    return status;
  SessionOptions sessionOptions = options.common.session();
  // Who names a number of tokens wants to know when they do not fit.
  sessionOptions.overflow = options.reply.maxTokens ? OverflowPolicy::Error : OverflowPolicy::Stop;
  Expected<Session> session = createSession(*program, options.common, sessionOptions);
  if (!session)
    return session.status();
  if (Status status = session->setSampling(options.reply.sampling(program->sampling)); !status.ok())
    return status;
  Expected<std::optional<Session>> draft =
      openDraft(*program, options.common, options.reply.drafting, session->maxContext());
  if (!draft)
    return draft.status();
  if (!options.ids && !options.prompt && console.inIsTerminal) {
    if (options.reply.naive)
      return usageError("--naive keeps no cache and cannot chat; give it a PROMPT");
    ChatOptions chatOptions = {options.common, options.reply, options.raw,
                               options.system.value_or("")};
    return chat(*program, chatOptions, {*session, *draft});
  }
  return complete(options, *program, {*session, *draft});
}

} // namespace rlx::cli
