//===-- turn_format.cpp - how a conversation is written -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Puts texts into the turns of a conversation.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/turn_format.h"

using namespace rlx;

/// The spaces beyond ASCII's and below it, in UTF-8.
static constexpr std::string_view UnicodeSpaces[] = {
    "\x1C",         "\x1D",         "\x1E",         "\x1F",         "\xC2\x85",     "\xC2\xA0",
    "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84",
    "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

/// Bytes of the white space that `text` starts or ends with.
static size_t spaceBytes(std::string_view text, bool atEnd) {
  if (text.empty())
    return 0;
  char edge = atEnd ? text.back() : text.front();
  if (edge == ' ' || (edge >= '\t' && edge <= '\r'))
    return 1;
  for (std::string_view space : UnicodeSpaces) {
    if (text.size() < space.size())
      continue;
    size_t at = atEnd ? text.size() - space.size() : 0;
    if (text.substr(at, space.size()) == space)
      return space.size();
  }
  return 0;
}

std::string_view rlx::trimmed(std::string_view text) {
  while (size_t bytes = spaceBytes(text, /*atEnd=*/false))
    text.remove_prefix(bytes);
  while (size_t bytes = spaceBytes(text, /*atEnd=*/true))
    text.remove_suffix(bytes);
  return text;
}

std::optional<std::string> TurnFormat::firstTurn(std::string_view user,
                                                 std::string_view systemText) const {
  std::string text = userPrefix;
  if (!systemText.empty()) {
    if (system == SystemRole::Error)
      return std::nullopt;
    text += systemText;
    text += "\n\n";
  }
  text += trimmed(user);
  return text + userSuffix + modelPrefix;
}

std::string TurnFormat::nextTurn(std::string_view user) const {
  return modelSuffix + userPrefix + std::string(trimmed(user)) + userSuffix + modelPrefix;
}
