//===-- bpe_encoder.cpp - normalised text to ids -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Merges symbols in order of score and turns what remains into ids.
//===----------------------------------------------------------------------===//
#include "bpe_encoder.h"

#include <algorithm>
#include <cmath>

using namespace rlx;

/// Bytes that a character with this first byte claims, also in invalid text.
static size_t claimedBytes(char lead) {
  auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

void BpeEncoder::encode(std::vector<int32_t> &ids) {
  split();
  mergeAll();
  for (uint32_t i = symbols.empty() ? None : 0; i != None; i = symbols[i].next)
    appendSymbol(textOf(symbols[i]), ids);
}

void BpeEncoder::split() {
  symbols.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    std::string_view rest = text.substr(at);
    size_t bytes = 0;
    bool frozen = tokenizer.longestMatch(tokenizer.header.userTrie, rest, bytes) >= 0;
    if (!frozen)
      bytes = std::min(claimedBytes(rest.front()), rest.size());
    auto index = static_cast<uint32_t>(symbols.size());
    bool last = bytes == rest.size();
    symbols.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(bytes),
                       index == 0 ? None : index - 1, last ? None : index + 1, frozen});
    at += bytes;
  }
}

void BpeEncoder::mergeAll() {
  for (uint32_t i = 1; i < symbols.size(); ++i)
    consider(i - 1, i);
  while (!pairs.empty()) {
    Pair pair = pairs.top();
    pairs.pop();
    uint32_t leftBytes = symbols[pair.left].bytes, rightBytes = symbols[pair.right].bytes;
    if (leftBytes != 0 && rightBytes != 0 && leftBytes + rightBytes == pair.bytes)
      merge(pair.left, pair.right);
  }
}

void BpeEncoder::consider(uint32_t left, uint32_t right) {
  if (left == None || right == None || symbols[left].frozen || symbols[right].frozen)
    return;
  uint32_t bytes = symbols[left].bytes + symbols[right].bytes;
  if (bytes > tokenizer.header.maxPieceBytes)
    return;
  std::string_view joined = text.substr(symbols[left].begin, bytes);
  int32_t id = tokenizer.find(joined);
  if (id < 0)
    return;
  TokenizerPiece piece = tokenizer.record(id);
  auto kind = static_cast<PieceKind>(piece.kind);
  if (kind != PieceKind::Normal && kind != PieceKind::UserDefined && kind != PieceKind::Unused)
    return;
  // The queue needs an order; NaN only occurs in damaged tables.
  pairs.push({std::isnan(piece.score) ? 0.0f : piece.score, left, right, bytes});
  if (kind == PieceKind::Unused)
    halves[joined] = {textOf(symbols[left]), textOf(symbols[right])};
}

void BpeEncoder::merge(uint32_t left, uint32_t right) {
  symbols[left].bytes += symbols[right].bytes;
  symbols[left].next = symbols[right].next;
  if (symbols[right].next != None)
    symbols[symbols[right].next].previous = left;
  symbols[right].bytes = 0;
  consider(symbols[left].previous, left);
  consider(left, symbols[left].next);
}

void BpeEncoder::appendSymbol(std::string_view symbol, std::vector<int32_t> &ids) {
  std::vector<std::string_view> parts = {symbol};
  while (!parts.empty()) {
    std::string_view part = parts.back();
    parts.pop_back();
    int32_t id = tokenizer.find(part);
    if (id >= 0 && tokenizer.kind(id) == PieceKind::Unused) {
      if (auto it = halves.find(part); it != halves.end()) {
        parts.push_back(it->second.second);
        parts.push_back(it->second.first);
        continue;
      }
    }
    appendId(part, id < 0 ? tokenizer.unknownId() : id, ids);
  }
}

void BpeEncoder::appendId(std::string_view symbol, int32_t id, std::vector<int32_t> &ids) {
  const bool unknown = id == tokenizer.unknownId();
  if (unknown && tokenizer.has(TokenizerByteFallback)) {
    for (char c : symbol)
      ids.push_back(tokenizer.header.byteIds[static_cast<unsigned char>(c)]);
  } else if (!unknown || !afterUnknown) {
    ids.push_back(id); // a run of unknown symbols is one unknown id
  }
  afterUnknown = unknown;
}
