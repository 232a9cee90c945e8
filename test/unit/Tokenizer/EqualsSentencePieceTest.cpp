//===- EqualsSentencePieceTest.cpp -------------------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The compiled tokenizer gives the ids and text of the SentencePiece library.
//===----------------------------------------------------------------------===//
#include "ModelProto.h"
#include "Reference.h"
#include "rlx/Import/Gguf.h"

#include "llvm/ADT/StringExtras.h"
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <random>

using namespace rlx;
using namespace rlx::test;

namespace {

std::string readFile(const std::string &name) {
  std::ifstream file(std::string(RLX_TEST_DATA) + "/models/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expectEqual(const Reference &reference, std::string_view text) {
  std::vector<int32_t> expected = reference.encodeByLibrary(text);
  std::vector<int32_t> ids = reference.encode(text);
  ASSERT_EQ(ids, expected) << "text: " << testing::PrintToString(std::string(text));
  ASSERT_EQ(reference.decode(ids), reference.decodeByLibrary(ids))
      << "text: " << testing::PrintToString(std::string(text));
}

/// The checkpoints share one tokenizer; each file is its own test.
class BundledModel : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    reference = std::make_unique<Reference>(readFile(std::string(GetParam()) + "/tokenizer.model"));
    ASSERT_EQ(reference->error, "");
  }
  std::unique_ptr<Reference> reference;
};

TEST_P(BundledModel, HeldOutText) {
  std::string text = readFile("heldout.txt");
  ASSERT_EQ(reference->encode(text).size(), 19405u); // the count its README states
  expectEqual(*reference, text);
}

TEST_P(BundledModel, EverySinglePiece) {
  const Tokenizer &tokenizer = *reference->tokenizer;
  ASSERT_EQ(tokenizer.size(), 2048u);
  for (int32_t id = 0; id < static_cast<int32_t>(tokenizer.size()); ++id) {
    std::string piece(tokenizer.piece(id));
    ASSERT_EQ(piece, reference->library.IdToPiece(id));
    ASSERT_EQ(tokenizer.find(piece), id);
    ASSERT_EQ(reference->decode({id}), reference->decodeByLibrary({id}));
    ASSERT_NO_FATAL_FAILURE(expectEqual(*reference, piece));
    ASSERT_NO_FATAL_FAILURE(expectEqual(*reference, "x" + piece + " y"));
    for (size_t at; (at = piece.find("\xE2\x96\x81")) != piece.npos;)
      piece.replace(at, 3, " ");
    ASSERT_NO_FATAL_FAILURE(expectEqual(*reference, piece));
  }
}

TEST_P(BundledModel, OddText) {
  const std::string texts[] = {
      "",
      " ",
      "     leading and trailing     ",
      "\n\n\n\n\t\r\n",
      std::string("nul\0inside", 10),
      "na\xC3\xAFve \xE4\xB8\xAD\xE6\x96\x87 \xD8\xB9\xD8\xB1\xD8\xA8\xD9\x8A \xF0\x9F\xA6\x99",
      "e\xCC\x81 combining, \xE2\x80\x8D joiner, \xEF\xBB\xBF mark",
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
      "\xE2\x96\x81literal\xE2\x96\x81\xE2\x96\x81space symbol",
      "\xEF\xBF\xBD the replacement character itself",
      "\xC0\x80 overlong \xE0\x80\x80 \xF0\x80\x80\x80",
      "\xED\xA0\x80 surrogate \xED\xBF\xBF",
      "\xF4\x8F\xBF\xBF highest \xF4\x90\x80\x80 too high \xF8\x88\x80\x80\x80",
      "cut \xE2\x82",
      "cut \xF0\x9F\xA6",
      "\xFF\xFE\x80\xBF",
      "<bos><eos><pad><unk> are plain text",
      "<start_of_turn>user\nhi<end_of_turn>\n",
      "<start_of_<start_of_turn>turn>",
      "<0x0A><0xFF>",
  };
  for (const std::string &text : texts)
    ASSERT_NO_FATAL_FAILURE(expectEqual(*reference, text));
}

TEST_P(BundledModel, RandomTextAndIds) {
  std::mt19937 random(20260101);
  const Tokenizer &tokenizer = *reference->tokenizer;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    std::vector<int32_t> ids;
    for (unsigned part = random() % 12; part > 0; --part) {
      int32_t id = static_cast<int32_t>(random() % tokenizer.size());
      ids.push_back(random() % 3 ? id
                                 : tokenizer.find("<0x0A>") + static_cast<int32_t>(random() % 200));
      switch (random() % 4) {
      case 0:
        text += static_cast<char>(random());
        break;
      case 1:
        text += ' ';
        break;
      default:
        text += tokenizer.piece(id);
      }
    }
    ASSERT_NO_FATAL_FAILURE(expectEqual(*reference, text));
    ASSERT_EQ(reference->decode(ids), reference->decodeByLibrary(ids))
        << testing::PrintToString(ids);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, BundledModel,
                         testing::Values("tiny-gemma1", "tiny-gemma2", "tiny-gemma3"));

