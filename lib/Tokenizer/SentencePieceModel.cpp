//===- SentencePieceModel.cpp - Reading tokenizer.model ----- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A reader of the few protocol buffer fields that a SentencePiece model needs.
//===----------------------------------------------------------------------===//
#include "rlx/Tokenizer/SentencePieceModel.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace rlx {
namespace {

Error modelError(StringRef file, const Twine &message) {
  return createStringError(inconvertibleErrorCode(), Twine(file) + ": " + message);
}

enum WireType : uint32_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// One field of a message: its number, and its value by wire type.
struct Field {
  uint32_t number = 0;
  uint32_t wireType = 0;
  uint64_t value = 0;
  StringRef bytes;

  bool is(uint32_t wantedNumber, WireType wanted) const {
    return number == wantedNumber && wireType == wanted;
  }
  float asFloat() const {
    uint32_t bits = static_cast<uint32_t>(value);
    float result;
    std::memcpy(&result, &bits, sizeof(result));
    return result;
  }
};

/// Walks over the fields of one message.
class FieldReader {
public:
  FieldReader(StringRef message, StringRef file, const char *name)
      : rest(message), file(file), name(name) {}

  /// Reads the next field into `field`; false at the end.
  Expected<bool> next(Field &field) {
    if (rest.empty())
      return false;
    uint64_t tag;
    if (!readVarint(tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
      return damaged();
    field.number = static_cast<uint32_t>(tag >> 3);
    field.wireType = static_cast<uint32_t>(tag & 7);
    switch (field.wireType) {
    case Varint:
      return readVarint(field.value) ? Expected<bool>(true) : damaged();
    case Fixed32:
      return readFixed<uint32_t>(field.value) ? Expected<bool>(true) : damaged();
    case Fixed64:
      return readFixed<uint64_t>(field.value) ? Expected<bool>(true) : damaged();
    case Bytes: {
      uint64_t size;
      if (!readVarint(size) || size > rest.size())
        return damaged();
      field.bytes = rest.take_front(size);
      rest = rest.drop_front(size);
      return true;
    }
    default:
      return damaged();
    }
  }

private:
  Error damaged() const {
    return modelError(file, Twine("expected a SentencePiece model, but its ") + name +
                                " is truncated or damaged");
  }
  bool readVarint(uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      uint8_t byte = static_cast<uint8_t>(rest.front());
      rest = rest.drop_front();
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (!(byte & 0x80))
        return true;
    }
    return false;
  }
  template <typename T> bool readFixed(uint64_t &value) {
    if (rest.size() < sizeof(T))
      return false;
    value = support::endian::read<T, llvm::endianness::little>(rest.data());
    rest = rest.drop_front(sizeof(T));
    return true;
  }

  StringRef rest, file;
  const char *name;
};

/// Collects what a model file says, then checks that RLX can reproduce it.
class ModelReader {
public:
  explicit ModelReader(MemoryBufferRef file)
      : file(file.getBufferIdentifier()), contents(file.getBuffer()) {
    // The defaults of SentencePiece where a model leaves a field out.
    vocabulary.addSpacePrefix = true;
    vocabulary.removeExtraWhitespaces = true;
  }

  Expected<Vocabulary> read() {
    FieldReader model(contents, file, "ModelProto");
    Field field;
    while (true) {
      Expected<bool> more = model.next(field);
      if (!more)
        return more.takeError();
      if (!*more)
        break;
      if (Error error = readPart(field))
        return std::move(error);
    }
    if (vocabulary.pieces.empty())
      return modelError(file, "expected a SentencePiece model with pieces but got none");
    if (Error error = checkSupported())
      return std::move(error);
    resolveSpecialPieces();
    return std::move(vocabulary);
  }

private:
  /// Calls `handle` for each field of a message.
  template <typename Handler> Error forEach(StringRef message, const char *name, Handler handle) {
    FieldReader reader(message, file, name);
    Field field;
    while (true) {
      Expected<bool> more = reader.next(field);
      if (!more)
        return more.takeError();
      if (!*more)
        return Error::success();
      handle(field);
    }
  }

  Error readPart(const Field &field) {
    if (field.is(1, Bytes))
      return readPiece(field.bytes);
    if (field.is(2, Bytes))
      return readTrainerSpec(field.bytes);
    if (field.is(3, Bytes))
      return readNormalizerSpec(field.bytes);
    if (field.is(5, Bytes))
      return forEach(field.bytes, "denormalizer_spec", [&](const Field &f) {
        if (f.is(2, Bytes))
          hasDenormalizer = !f.bytes.empty();
      });
    return Error::success();
  }

