//===-- text_normalizer.h - what text becomes before it is cut -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// SentencePiece's normalisation without a character map: spaces become U+2581,
// optionally runs of them one, and invalid bytes become U+FFFD.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_TEXT_TEXT_NORMALIZER_H
#define RLX_RUNTIME_LIB_TEXT_TEXT_NORMALIZER_H

#include "rlx/runtime/tokenizer.h"

namespace rlx {

/// U+2581, which stands for a space in pieces.
inline constexpr std::string_view SpaceSymbol = "\xE2\x96\x81";

class TextNormalizer {
public:
  explicit TextNormalizer(const Tokenizer &tokenizer) : tokenizer(tokenizer) {}
  std::string normalize(std::string_view text) const;

private:
  /// The unit that `text` starts with, removed from it: a user-defined piece, a
  /// character, or U+FFFD for an invalid byte.
  std::string_view takeUnit(std::string_view &text) const;
  void skipSpaces(std::string_view &text) const;
  void dropTrailingSpaces(std::string &out) const;
  void append(std::string_view unit, std::string &out) const;
  std::string_view space() const;

  const Tokenizer &tokenizer;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_TEXT_TEXT_NORMALIZER_H
