//===- ModelProto.h - SentencePiece models for tests -------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Writes a vocabulary as a serialised SentencePiece ModelProto, so that the
// SentencePiece library can judge what RLX makes of the same vocabulary.
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_TOKENIZER_MODELPROTO_H
#define RLX_TEST_UNIT_TOKENIZER_MODELPROTO_H

#include "rlx/Import/Vocabulary.h"
#include <cstring>
#include <string>
#include <string_view>

namespace rlx::test {

/// A protocol buffer message under construction.
class Message {
public:
  Message &varint(uint32_t field, uint64_t value) {
    raw(field << 3);
    raw(value);
    return *this;
  }
  Message &bytes(uint32_t field, std::string_view value) {
    raw(field << 3 | 2);
    raw(value.size());
    out += value;
    return *this;
  }
  Message &number(uint32_t field, float value) {
    raw(field << 3 | 5);
    char buffer[sizeof(value)];
    std::memcpy(buffer, &value, sizeof(value));
    out.append(buffer, sizeof(value));
    return *this;
  }
  const std::string &str() const { return out; }

private:
  void raw(uint64_t value) {
    for (; value > 0x7F; value >>= 7)
      out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
  }
  std::string out;
};

/// The BPE model that `vocabulary` describes. Its BOS, EOS and padding pieces
/// keep their texts.
inline std::string modelProto(const Vocabulary &vocabulary) {
  Message model, trainer, normalizer;
  bool byteFallback = false;
  for (const VocabularyPiece &piece : vocabulary.pieces) {
    byteFallback |= piece.type == PieceType::Byte;
    model.bytes(1, Message()
                       .bytes(1, piece.text)
                       .number(2, piece.score)
                       .varint(3, static_cast<uint64_t>(piece.type))
                       .str());
  }
  trainer.varint(3, 2).varint(35, byteFallback).bytes(44, vocabulary.unknownSurface);
  auto special = [&](uint32_t field, const std::optional<int64_t> &id) {
    trainer.bytes(field, id ? vocabulary.pieces[*id].text : "<absent>");
  };
  special(46, vocabulary.bosToken);
  special(47, vocabulary.eosToken);
  special(48, vocabulary.padToken);
  normalizer.bytes(1, "identity")
      .varint(3, vocabulary.addSpacePrefix)
      .varint(4, vocabulary.removeExtraWhitespaces)
      .varint(5, vocabulary.escapeWhitespaces);
  return model.bytes(2, trainer.str()).bytes(3, normalizer.str()).str();
}

} // namespace rlx::test

#endif // RLX_TEST_UNIT_TOKENIZER_MODELPROTO_H