  Error readPiece(StringRef message) {
    VocabularyPiece piece;
    uint64_t type = static_cast<uint64_t>(PieceType::Normal);
    Error error = forEach(message, "pieces", [&](const Field &f) {
      if (f.is(1, Bytes))
        piece.text = f.bytes.str();
      else if (f.is(2, Fixed32))
        piece.score = f.asFloat();
      else if (f.is(3, Varint))
        type = f.value;
    });
    if (error)
      return error;
    if (type < 1 || type > 6)
      return modelError(file, "expected the type of piece " + Twine(vocabulary.pieces.size()) +
                                  " in [1, 6] but got " + Twine(type));
    piece.type = static_cast<PieceType>(type);
    vocabulary.pieces.push_back(std::move(piece));
    return Error::success();
  }

  Error readTrainerSpec(StringRef message) {
    return forEach(message, "trainer_spec", [&](const Field &f) {
      if (f.is(3, Varint))
        modelType = f.value;
      else if (f.is(24, Varint))
        spaceAsSuffix = f.value != 0;
      else if (f.is(35, Varint))
        byteFallback = f.value != 0;
      else if (f.is(44, Bytes))
        vocabulary.unknownSurface = f.bytes.str();
      else if (f.is(46, Bytes))
        bosPiece = f.bytes;
      else if (f.is(47, Bytes))
        eosPiece = f.bytes;
      else if (f.is(48, Bytes))
        padPiece = f.bytes;
    });
  }

  Error readNormalizerSpec(StringRef message) {
    return forEach(message, "normalizer_spec", [&](const Field &f) {
      if (f.is(2, Bytes))
        hasCharacterMap = !f.bytes.empty();
      else if (f.is(3, Varint))
        vocabulary.addSpacePrefix = f.value != 0;
      else if (f.is(4, Varint))
        vocabulary.removeExtraWhitespaces = f.value != 0;
      else if (f.is(5, Varint))
        vocabulary.escapeWhitespaces = f.value != 0;
    });
  }

  Error checkSupported() const {
    constexpr uint64_t bpe = 2;
    static const char *const names[] = {"0", "unigram", "bpe", "word", "char"};
    if (modelType != bpe)
      return modelError(file, "expected trainer_spec.model_type bpe, as Gemma has, but got " +
                                  (modelType < 5 ? Twine(names[modelType]) : Twine(modelType)));
    if (hasCharacterMap)
      return modelError(file, "expected an empty normalizer_spec.precompiled_charsmap, as Gemma "
                              "has; text normalisation by a character map is not supported");
    if (hasDenormalizer)
      return modelError(file, "expected an empty denormalizer_spec.precompiled_charsmap; it is "
                              "not supported");
    if (spaceAsSuffix)
      return modelError(file, "expected trainer_spec.treat_whitespace_as_suffix false, as Gemma "
                              "has; true is not supported");
    for (const auto &[id, piece] : enumerate(vocabulary.pieces))
      if (piece.type == PieceType::Byte && !byteFallback)
        return modelError(file, "piece " + Twine(id) +
                                    " is of type byte, but "
                                    "trainer_spec.byte_fallback is false");
    return Error::success();
  }

  void resolveSpecialPieces() {
    auto find = [&](StringRef text) -> std::optional<int64_t> {
      for (const auto &[id, piece] : enumerate(vocabulary.pieces))
        if (piece.type == PieceType::Control && piece.text == text)
          return static_cast<int64_t>(id);
      return std::nullopt;
    };
    vocabulary.bosToken = find(bosPiece);
    vocabulary.eosToken = find(eosPiece);
    vocabulary.padToken = find(padPiece);
  }

  StringRef file, contents;
  Vocabulary vocabulary;
  uint64_t modelType = 1; // unigram, SentencePiece's default
  bool spaceAsSuffix = false;
  bool byteFallback = false;
  bool hasCharacterMap = false;
  bool hasDenormalizer = false;
  StringRef bosPiece = "<s>", eosPiece = "</s>", padPiece = "<pad>";
};

} // namespace

Expected<Vocabulary> readSentencePieceModel(MemoryBufferRef file) {
  return ModelReader(file).read();
}

} // namespace rlx
