//===-- token_stream.cpp - ids to text, one at a time -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Decoding: spaces for U+2581, bytes joined to characters, no dummy prefix.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/tokenizer.h"

#include "text_normalizer.h"

using namespace rlx;

Status TokenStream::push(int32_t id, std::string &out) {
  if (id < 0 || static_cast<size_t>(id) >= tokenizer.size())
    return Status(ErrorCode::InvalidArgument, "expected a token id in [0, " +
                                                  std::to_string(tokenizer.size()) + ") but got " +
                                                  std::to_string(id));
  const size_t before = out.size();
  TokenizerPiece entry = tokenizer.record(id);
  auto kind = static_cast<PieceKind>(entry.kind);
  if (kind == PieceKind::Byte) {
    bytes.push(static_cast<char>(entry.byte), out);
    started = true;
    return Status::success();
  }
  finish(out);
  started |= out.size() > before;
  if (prefixSeen || started)
    expectsPrefix = false;
  prefixSeen = false;
  const size_t pieceBegin = out.size();
  const TokenizerHeader &header = tokenizer.header;
  if (kind == PieceKind::Unknown)
    out += tokenizer.textAt(header.unknownSurfaceOffset, header.unknownSurfaceBytes);
  else if (kind != PieceKind::Control)
    appendPiece(tokenizer.textAt(entry.textOffset, entry.textBytes), out);
  started |= out.size() > pieceBegin;
  return Status::success();
}

void TokenStream::appendPiece(std::string_view text, std::string &out) {
  const bool removesExtra = tokenizer.has(TokenizerRemoveExtraWhitespaces);
  if (expectsPrefix && (tokenizer.has(TokenizerAddDummyPrefix) || removesExtra) &&
      text.substr(0, SpaceSymbol.size()) == SpaceSymbol) {
    text.remove_prefix(SpaceSymbol.size());
    // Only one space is the dummy prefix; where runs of spaces are removed, all
    // leading ones are.
    prefixSeen = !removesExtra;
  }
  for (size_t at; (at = text.find(SpaceSymbol)) != text.npos;) {
    out += text.substr(0, at);
    out += ' ';
    text.remove_prefix(at + SpaceSymbol.size());
  }
  out += text;
}

void TokenStream::finish(std::string &out) { bytes.finish(out); }
