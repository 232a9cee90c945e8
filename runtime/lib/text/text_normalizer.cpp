//===-- text_normalizer.cpp - what text becomes before it is cut -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The order of the steps is SentencePiece's, down to its odd corners.
//===----------------------------------------------------------------------===//
#include "text_normalizer.h"

using namespace rlx;

static bool endsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

std::string_view TextNormalizer::space() const {
  return tokenizer.has(TokenizerEscapeWhitespaces) ? SpaceSymbol : " ";
}

std::string_view TextNormalizer::takeUnit(std::string_view &text) const {
  size_t bytes = 0;
  if (tokenizer.longestMatch(tokenizer.header.userTrie, text, bytes) < 0)
    bytes = utf8CharBytes(text);
  std::string_view unit = bytes ? text.substr(0, bytes) : Utf8Replacement;
  text.remove_prefix(bytes ? bytes : 1);
  return unit;
}

void TextNormalizer::skipSpaces(std::string_view &text) const {
  for (std::string_view rest = text; !rest.empty(); text = rest)
    if (takeUnit(rest) != " ")
      return;
}

void TextNormalizer::append(std::string_view unit, std::string &out) const {
  for (char c : unit)
    if (c == ' ')
      out += space();
    else
      out += c;
}

void TextNormalizer::dropTrailingSpaces(std::string &out) const {
  while (endsWith(out, space()))
    out.resize(out.size() - space().size());
}

std::string TextNormalizer::normalize(std::string_view text) const {
  const bool removeExtra = tokenizer.has(TokenizerRemoveExtraWhitespaces);
  if (removeExtra)
    skipSpaces(text);
  std::string out;
  if (text.empty())
    return out;
  out.reserve(text.size() + text.size() / 2);
  if (tokenizer.has(TokenizerAddDummyPrefix))
    out += space();
  bool afterSpace = removeExtra;
  while (!text.empty()) {
    std::string_view unit = takeUnit(text);
    while (afterSpace && !unit.empty() && unit.front() == ' ')
      unit.remove_prefix(1);
    append(unit, out);
    if (!unit.empty())
      afterSpace = removeExtra && unit.back() == ' ';
  }
  if (removeExtra)
    dropTrailingSpaces(out);
  return out;
}
