//===- TokenizerTablesTest.cpp ------------------------------ -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// What the compiler refuses, control pieces, streaming, and damaged tables.
//===----------------------------------------------------------------------===//
#include "ModelProto.h"
#include "Reference.h"

#include <gmock/gmock.h>
#include <random>

using namespace rlx;
using namespace rlx::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// Specials, 256 bytes, and letters that merge to "ab" and "abc".
Vocabulary smallVocabulary() {
  Vocabulary vocabulary;
  vocabulary.pieces = {{"<pad>", 0, PieceType::Control},
                       {"<eos>", 0, PieceType::Control},
                       {"<bos>", 0, PieceType::Control},
                       {"<unk>", 0, PieceType::Unknown}};
  vocabulary.padToken = 0;
  vocabulary.eosToken = 1;
  vocabulary.bosToken = 2;
  const char *digits = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.pieces.push_back(
        {std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", 0, PieceType::Byte});
  vocabulary.pieces.push_back({"a", -3, PieceType::Normal}); // 260
  vocabulary.pieces.push_back({"b", -3, PieceType::Normal});
  vocabulary.pieces.push_back({"c", -3, PieceType::Normal});
  vocabulary.pieces.push_back({"ab", -1, PieceType::Normal});
  vocabulary.pieces.push_back({"abc", -2, PieceType::Normal}); // 264
  vocabulary.pieces.push_back({"<turn>", 0, PieceType::Control});
  return vocabulary;
}

std::string errorOf(const Vocabulary &vocabulary) {
  llvm::Expected<std::string> built = buildTokenizerTables(vocabulary, "v.gguf");
  return built ? "" : llvm::toString(built.takeError());
}

TEST(TokenizerTables, RefusesBadVocabularies) {
  struct {
    const char *expected;
    void (*spoil)(Vocabulary &);
  } cases[] = {
      {"v.gguf: expected between 1 and", [](Vocabulary &v) { v.pieces.clear(); }},
      {"piece 260: expected a text", [](Vocabulary &v) { v.pieces[260].text.clear(); }},
      {"piece 260: expected at most", [](Vocabulary &v) { v.pieces[260].text.assign(70000, 'x'); }},
      {"piece 260: expected valid UTF-8", [](Vocabulary &v) { v.pieces[260].text = "\xC3"; }},
      {"piece 260: expected a score", [](Vocabulary &v) { v.pieces[260].score = NAN; }},
      {"piece 261: the same text as piece 260", [](Vocabulary &v) { v.pieces[261].text = "a"; }},
      {"piece 265: a control piece of one character",
       [](Vocabulary &v) { v.pieces[265].text = "\xC3\xA9"; }},
      {"piece 260: the second one of type unknown",
       [](Vocabulary &v) { v.pieces[260].type = PieceType::Unknown; }},
      {"piece 4: expected a byte piece", [](Vocabulary &v) { v.pieces[4].text = "<0x0g>"; }},
      {"expected 256 byte pieces or none but got 255",
       [](Vocabulary &v) { v.pieces[4].type = PieceType::Normal; }},
      {"bos token: expected an id below 266 but got 266", [](Vocabulary &v) { v.bosToken = 266; }},
      {"eos token: expected an id below 266 but got -1", [](Vocabulary &v) { v.eosToken = -1; }},
      {"expected a piece of type unknown",
       [](Vocabulary &v) { v.pieces[3].type = PieceType::Normal; }},
      {"the unknown token is 260", [](Vocabulary &v) { v.unknownToken = 260; }},
  };
  for (const auto &entry : cases) {
    Vocabulary vocabulary = smallVocabulary();
    ASSERT_EQ(errorOf(vocabulary), "");
    entry.spoil(vocabulary);
    EXPECT_THAT(errorOf(vocabulary), HasSubstr(entry.expected));
  }
}

TEST(SentencePieceModel, RefusesWhatItCannotReproduce) {
  auto errorOfModel = [](const std::string &model) {
    llvm::Expected<Vocabulary> read =
        readSentencePieceModel(llvm::MemoryBufferRef(model, "tokenizer.model"));
    return read ? std::string() : llvm::toString(read.takeError());
  };
  std::string model = modelProto(smallVocabulary());
  EXPECT_EQ(errorOfModel(model), "");
  // Fields that come later win, as in every protocol buffer.
  auto withField = [&](uint32_t part, Message change) {
    return model + Message().bytes(part, change.str()).str();
  };
  EXPECT_THAT(errorOfModel(withField(2, Message().varint(3, 1))),
              HasSubstr("tokenizer.model: expected trainer_spec.model_type bpe"));
  EXPECT_THAT(errorOfModel(withField(2, Message().varint(3, 77))), HasSubstr("but got 77"));
  EXPECT_THAT(errorOfModel(withField(2, Message().varint(24, 1))),
              HasSubstr("trainer_spec.treat_whitespace_as_suffix"));
  EXPECT_THAT(errorOfModel(withField(2, Message().varint(35, 0))),
              HasSubstr("piece 4 is of type byte"));
  EXPECT_THAT(errorOfModel(withField(3, Message().bytes(2, "map"))),
              HasSubstr("normalizer_spec.precompiled_charsmap"));
  EXPECT_THAT(errorOfModel(withField(5, Message().bytes(2, "map"))),
              HasSubstr("denormalizer_spec.precompiled_charsmap"));
  EXPECT_THAT(errorOfModel(withField(1, Message().bytes(1, "x").varint(3, 9))),
              HasSubstr("expected the type of piece 266 in [1, 6] but got 9"));
  EXPECT_THAT(errorOfModel(""), HasSubstr("with pieces but got none"));
  EXPECT_THAT(errorOfModel("not a model"), HasSubstr("truncated or damaged"));
  for (size_t size = 0; size < model.size(); size += 7) {
    // A cut at a field's end can leave a shorter model; it must only not crash.
    std::string error = errorOfModel(model.substr(0, size));
    EXPECT_TRUE(error.empty() || error.find("tokenizer.model: ") == 0) << error;
  }
}

TEST(Tokenizer, ControlPiecesOnlyWhenAsked) {
  Reference reference(modelProto(smallVocabulary()));
  ASSERT_EQ(reference.error, "");
  const Tokenizer &tokenizer = *reference.tokenizer;
  EXPECT_THAT(*tokenizer.encode("<turn>abc<bos>b<turn", ControlText::Parse),
              ElementsAre(265, 264, 2, 261, 4 + '<', 4 + 't', 4 + 'u', 4 + 'r', 4 + 'n'));
  EXPECT_EQ(*tokenizer.encode("<turn>abc"), reference.encodeByLibrary("<turn>abc"));
  EXPECT_EQ(tokenizer.find("<turn>"), 265);
  EXPECT_EQ(tokenizer.find("<turn"), -1);
  EXPECT_EQ(tokenizer.find(""), -1);
  EXPECT_EQ(*tokenizer.decode({265, 264, 2}), "abc");
  EXPECT_TRUE(tokenizer.addsBos());
  EXPECT_FALSE(tokenizer.addsEos());
  EXPECT_EQ(tokenizer.bosId(), 2);
  EXPECT_EQ(tokenizer.eosId(), 1);
  EXPECT_EQ(tokenizer.padId(), 0);
  EXPECT_EQ(tokenizer.unknownId(), 3);
}

TEST(Tokenizer, DecodeRefusesForeignIds) {
  Reference reference(modelProto(smallVocabulary()));
  ASSERT_EQ(reference.error, "");
  for (int32_t id : {-1, 266, INT32_MAX, INT32_MIN}) {
    rlx::Expected<std::string> text = reference.tokenizer->decode({260, id});
    ASSERT_FALSE(text.ok());
    EXPECT_EQ(text.status().code(), ErrorCode::InvalidArgument);
    EXPECT_THAT(text.status().message(), HasSubstr("expected a token id in [0, 266)"));
  }
}

TEST(TokenStream, HoldsBackIncompleteCharacters) {
  Reference reference(modelProto(smallVocabulary()));
  ASSERT_EQ(reference.error, "");
  TokenStream stream(*reference.tokenizer);
  auto push = [&](int32_t id) {
    std::string out;
    EXPECT_TRUE(stream.push(id, out).ok());
    return out;
  };
  EXPECT_EQ(push(260), "a");
  EXPECT_EQ(push(4 + 0xE2), ""); // the euro sign, byte by byte
  EXPECT_EQ(push(4 + 0x82), "");
  EXPECT_TRUE(stream.holdsBack());
  EXPECT_EQ(push(4 + 0xAC), "\xE2\x82\xAC");
  EXPECT_FALSE(stream.holdsBack());
  EXPECT_EQ(push(4 + 0xF0), "");
  EXPECT_EQ(push(260), "\xEF\xBF\xBD"
                       "a");                 // never completed
  EXPECT_EQ(push(4 + 0xFF), "\xEF\xBF\xBD"); // starts no character
  EXPECT_EQ(push(4 + 0xC3), "");
  std::string out;
  EXPECT_FALSE(stream.push(266, out).ok());
  stream.finish(out);
  EXPECT_EQ(out, "\xEF\xBF\xBD");
}

TEST(Tokenizer, OpenRefusesDamagedHeaders) {
  Reference reference(modelProto(smallVocabulary()));
  ASSERT_EQ(reference.error, "");
  const std::string &good = reference.tables;
  for (size_t size : {size_t(0), size_t(7), sizeof(TokenizerHeader) - 1, sizeof(TokenizerHeader),
                      good.size() - 1})
    EXPECT_FALSE(Tokenizer::open(bytesOf(good.substr(0, size))).ok()) << size;
  EXPECT_FALSE(Tokenizer::open(bytesOf(good + "x")).ok());
  for (size_t at = 0; at < sizeof(TokenizerHeader); ++at) {
    std::string bad = good;
    bad[at] ^= 1;
    rlx::Expected<Tokenizer> opened = Tokenizer::open(bytesOf(bad));
    ASSERT_FALSE(opened.ok()) << "byte " << at;
    EXPECT_EQ(opened.status().code(), ErrorCode::BadFile);
  }
}

/// Damage that the checksum of the header does not see, or that carries a
/// matching one, may give wrong ids but never an access outside the tables.
TEST(Tokenizer, SurvivesHostileTables) {
  Reference reference(modelProto(smallVocabulary()));
  ASSERT_EQ(reference.error, "");
  std::mt19937 random(3);
  int opened = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bad = reference.tables;
    for (int change = 0; change < 8; ++change) {
      bool inHeader = random() % 8 == 0;
      size_t at = inHeader
                      ? random() % offsetof(TokenizerHeader, checksum)
                      : sizeof(TokenizerHeader) + random() % (bad.size() - sizeof(TokenizerHeader));
      bad[at] = static_cast<char>(random());
    }
    uint64_t checksum = tokenizerHash({bad.data(), offsetof(TokenizerHeader, checksum)});
    std::memcpy(&bad[offsetof(TokenizerHeader, checksum)], &checksum, sizeof(checksum));
    rlx::Expected<Tokenizer> tokenizer = Tokenizer::open(bytesOf(bad));
    if (!tokenizer)
      continue;
    ++opened;
    rlx::Expected<std::vector<int32_t>> ids =
        tokenizer->encode("abc<turn> <bos>\xC3\xA9 cab", ControlText::Parse);
    ASSERT_TRUE(ids.ok());
    for (int32_t id : *ids)
      ASSERT_TRUE(id >= 0 && static_cast<size_t>(id) < tokenizer->size());
    (void)tokenizer->decode(*ids);
  }
  EXPECT_GT(opened, 300);
}

} // namespace