/// A vocabulary that a GGUF file embeds; the library judges it as a model file.
class EmbeddedVocabulary : public testing::TestWithParam<const char *> {};

TEST_P(EmbeddedVocabulary, HeldOutText) {
  std::string path = std::string(RLX_TEST_DATA) + "/goldens/gguf/" + GetParam() + ".gguf";
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  llvm::Expected<GgufFile> parsed = parseGguf(path, llvm::arrayRefFromStringRef(bytes));
  ASSERT_TRUE(static_cast<bool>(parsed)) << llvm::toString(parsed.takeError());
  auto vocabulary = readGgufVocabulary(path, *parsed, /*size=*/2048);
  ASSERT_TRUE(static_cast<bool>(vocabulary)) << llvm::toString(vocabulary.takeError());
  ASSERT_TRUE(vocabulary->has_value());
  Reference reference(modelProto(**vocabulary));
  ASSERT_EQ(reference.error, "");
  expectEqual(reference, readFile("heldout.txt"));
  expectEqual(reference, "  \xF0\x9F\xA6\x99 \xFF\n\n<bos>");
  for (const VocabularyPiece &piece : (*vocabulary)->pieces)
    ASSERT_NO_FATAL_FAILURE(expectEqual(reference, piece.text + " " + piece.text));
}

INSTANTIATE_TEST_SUITE_P(Files, EmbeddedVocabulary,
                         testing::Values("gemma-BF16", "gemma2-Q8_0", "gemma3-Q4_K_M"));

/// A small vocabulary in which many merges compete.
Vocabulary randomVocabulary(std::mt19937 &random) {
  const std::string alphabet[] = {"a", "b", "c", "\xE2\x96\x81", "\xC3\xA9", " "};
  Vocabulary vocabulary;
  vocabulary.pieces = {{"<pad>", 0, PieceType::Control},
                       {"<eos>", 0, PieceType::Control},
                       {"<bos>", 0, PieceType::Control},
                       {"<unk>", 0, PieceType::Unknown}};
  vocabulary.padToken = 0;
  vocabulary.eosToken = 1;
  vocabulary.bosToken = 2;
  if (random() % 2) {
    const char *digits = "0123456789ABCDEF";
    for (int byte = 0; byte < 256; ++byte)
      vocabulary.pieces.push_back(
          {std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", 0, PieceType::Byte});
  }
  std::vector<std::string> seen;
  for (unsigned count = 5 + random() % 60; count > 0; --count) {
    std::string text;
    for (unsigned length = 1 + random() % 5; length > 0; --length)
      text += alphabet[random() % 6];
    if (std::find(seen.begin(), seen.end(), text) != seen.end())
      continue;
    seen.push_back(text);
    unsigned kind = random() % 10;
    PieceType type = kind == 0  ? PieceType::UserDefined
                     : kind < 3 ? PieceType::Unused
                                : PieceType::Normal;
    // Few distinct scores, so that ties are common.
    vocabulary.pieces.push_back({text, -static_cast<float>(random() % 12), type});
  }
  vocabulary.addSpacePrefix = random() % 2;
  vocabulary.removeExtraWhitespaces = random() % 2;
  vocabulary.escapeWhitespaces = random() % 4 != 0;
  return vocabulary;
}

TEST(RandomVocabulary, EqualsSentencePiece) {
  std::mt19937 random(7);
  const std::string units[] = {"a", "b", "c", " ", "\xC3\xA9", "\xE2\x96\x81", "z", "\xC3"};
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Vocabulary vocabulary = randomVocabulary(random);
    Reference reference(modelProto(vocabulary));
    ASSERT_EQ(reference.error, "");
    for (int repeat = 0; repeat < 40; ++repeat) {
      std::string text;
      std::vector<int32_t> ids;
      for (unsigned length = random() % 24; length > 0; --length) {
        text += units[random() % 8];
        ids.push_back(static_cast<int32_t>(random() % vocabulary.pieces.size()));
      }
      ASSERT_NO_FATAL_FAILURE(expectEqual(reference, text));
      ASSERT_EQ(reference.decode(ids), reference.decodeByLibrary(ids))
          << testing::PrintToString(ids);
    }
  }
}

TEST(RandomVocabulary, SurvivesTheModelFile) {
  // What a GGUF file holds and what the same model's tokenizer.model holds
  // compile to the same bytes.
  std::mt19937 random(11);
  for (int round = 0; round < 20; ++round) {
    Vocabulary vocabulary = randomVocabulary(random);
    Reference reference(modelProto(vocabulary));
    ASSERT_EQ(reference.error, "");
    llvm::Expected<std::string> direct = buildTokenizerTables(vocabulary, "vocabulary");
    ASSERT_TRUE(static_cast<bool>(direct));
    EXPECT_EQ(*direct, reference.tables);
  }
}

} // namespace
