//===-- bpe_encoder.h - normalised text to ids -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Byte-pair merging with a priority queue: O(n log n) for any text.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_TEXT_BPE_ENCODER_H
#define RLX_RUNTIME_LIB_TEXT_BPE_ENCODER_H

#include "rlx/runtime/tokenizer.h"

#include <queue>
#include <unordered_map>

namespace rlx {

/// Encodes one text: symbols (characters and user-defined pieces at first) form
/// a linked list; of all neighbours that together are a piece, the pair with
/// the highest score, the leftmost of equals, is merged first.
class BpeEncoder {
public:
  BpeEncoder(const Tokenizer &tokenizer, std::string_view text)
      : tokenizer(tokenizer), text(text) {}
  /// Appends the ids of the text to `ids`.
  void encode(std::vector<int32_t> &ids);

private:
  static constexpr uint32_t None = UINT32_MAX;

  struct Symbol {
    uint32_t begin;
    uint32_t bytes; ///< 0: merged into its left neighbour
    uint32_t previous;
    uint32_t next;
    bool frozen; ///< a user-defined piece: never merged
  };
  struct Pair {
    float score;
    uint32_t left;
    uint32_t right;
    uint32_t bytes; ///< of both when found: differs once either was merged
    bool operator<(const Pair &other) const {
      return score < other.score || (score == other.score && left > other.left);
    }
  };

  std::string_view textOf(const Symbol &s) const { return text.substr(s.begin, s.bytes); }
  void split();
  void mergeAll();
  void consider(uint32_t left, uint32_t right);
  void merge(uint32_t left, uint32_t right);
  void appendSymbol(std::string_view symbol, std::vector<int32_t> &ids);
  void appendId(std::string_view symbol, int32_t id, std::vector<int32_t> &ids);

  const Tokenizer &tokenizer;
  std::string_view text;
  std::vector<Symbol> symbols;
  std::priority_queue<Pair> pairs;
  /// How pieces that must not be output were made, the latest way for each.
  std::unordered_map<std::string_view, std::pair<std::string_view, std::string_view>> halves;
  bool afterUnknown = false;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_TEXT_BPE_ENCODER_H
