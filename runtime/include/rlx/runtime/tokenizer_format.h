//===-- rlx/runtime/tokenizer_format.h - compiled tokenizer tables -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The layout of tokenizer.bin: written by the compiler, used in place by the
// runtime. Little endian; no alignment is assumed of where the bytes lie.
//
// Header, then sections at the offsets it names:
//   pieces    TokenizerPiece[pieceCount], by id
//   slots     TokenizerSlot[slotCount], open addressing over the pieces' texts:
//             a text with hash h is in one of the maxProbe slots from
//             h % slotCount on (wrapping around), or absent; slotCount is a
//             power of two
//   userTrie  TokenizerTrieNode[], of the user-defined pieces; node 0 is the
//             root, the children of a node are consecutive and sorted by byte
//   controlTrie  the same, of the control pieces
//   text      the bytes of all pieces and of the unknown piece's surface
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_TOKENIZER_FORMAT_H
#define RLX_RUNTIME_TOKENIZER_FORMAT_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rlx {

inline constexpr char TokenizerMagic[8] = {'R', 'L', 'X', 'T', 'O', 'K', 'E', 'N'};
inline constexpr uint32_t TokenizerVersion = 1;

/// Numbered as SentencePiece and GGUF number them.
enum class PieceKind : uint8_t {
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6
};

enum TokenizerFlags : uint32_t {
  TokenizerAddDummyPrefix = 1u << 0,
  TokenizerRemoveExtraWhitespaces = 1u << 1,
  TokenizerEscapeWhitespaces = 1u << 2,
  TokenizerByteFallback = 1u << 3,
  TokenizerAddBos = 1u << 4,
  TokenizerAddEos = 1u << 5,
};

/// A section: `count` elements from `offset` bytes behind the header's start.
struct TokenizerSection {
  uint64_t offset;
  uint64_t count;
};

struct TokenizerHeader {
  char magic[8];
  uint32_t version;
  uint32_t headerBytes;
  uint64_t totalBytes;
  uint32_t flags;
  uint32_t maxPieceBytes; ///< of the pieces that text can contain
  uint32_t maxProbe;
  int32_t unknownId; ///< the ids are -1 where there is none, but for this one
  int32_t bosId;
  int32_t eosId;
  int32_t padId;
  uint32_t unknownSurfaceOffset; ///< what the unknown id decodes to, in text
  uint32_t unknownSurfaceBytes;
  uint32_t reserved;
  TokenizerSection pieces;
  TokenizerSection slots;
  TokenizerSection userTrie;
  TokenizerSection controlTrie;
  TokenizerSection text;
  int32_t byteIds[256]; ///< id of each byte's piece; -1 without byte fallback
  uint64_t checksum;    ///< tokenizerHash of all header bytes before it
};

struct TokenizerPiece {
  uint32_t textOffset;
  uint16_t textBytes;
  uint8_t kind; ///< PieceKind
  uint8_t byte; ///< of a PieceKind::Byte
  float score;  ///< higher merges first
};

struct TokenizerSlot {
  uint32_t hash; ///< upper half of the text's hash
  int32_t id;    ///< -1: empty
};

struct TokenizerTrieNode {
  uint32_t firstChild;
  uint16_t childCount;
  uint16_t byte; ///< on the edge from the parent
  int32_t id;    ///< of the piece that ends here, or -1
};

static_assert(sizeof(TokenizerHeader) == 8 + 8 + 8 + 40 + 5 * 16 + 1024 + 8, "no padding");
static_assert(sizeof(TokenizerPiece) == 12, "no padding");
static_assert(sizeof(TokenizerSlot) == 8, "no padding");
static_assert(sizeof(TokenizerTrieNode) == 12, "no padding");

/// The hash of the slots and of the header's checksum.
inline uint64_t tokenizerHash(std::string_view bytes) {
  constexpr uint64_t multiplier = 0x9e3779b97f4a7c15u;
  uint64_t hash = bytes.size() * multiplier;
  while (!bytes.empty()) {
    uint64_t word = 0;
    size_t count = bytes.size() < sizeof(word) ? bytes.size() : sizeof(word);
    std::memcpy(&word, bytes.data(), count);
    hash = (hash ^ word) * multiplier;
    hash ^= hash >> 29;
    bytes.remove_prefix(count);
  }
  hash *= multiplier;
  return hash ^ (hash >> 32);
}

} // namespace rlx

#endif // RLX_RUNTIME_TOKENIZER_FORMAT_H
