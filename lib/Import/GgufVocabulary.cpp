//===- GgufVocabulary.cpp - The tokenizer that a GGUF file embeds ---------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Reads the SentencePiece vocabulary under the keys tokenizer.ggml.*.
//===----------------------------------------------------------------------===//
#include "Error.h"
#include "rlx/Import/Gguf.h"
#include <cmath>

using namespace rlx;

namespace {

class VocabularyReader {
public:
  VocabularyReader(llvm::StringRef path, const GgufFile &file) : path(path), file(file) {}

  llvm::Expected<std::optional<Vocabulary>> read(size_t size);

private:
  const GgufValue *find(llvm::StringRef key) const {
    auto it = file.metadata.find(("tokenizer.ggml." + key).str());
    return it == file.metadata.end() ? nullptr : &it->second;
  }
  llvm::Error wrong(llvm::StringRef key, const llvm::Twine &message) const {
    return importError("{0}: key 'tokenizer.ggml.{1}': {2}", path, key, message.str());
  }
  llvm::Error readPieces(Vocabulary &vocabulary) const;
  llvm::Error readFlag(llvm::StringRef key, bool &flag) const;
  llvm::Error readId(llvm::StringRef key, size_t pieces, std::optional<int64_t> &id) const;

  std::string path;
  const GgufFile &file;
};

} // namespace

/// Converters write the spaces of user-defined pieces as spaces, while all other
/// pieces, and SentencePiece models, have U+2581.
static std::string withSpaceSymbols(llvm::StringRef text) {
  std::string result;
  for (char c : text)
    if (c == ' ')
      result += "\xE2\x96\x81";
    else
      result += c;
  return result;
}

llvm::Error VocabularyReader::readPieces(Vocabulary &vocabulary) const {
  const GgufValue *tokens = find("tokens"), *scores = find("scores"), *types = find("token_type");
  std::optional<std::vector<llvm::StringRef>> texts =
      tokens ? tokens->asStrings() : std::optional<std::vector<llvm::StringRef>>();
  if (!texts || texts->empty())
    return wrong("tokens", "expected an array of strings");
  std::optional<std::vector<float>> scoreValues =
      scores ? scores->asFloats() : std::optional<std::vector<float>>();
  if (!scoreValues || scoreValues->size() != texts->size())
    return wrong(
        "scores",
        llvm::formatv("expected an array of {0} f32, one for each piece", texts->size()).str());
  std::optional<std::vector<int64_t>> typeValues =
      types ? types->asIntegers() : std::optional<std::vector<int64_t>>();
  if (!typeValues || typeValues->size() != texts->size())
    return wrong(
        "token_type",
        llvm::formatv("expected an array of {0} integers, one for each piece", texts->size())
            .str());
  vocabulary.pieces.resize(texts->size());
  for (size_t i = 0; i < texts->size(); ++i) {
    int64_t type = (*typeValues)[i];
    if (type < static_cast<int64_t>(PieceType::Normal) ||
        type > static_cast<int64_t>(PieceType::Byte))
      return wrong("token_type", llvm::formatv("piece {0}: type {1} is unknown", i, type).str());
    if (!std::isfinite((*scoreValues)[i]))
      return wrong("scores", llvm::formatv("piece {0}: expected a finite score", i).str());
    vocabulary.pieces[i] = {(*texts)[i].str(), (*scoreValues)[i], static_cast<PieceType>(type)};
    if (vocabulary.pieces[i].type == PieceType::UserDefined)
      vocabulary.pieces[i].text = withSpaceSymbols(vocabulary.pieces[i].text);
  }
  return llvm::Error::success();
}

llvm::Error VocabularyReader::readFlag(llvm::StringRef key, bool &flag) const {
  const GgufValue *value = find(key);
  if (!value)
    return llvm::Error::success();
  std::optional<bool> read = value->asBool();
  if (!read)
    return wrong(key, "expected a bool");
  flag = *read;
  return llvm::Error::success();
}

llvm::Error VocabularyReader::readId(llvm::StringRef key, size_t pieces,
                                     std::optional<int64_t> &id) const {
  const GgufValue *value = find(key);
  if (!value)
    return llvm::Error::success();
  id = value->asInteger();
  if (!id || *id < 0 || static_cast<uint64_t>(*id) >= pieces)
    return wrong(key, llvm::formatv("expected an id below {0}", pieces).str());
  return llvm::Error::success();
}

llvm::Expected<std::optional<Vocabulary>> VocabularyReader::read(size_t size) {
  const GgufValue *model = find("model");
  if (!model)
    return std::nullopt;
  std::optional<llvm::StringRef> kind = model->asString();
  if (!kind || *kind == "none" || *kind == "no_vocab")
    return kind ? llvm::Expected<std::optional<Vocabulary>>(std::nullopt)
                : wrong("model", "expected a string");
  if (*kind != "llama")
    return wrong("model", "expected 'llama' (SentencePiece) but got '" + printable(*kind) + "'");

  Vocabulary vocabulary;
  vocabulary.addSpacePrefix = false; // no Gemma has one, though not all files say so
  if (llvm::Error error = readPieces(vocabulary))
    return std::move(error);
  if (vocabulary.pieces.size() > size)
    vocabulary.pieces.resize(size);
  for (auto [key, flag] : {std::pair("add_bos_token", &vocabulary.addBos),
                           {"add_eos_token", &vocabulary.addEos},
                           {"add_space_prefix", &vocabulary.addSpacePrefix},
                           {"remove_extra_whitespaces", &vocabulary.removeExtraWhitespaces}})
    if (llvm::Error error = readFlag(key, *flag))
      return std::move(error);
  for (auto [key, id] : {std::pair("bos_token_id", &vocabulary.bosToken),
                         {"eos_token_id", &vocabulary.eosToken},
                         {"unknown_token_id", &vocabulary.unknownToken},
                         {"padding_token_id", &vocabulary.padToken}})
    if (llvm::Error error = readId(key, vocabulary.pieces.size(), *id))
      return std::move(error);
  return std::optional(std::move(vocabulary));
}

llvm::Expected<std::optional<Vocabulary>>
rlx::readGgufVocabulary(llvm::StringRef path, const GgufFile &file, int64_t size) {
  return VocabularyReader(path, file).read(static_cast<size_t>(size));
}
