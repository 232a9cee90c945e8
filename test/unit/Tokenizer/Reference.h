//===- Reference.h - RLX's tokenizer beside SentencePiece --- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// One vocabulary, tokenised by RLX's tables and by the SentencePiece library.
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_TOKENIZER_REFERENCE_H
#define RLX_TEST_UNIT_TOKENIZER_REFERENCE_H

#include "rlx/Tokenizer/SentencePieceModel.h"
#include "rlx/Tokenizer/TokenizerTables.h"
#include "rlx/runtime/tokenizer.h"
#include <optional>
#include <sentencepiece_processor.h>

namespace rlx::test {

inline Span<const uint8_t> bytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

class Reference {
public:
  /// From a serialised ModelProto; check `error` before use.
  explicit Reference(std::string_view model) {
    if (auto status = library.LoadFromSerializedProto({model.data(), model.size()}); !status.ok()) {
      error = "library: " + status.ToString();
      return;
    }
    llvm::MemoryBufferRef file(llvm::StringRef(model.data(), model.size()), "test.model");
    llvm::Expected<Vocabulary> read = readSentencePieceModel(file);
    if (!read) {
      error = llvm::toString(read.takeError());
      return;
    }
    build(*read);
  }

  void build(const Vocabulary &vocabulary) {
    llvm::Expected<std::string> built = buildTokenizerTables(vocabulary, "test.model");
    if (!built) {
      error = llvm::toString(built.takeError());
      return;
    }
    tables = std::move(*built);
    rlx::Expected<Tokenizer> opened = Tokenizer::open(bytesOf(tables));
    if (!opened)
      error = opened.status().message();
    else
      tokenizer = *opened;
  }

  std::vector<int32_t> encodeByLibrary(std::string_view text) const {
    std::vector<int> ids;
    if (auto status = library.Encode({text.data(), text.size()}, &ids); !status.ok())
      return {-1};
    return ids;
  }
  std::string decodeByLibrary(const std::vector<int32_t> &ids) const {
    std::string text;
    if (auto status = library.Decode(ids, &text); !status.ok())
      return "error: " + status.ToString();
    return text;
  }
  std::vector<int32_t> encode(std::string_view text) const { return *tokenizer->encode(text); }
  std::string decode(const std::vector<int32_t> &ids) const { return *tokenizer->decode(ids); }

  std::string error;
  std::string tables;
  std::optional<Tokenizer> tokenizer;
  sentencepiece::SentencePieceProcessor library;
};

} // namespace rlx::test

#endif // RLX_TEST_UNIT_TOKENIZER_REFERENCE_H
