//===- TokenizerFuzz.cpp --------------------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The first byte picks what the rest is: text for RLX's tokenizer and the
// SentencePiece library to agree on, a tokenizer.model, or tokenizer tables.
//===----------------------------------------------------------------------===//
#include "../unit/Tokenizer/Reference.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace rlx;
using namespace rlx::test;

static const Reference &bundledModel() {
  static const Reference reference([] {
    std::ifstream file(RLX_TEST_DATA "/models/tiny-gemma3/tokenizer.model", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }());
  return reference;
}

static void expect(bool condition, const char *what) {
  if (condition)
    return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::abort();
}

static void compareText(std::string_view text) {
  const Reference &reference = bundledModel();
  expect(reference.error.empty(), "the bundled model loads");
  std::vector<int32_t> ids = reference.encode(text);
  expect(ids == reference.encodeByLibrary(text), "equal ids");
  expect(reference.decode(ids) == reference.decodeByLibrary(ids), "equal text");
}

static void readModel(std::string_view bytes) {
  llvm::MemoryBufferRef file(llvm::StringRef(bytes.data(), bytes.size()), "fuzz.model");
  llvm::Expected<Vocabulary> vocabulary = readSentencePieceModel(file);
  if (!vocabulary)
    return llvm::consumeError(vocabulary.takeError());
  llvm::Expected<std::string> tables = buildTokenizerTables(*vocabulary, "fuzz.model");
  if (!tables)
    return llvm::consumeError(tables.takeError());
  expect(Tokenizer::open(bytesOf(*tables)).ok(), "built tables open");
}

static void useTables(std::string_view bytes) {
  std::string tables(bytes);
  if (tables.size() >= sizeof(TokenizerHeader)) {
    uint64_t checksum = tokenizerHash({tables.data(), offsetof(TokenizerHeader, checksum)});
    std::memcpy(&tables[offsetof(TokenizerHeader, checksum)], &checksum, sizeof(checksum));
  }
  rlx::Expected<Tokenizer> tokenizer = Tokenizer::open(bytesOf(tables));
  if (!tokenizer)
    return;
  auto ids = tokenizer->encode("ab <bos>\n\n\xC3\xA9\xFF the end", ControlText::Parse);
  expect(ids.ok() && tokenizer->decode(*ids).ok(), "ids stay inside the vocabulary");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  std::string_view rest(reinterpret_cast<const char *>(data) + 1, size - 1);
  switch (data[0] % 4) {
  case 0:
    readModel(rest);
    break;
  case 1:
    useTables(rest);
    break;
  default:
    compareText(rest);
  }
  return 0;
}
