//===-- rlx/runtime/tokenizer.h - text to token ids and back -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Encodes and decodes straight from the tables of tokenizer.bin, which stay
// mapped; opening costs the same for every vocabulary. Results equal those of
// the SentencePiece library for the model that the tables were made from.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_TOKENIZER_H
#define RLX_RUNTIME_TOKENIZER_H

#include "rlx/runtime/span.h"
#include "rlx/runtime/status.h"
#include "rlx/runtime/tokenizer_format.h"
#include "rlx/runtime/utf8.h"

#include <string>
#include <string_view>
#include <vector>

namespace rlx {

/// What the text of a control piece, such as "<bos>", means in an input.
enum class ControlText {
  Plain, ///< ordinary characters
  Parse, ///< the piece: for text whose control pieces the program wrote
};

/// A cheap handle on the tables, which must outlive it. Safe with tables of any
/// content: after open() has accepted them, damage shows as wrong ids or text.
class Tokenizer {
public:
  /// `tables` are the bytes of tokenizer.bin.
  static Expected<Tokenizer> open(Span<const uint8_t> tables);

  /// The ids of `text`, without BOS or EOS. Invalid UTF-8 is read as U+FFFD.
  /// Fails only for a text above 512 MiB.
  Expected<std::vector<int32_t>> encode(std::string_view text,
                                        ControlText control = ControlText::Plain) const;

  /// The text of `ids`: control pieces have none, bytes that are no character
  /// become U+FFFD. An id outside the vocabulary is an error.
  Expected<std::string> decode(Span<const int32_t> ids) const;

  /// Number of ids.
  size_t size() const { return header.pieces.count; }
  /// The piece of an id in [0, size()), with U+2581 for spaces.
  std::string_view piece(int32_t id) const;
  PieceKind kind(int32_t id) const;
  /// The id of the piece with exactly this text, or -1.
  int32_t find(std::string_view piece) const;

  int32_t unknownId() const { return header.unknownId; }
  int32_t bosId() const { return header.bosId; } ///< -1 if there is none
  int32_t eosId() const { return header.eosId; } ///< -1 if there is none
  int32_t padId() const { return header.padId; } ///< -1 if there is none
  /// Whether a prompt starts with bosId() (ends with eosId()) by default.
  bool addsBos() const { return has(TokenizerAddBos) && header.bosId >= 0; }
  bool addsEos() const { return has(TokenizerAddEos) && header.eosId >= 0; }

private:
  friend class BpeEncoder;
  friend class TextNormalizer;
  friend class TokenStream;

  bool has(TokenizerFlags flag) const { return (header.flags & flag) != 0; }
  template <typename T> T load(const TokenizerSection &section, uint64_t index) const {
    T value;
    std::memcpy(&value, base + section.offset + index * sizeof(T), sizeof(T));
    return value;
  }
  TokenizerPiece record(int32_t id) const { return load<TokenizerPiece>(header.pieces, id); }
  std::string_view textAt(uint32_t offset, uint32_t bytes) const;
  /// The longest entry of `trie` that `text` starts with: its id, or -1, and
  /// its length.
  int32_t longestMatch(const TokenizerSection &trie, std::string_view text, size_t &bytes) const;
  void encodePlain(std::string_view text, std::vector<int32_t> &ids) const;

  TokenizerHeader header;
  const uint8_t *base = nullptr;
};

/// Decodes a growing sequence of ids: each call appends what is certain.
/// Together the calls give exactly what Tokenizer::decode gives.
class TokenStream {
public:
  explicit TokenStream(const Tokenizer &tokenizer) : tokenizer(tokenizer) {}

  /// Appends to `out` the text that `id` completes; an id outside the
  /// vocabulary is an error that changes nothing.
  Status push(int32_t id, std::string &out);
  /// Appends what was held back of an incomplete character.
  void finish(std::string &out);
  /// Whether bytes of an incomplete character are held back.
  bool holdsBack() const { return !bytes.empty(); }

private:
  void appendPiece(std::string_view text, std::string &out);

  Tokenizer tokenizer;
  Utf8Stream bytes;
  /// The dummy prefix of the text is still to come, and is not to be shown.
  bool expectsPrefix = true;
  bool prefixSeen = false;
  bool started = false;
};

} // namespace rlx

#endif // RLX_RUNTIME_TOKENIZER_H
