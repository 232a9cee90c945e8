//===- Vocabulary.h - A tokenizer's pieces as a checkpoint has them -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A SentencePiece vocabulary, from tokenizer.model or a GGUF file, as plain data.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_VOCABULARY_H
#define RLX_IMPORT_VOCABULARY_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rlx {

/// Numbered as SentencePiece and GGUF number them.
enum class PieceType : uint8_t {
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6
};

struct VocabularyPiece {
  std::string text; ///< UTF-8, spaces written as U+2581
  float score = 0.0f;
  PieceType type = PieceType::Normal;
};

/// Pieces by id, and how text is prepared before it is cut into them.
struct Vocabulary {
  std::vector<VocabularyPiece> pieces;
  std::optional<int64_t> bosToken, eosToken, unknownToken, padToken;
  bool addBos = true;
  bool addEos = false;
  bool addSpacePrefix = false;                   ///< a space before the text
  bool removeExtraWhitespaces = false;           ///< runs of spaces become one
  bool escapeWhitespaces = true;                 ///< spaces become U+2581 before matching
  std::string unknownSurface = " \xE2\x81\x87 "; ///< what the unknown id decodes to
};

} // namespace rlx

#endif // RLX_IMPORT_VOCABULARY_H
