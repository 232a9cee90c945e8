//===- TokenizerTables.cpp - Compiling a vocabulary --------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Checks a vocabulary, then lays out records, hash slots, tries and text.
//===----------------------------------------------------------------------===//
#include "rlx/Tokenizer/TokenizerTables.h"

#include "TokenizerTrie.h"
#include "rlx/runtime/tokenizer_format.h"
#include "rlx/runtime/utf8.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace llvm;

namespace rlx {
namespace {

constexpr size_t MaxPieceBytes = UINT16_MAX;

/// Builds the tables of one vocabulary.
class TableBuilder {
public:
  TableBuilder(const Vocabulary &vocabulary, StringRef origin)
      : vocabulary(vocabulary), origin(origin) {
    std::fill(std::begin(header.byteIds), std::end(header.byteIds), -1);
  }

  Expected<std::string> build() {
    if (vocabulary.pieces.empty() || vocabulary.pieces.size() > INT32_MAX)
      return error("expected between 1 and 2147483647 pieces but got " +
                   Twine(vocabulary.pieces.size()));
    for (size_t id = 0; id < vocabulary.pieces.size(); ++id)
      if (Error failure = addPiece(static_cast<int32_t>(id)))
        return std::move(failure);
    if (Error failure = checkByteFallback())
      return std::move(failure);
    if (Error failure = setSpecialIds())
      return std::move(failure);
    if (text.size() + vocabulary.unknownSurface.size() > UINT32_MAX)
      return error("expected less than 4 GiB of pieces");
    fillSlots();
    return layOut();
  }

private:
  Error error(const Twine &message) const {
    return createStringError(inconvertibleErrorCode(), Twine(origin) + ": " + message);
  }
  Error pieceError(int32_t id, const Twine &message) const {
    return error("piece " + Twine(id) + ": " + message);
  }

  Error addPiece(int32_t id) {
    const VocabularyPiece &piece = vocabulary.pieces[id];
    if (Error failure = checkPiece(id, piece))
      return failure;
    auto [it, inserted] = idOfText.try_emplace(piece.text, id);
    if (!inserted)
      return pieceError(id, "the same text as piece " + Twine(it->second) +
                                "; expected every piece once");
    TokenizerPiece record = {static_cast<uint32_t>(text.size()),
                             static_cast<uint16_t>(piece.text.size()),
                             static_cast<uint8_t>(piece.type), 0, piece.score};
    text += piece.text;
    switch (piece.type) {
    case PieceType::Byte:
      if (Error failure = addByte(id, piece.text, record.byte))
        return failure;
      break;
    case PieceType::UserDefined:
      userTrie.add(piece.text, id);
      break;
    case PieceType::Control:
      controlTrie.add(piece.text, id);
      break;
    case PieceType::Unknown:
      if (unknownId)
        return pieceError(id, "the second one of type unknown, after piece " + Twine(*unknownId));
      unknownId = id;
      break;
    case PieceType::Normal:
    case PieceType::Unused:
      break;
    }
    // Only these are made by merging symbols.
    if (piece.type == PieceType::Normal || piece.type == PieceType::Unused ||
        piece.type == PieceType::UserDefined)
      header.maxPieceBytes =
          std::max(header.maxPieceBytes, static_cast<uint32_t>(piece.text.size()));
    records.push_back(record);
    return Error::success();
  }

  Error checkPiece(int32_t id, const VocabularyPiece &piece) const {
    if (piece.text.empty())
      return pieceError(id, "expected a text but it is empty");
    if (piece.text.size() > MaxPieceBytes)
      return pieceError(id, "expected at most " + Twine(MaxPieceBytes) + " bytes but got " +
                                Twine(piece.text.size()));
    if (!isValidUtf8(piece.text))
      return pieceError(id, "expected valid UTF-8 but got bytes 0x" + toHex(piece.text));
    if (std::isnan(piece.score))
      return pieceError(id, "expected a score but got NaN");
    if (piece.type == PieceType::Control && utf8CharBytes(piece.text) == piece.text.size())
      return pieceError(id,
                        "a control piece of one character ('" + piece.text + "') is not supported");
    return Error::success();
  }

  Error addByte(int32_t id, StringRef pieceText, uint8_t &byte) {
    StringRef digits = pieceText;
    unsigned value = 0;
    if (!digits.consume_front("<0x") || !digits.consume_back(">") || digits.size() != 2 ||
        digits.upper() != digits || digits.getAsInteger(16, value))
      return pieceError(id, "expected a byte piece such as <0x0A> but got '" + pieceText + "'");
    byte = static_cast<uint8_t>(value);
    header.byteIds[value] = id;
    ++byteCount;
    return Error::success();
  }

  Error checkByteFallback() {
    if (byteCount != 0 && byteCount != 256)
      return error("expected 256 byte pieces or none but got " + Twine(byteCount));
    if (byteCount == 256)
      header.flags |= TokenizerByteFallback;
    return Error::success();
  }

