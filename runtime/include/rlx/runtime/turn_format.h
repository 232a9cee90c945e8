//===-- rlx/runtime/turn_format.h - how a conversation is written -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The text around the turns of a conversation: recognised from a checkpoint's
// chat template at compile time, kept in the manifest, applied by the runtime.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_TURN_FORMAT_H
#define RLX_RUNTIME_TURN_FORMAT_H

#include <optional>
#include <string>
#include <string_view>

namespace rlx {

/// What the format does with a system text.
enum class SystemRole {
  Error,   ///< it has no place for one
  Prepend, ///< goes before the first user text, with an empty line between
};

struct TurnFormat {
  std::string name;
  std::string userPrefix, userSuffix;
  std::string modelPrefix, modelSuffix;
  /// The control piece that ends the model's turn.
  std::string endToken;
  SystemRole system = SystemRole::Error;

  /// The text to complete for the first user turn, without BOS; nullopt if
  /// there is a system text and no place for it. White space around the user's
  /// text is removed, as the published templates do.
  std::optional<std::string> firstTurn(std::string_view user, std::string_view system) const;
  /// The text that continues after a reply of the model, up to the next one.
  std::string nextTurn(std::string_view user) const;
};

/// `text` without white space (Unicode's, as Python strips it) at both ends.
std::string_view trimmed(std::string_view text);

} // namespace rlx

#endif // RLX_RUNTIME_TURN_FORMAT_H
