//===-- tokenizer.cpp - opening and reading tokenizer tables -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Checks the header once, every index on use; no work per piece at opening.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/tokenizer.h"

#include "bpe_encoder.h"
#include "text_normalizer.h"

#include <algorithm>

using namespace rlx;

namespace {
/// Above it offsets into the normalised text would not fit 32 bits.
constexpr size_t MaxTextBytes = size_t(512) << 20;

Status damaged(const std::string &what) {
  return Status(ErrorCode::BadFile, "tokenizer tables are damaged: " + what);
}

Status checkSection(const char *name, const TokenizerSection &section, size_t elementBytes,
                    uint64_t maxCount, const TokenizerHeader &header) {
  if (section.offset < header.headerBytes || section.offset > header.totalBytes ||
      section.count > maxCount ||
      section.count > (header.totalBytes - section.offset) / elementBytes)
    return damaged(std::string("expected section ") + name + " inside the tables");
  return Status::success();
}

Status checkIds(const TokenizerHeader &header) {
  auto count = static_cast<int64_t>(header.pieces.count);
  for (int32_t id : {header.bosId, header.eosId, header.padId})
    if (id < -1 || id >= count)
      return damaged("expected a special id below " + std::to_string(count) + " but got " +
                     std::to_string(id));
  if (header.unknownId < 0 || header.unknownId >= count)
    return damaged("expected the unknown id below " + std::to_string(count) + " but got " +
                   std::to_string(header.unknownId));
  int64_t lowest = header.flags & TokenizerByteFallback ? 0 : -1;
  for (int32_t id : header.byteIds)
    if (id < lowest || id >= count)
      return damaged("expected byte ids below " + std::to_string(count) + " but got " +
                     std::to_string(id));
  return Status::success();
}

Status checkSections(const TokenizerHeader &header) {
  constexpr uint64_t maxIds = INT32_MAX;
  struct {
    const char *name;
    const TokenizerSection &section;
    size_t elementBytes;
    uint64_t maxCount;
  } sections[] = {{"pieces", header.pieces, sizeof(TokenizerPiece), maxIds},
                  {"slots", header.slots, sizeof(TokenizerSlot), UINT32_MAX},
                  {"userTrie", header.userTrie, sizeof(TokenizerTrieNode), maxIds},
                  {"controlTrie", header.controlTrie, sizeof(TokenizerTrieNode), maxIds},
                  {"text", header.text, 1, UINT32_MAX}};
  for (const auto &entry : sections)
    if (Status status =
            checkSection(entry.name, entry.section, entry.elementBytes, entry.maxCount, header);
        !status.ok())
      return status;
  if (header.pieces.count == 0 || header.slots.count == 0 || header.userTrie.count == 0 ||
      header.controlTrie.count == 0)
    return damaged("expected no empty section");
  if ((header.slots.count & (header.slots.count - 1)) != 0)
    return damaged("expected a power of two of slots");
  if (header.unknownSurfaceOffset > header.text.count ||
      header.unknownSurfaceBytes > header.text.count - header.unknownSurfaceOffset)
    return damaged("expected the unknown id's text inside the tables");
  return Status::success();
}
} // namespace

Expected<Tokenizer> Tokenizer::open(Span<const uint8_t> tables) {
  Tokenizer tokenizer;
  TokenizerHeader &header = tokenizer.header;
  if (tables.size() < sizeof(header))
    return damaged("expected at least " + std::to_string(sizeof(header)) + " bytes but got " +
                   std::to_string(tables.size()));
  std::memcpy(&header, tables.data(), sizeof(header));
  if (std::memcmp(header.magic, TokenizerMagic, sizeof(header.magic)) != 0)
    return damaged("expected them to start with RLXTOKEN");
  if (header.version != TokenizerVersion || header.headerBytes != sizeof(header))
    return Status(ErrorCode::BadFile, "expected tokenizer tables of version " +
                                          std::to_string(TokenizerVersion) + " but got " +
                                          std::to_string(header.version) +
                                          "; compile the model again with this version of RLX");
  if (header.totalBytes != tables.size())
    return damaged("expected " + std::to_string(header.totalBytes) + " bytes but got " +
                   std::to_string(tables.size()));
  std::string_view covered(reinterpret_cast<const char *>(tables.data()),
                           offsetof(TokenizerHeader, checksum));
  if (tokenizerHash(covered) != header.checksum)
    return damaged("the header's checksum does not match");
  if (Status status = checkSections(header); !status.ok())
    return status;
  if (Status status = checkIds(header); !status.ok())
    return status;
  tokenizer.base = tables.data();
  return tokenizer;
}

