//===- ChatTemplate.h - Recognising chat templates --------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Finds out which turn format a checkpoint's chat template (Jinja) describes.
//===----------------------------------------------------------------------===//
#ifndef RLX_TOKENIZER_CHATTEMPLATE_H
#define RLX_TOKENIZER_CHATTEMPLATE_H

#include "rlx/runtime/turn_format.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace rlx {

/// The turn format of a chat template if it is one of those that Gemma 1, 2, 3
/// and 3n are published with, whatever its white space, quotes and comments.
/// Templates are compared by what they can print: every string in them must be
/// one of the published formats', so that one with tools, another system text
/// or other markers is not mistaken for them.
std::optional<TurnFormat> recognizeChatTemplate(llvm::StringRef jinja);

/// A note for a template that is not recognised, naming it by its SHA-256.
std::string unknownChatTemplateNote(llvm::StringRef jinja);

} // namespace rlx

#endif // RLX_TOKENIZER_CHATTEMPLATE_H
