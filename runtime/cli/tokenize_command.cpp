//===-- tokenize_command.cpp - token ids of a text -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The tokenize command: the ids and pieces of a text, without BOS.
//===----------------------------------------------------------------------===//
#include "program.h"

#include <nlohmann/json.hpp>

namespace rlx::cli {

static void print(const Program &program, const std::vector<int32_t> &ids, bool asJson) {
  Output &out = program.console.out;
  if (!asJson) {
    for (int32_t id : ids)
      out << std::to_string(id) << "\t" << program.tokenizer->piece(id) << "\n";
    return;
  }
  nlohmann::ordered_json pieces = nlohmann::json::array();
  for (int32_t id : ids)
    pieces.push_back(toValidUtf8(program.tokenizer->piece(id)));
  out << nlohmann::ordered_json{{"ids", ids}, {"pieces", pieces}}.dump() << "\n";
}

Status tokenizeCommand(const std::string &programName, const std::vector<std::string> &args,
                       Console &console, const OpenProgram &open) {
  CommonOptions common;
  std::optional<std::string> text;
  bool asJson = false, parseControl = false;
  ArgParser parser(programName, "tokenize TEXT [options]",
                   "Prints the token ids and pieces of a text, one a line. BOS is not added.");
  parser.positional("TEXT", intoOptionalText(text),
                    "the text; - or a redirected standard input: read it from there");
  parser.flag("--json", asJson, "print {\"ids\": [...], \"pieces\": [...]}");
  parser.flag("--control", parseControl, "control pieces such as <start_of_turn> count");
  common.addBasic(parser);
  Expected<bool> goOn = parseArgs(parser, args, console);
  if (!goOn || !*goOn)
    return goOn.status();
  if (!text && console.inIsTerminal)
    return usageError("expected a TEXT");
  Expected<Program> program = open();
  if (!program)
    return program.status();
  Expected<const Tokenizer *> tokenizer = program->requireTokenizer();
  if (!tokenizer)
    return tokenizer.status();
  if (!text || *text == "-") {
    Expected<std::string> input = console.readAll();
    if (!input)
      return input.status();
    text = std::move(*input);
  }
  Expected<std::vector<int32_t>> ids =
      (*tokenizer)->encode(*text, parseControl ? ControlText::Parse : ControlText::Plain);
  if (!ids)
    return ids.status();
  print(*program, *ids, asJson);
  if (common.verbose)
    console.err << std::to_string(ids->size()) << " tokens\n";
  return Status();
}

} // namespace rlx::cli
