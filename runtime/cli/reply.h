//===-- reply.h - generating and showing a reply -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The options of generation, and the way from sampled tokens to shown text.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_REPLY_H
#define RLX_RUNTIME_CLI_REPLY_H

#include "program.h"
#include "stop_filter.h"

namespace rlx::cli {

struct ReplyOptions {
  std::optional<uint64_t> maxTokens;
  std::optional<float> temperature, topP, minP, repeatPenalty;
  std::optional<uint64_t> topK, seed;
  std::vector<std::string> stops;
  bool printIds = false;
  bool naive = false;

  void add(ArgParser &parser);
  /// The model's defaults with what the user asked for.
  SamplingOptions sampling(const SamplingOptions &defaults) const;
};

/// Shows tokens as they come, as text or as ids.
class ReplyPrinter {
public:
  ReplyPrinter(const Program &program, const ReplyOptions &options);
  /// False when generation should stop: a stop string, an interrupt, or an
  /// output that cannot be written.
  bool show(int32_t token);
  /// Shows what was held back and ends the line.
  void finish();

private:
  Console &console;
  std::optional<TokenStream> stream; ///< absent: ids are shown
  StopFilter filter;
  bool first = true;
};

/// Appends `ids` to the session, in steps between which an interrupt counts.
Status prefillPrompt(const Program &program, const CommonOptions &common, Session &session,
                     Span<const int32_t> ids);

/// Generates a reply in a session that has logits (naive: to the ids of
/// `prompt`) and shows it.
Status generateReply(const Program &program, const CommonOptions &common,
                     const ReplyOptions &options, Session &session, Span<const int32_t> prompt);

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_REPLY_H