std::string_view Tokenizer::textAt(uint32_t offset, uint32_t bytes) const {
  if (offset > header.text.count || bytes > header.text.count - offset)
    return {};
  return {reinterpret_cast<const char *>(base + header.text.offset + offset), bytes};
}

std::string_view Tokenizer::piece(int32_t id) const {
  TokenizerPiece entry = record(id);
  return textAt(entry.textOffset, entry.textBytes);
}

PieceKind Tokenizer::kind(int32_t id) const { return static_cast<PieceKind>(record(id).kind); }

int32_t Tokenizer::find(std::string_view text) const {
  if (text.empty())
    return -1;
  uint64_t hash = tokenizerHash(text);
  auto tag = static_cast<uint32_t>(hash >> 32);
  uint64_t index = hash & (header.slots.count - 1);
  for (uint32_t probe = 0; probe < header.maxProbe; ++probe) {
    auto slot = load<TokenizerSlot>(header.slots, index);
    if (slot.id < 0)
      return -1;
    if (slot.hash == tag && static_cast<uint64_t>(slot.id) < header.pieces.count &&
        piece(slot.id) == text)
      return slot.id;
    index = (index + 1) & (header.slots.count - 1);
  }
  return -1;
}

int32_t Tokenizer::longestMatch(const TokenizerSection &trie, std::string_view text,
                                size_t &bytes) const {
  auto node = load<TokenizerTrieNode>(trie, 0);
  int32_t id = -1;
  bytes = 0;
  for (size_t depth = 0; depth < text.size(); ++depth) {
    auto byte = static_cast<unsigned char>(text[depth]);
    uint64_t low = node.firstChild;
    uint64_t end = low + node.childCount;
    if (end > trie.count)
      break;
    for (uint64_t high = end; low < high;) {
      uint64_t middle = low + (high - low) / 2;
      if (load<TokenizerTrieNode>(trie, middle).byte < byte)
        low = middle + 1;
      else
        high = middle;
    }
    if (low == end)
      break;
    node = load<TokenizerTrieNode>(trie, low);
    if (node.byte != byte)
      break;
    if (node.id >= 0 && static_cast<uint64_t>(node.id) < header.pieces.count) {
      id = node.id;
      bytes = depth + 1;
    }
  }
  return id;
}

void Tokenizer::encodePlain(std::string_view text, std::vector<int32_t> &ids) const {
  std::string normalized = TextNormalizer(*this).normalize(text);
  BpeEncoder(*this, normalized).encode(ids);
}

Expected<std::vector<int32_t>> Tokenizer::encode(std::string_view text, ControlText control) const {
  if (text.size() > MaxTextBytes)
    return Status(ErrorCode::InvalidArgument, "expected a text of at most 512 MiB but got " +
                                                  std::to_string(text.size()) + " bytes");
  std::vector<int32_t> ids;
  size_t begin = 0;
  for (size_t at = 0; control == ControlText::Parse && at < text.size();) {
    size_t bytes = 0;
    int32_t id = longestMatch(header.controlTrie, text.substr(at), bytes);
    if (id < 0) {
      ++at;
      continue;
    }
    encodePlain(text.substr(begin, at - begin), ids);
    ids.push_back(id);
    begin = at += bytes;
  }
  encodePlain(text.substr(begin), ids);
  return ids;
}

Expected<std::string> Tokenizer::decode(Span<const int32_t> ids) const {
  std::string text;
  TokenStream stream(*this);
  for (int32_t id : ids)
    if (Status status = stream.push(id, text); !status.ok())
      return status;
  stream.finish(text);
  return text;
}