  Expected<int32_t> specialId(const char *name, const std::optional<int64_t> &id) const {
    if (!id)
      return -1;
    if (*id < 0 || *id >= static_cast<int64_t>(vocabulary.pieces.size()))
      return error(Twine(name) + ": expected an id below " + Twine(vocabulary.pieces.size()) +
                   " but got " + Twine(*id));
    return static_cast<int32_t>(*id);
  }

  Error setSpecialIds() {
    struct {
      const char *name;
      const std::optional<int64_t> &id;
      int32_t &out;
    } entries[] = {{"bos token", vocabulary.bosToken, header.bosId},
                   {"eos token", vocabulary.eosToken, header.eosId},
                   {"pad token", vocabulary.padToken, header.padId},
                   {"unknown token", vocabulary.unknownToken, header.unknownId}};
    for (auto &entry : entries) {
      Expected<int32_t> id = specialId(entry.name, entry.id);
      if (!id)
        return id.takeError();
      entry.out = *id;
    }
    if (unknownId && header.unknownId >= 0 && *unknownId != header.unknownId)
      return error("the unknown token is " + Twine(header.unknownId) + ", but piece " +
                   Twine(*unknownId) + " is the one of type unknown");
    if (unknownId)
      header.unknownId = *unknownId;
    if (header.unknownId < 0)
      return error("expected a piece of type unknown but there is none");
    records[header.unknownId].kind = static_cast<uint8_t>(PieceKind::Unknown);
    setFlag(TokenizerAddDummyPrefix, vocabulary.addSpacePrefix);
    setFlag(TokenizerRemoveExtraWhitespaces, vocabulary.removeExtraWhitespaces);
    setFlag(TokenizerEscapeWhitespaces, vocabulary.escapeWhitespaces);
    setFlag(TokenizerAddBos, vocabulary.addBos);
    setFlag(TokenizerAddEos, vocabulary.addEos);
    return Error::success();
  }

  void setFlag(TokenizerFlags flag, bool on) {
    if (on)
      header.flags |= flag;
  }

  void fillSlots() {
    // At most half full, so that a miss ends after a slot or two.
    size_t count = PowerOf2Ceil(2 * records.size());
    slots.assign(count, {0, -1});
    for (size_t id = 0; id < records.size(); ++id) {
      uint64_t hash = tokenizerHash(vocabulary.pieces[id].text);
      uint64_t index = hash & (count - 1);
      uint32_t probes = 1;
      for (; slots[index].id >= 0; ++probes)
        index = (index + 1) & (count - 1);
      slots[index] = {static_cast<uint32_t>(hash >> 32), static_cast<int32_t>(id)};
      header.maxProbe = std::max(header.maxProbe, probes);
    }
  }

  template <typename T> void place(TokenizerSection &section, ArrayRef<T> elements) {
    section = {bytes.size(), elements.size()};
    bytes.append(reinterpret_cast<const char *>(elements.data()), elements.size() * sizeof(T));
    bytes.resize(alignTo(bytes.size(), 8), '\0');
  }

  std::string layOut() {
    header.unknownSurfaceOffset = static_cast<uint32_t>(text.size());
    header.unknownSurfaceBytes = static_cast<uint32_t>(vocabulary.unknownSurface.size());
    text += vocabulary.unknownSurface;
    bytes.resize(sizeof(header), '\0');
    place<TokenizerPiece>(header.pieces, records);
    place<TokenizerSlot>(header.slots, slots);
    place<TokenizerTrieNode>(header.userTrie, userTrie.flatten());
    place<TokenizerTrieNode>(header.controlTrie, controlTrie.flatten());
    place<char>(header.text, ArrayRef<char>(text.data(), text.size()));
    std::memcpy(header.magic, TokenizerMagic, sizeof(header.magic));
    header.version = TokenizerVersion;
    header.headerBytes = sizeof(header);
    header.totalBytes = bytes.size();
    header.checksum = tokenizerHash(
        {reinterpret_cast<const char *>(&header), offsetof(TokenizerHeader, checksum)});
    std::memcpy(bytes.data(), &header, sizeof(header));
    return std::move(bytes);
  }

  const Vocabulary &vocabulary;
  StringRef origin;
  TokenizerHeader header = {};
  std::vector<TokenizerPiece> records;
  std::vector<TokenizerSlot> slots;
  TokenizerTrie userTrie, controlTrie;
  DenseMap<StringRef, int32_t> idOfText;
  std::string text, bytes;
  std::optional<int32_t> unknownId;
  unsigned byteCount = 0;
};

} // namespace

Expected<std::string> buildTokenizerTables(const Vocabulary &vocabulary, StringRef origin) {
  return TableBuilder(vocabulary, origin).build();
}

} // namespace rlx
