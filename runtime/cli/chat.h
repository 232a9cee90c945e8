//===-- chat.h - a conversation on the terminal -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads lines and answers them in one session, whose cache is kept.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_CHAT_H
#define RLX_RUNTIME_CLI_CHAT_H

#include "reply.h"

namespace rlx::cli {

struct ChatOptions {
  const CommonOptions &common;
  const ReplyOptions &reply;
  bool raw = false; ///< plain completion, whatever the model's turn format
  std::string system;
};

/// Talks until the input ends. An interrupt during a reply ends the reply, one
/// while waiting for a line ends the chat.
Status chat(const Program &program, const ChatOptions &options, ReplySessions sessions);

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_CHAT_H
