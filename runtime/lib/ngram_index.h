//===-- runtime/lib/ngram_index.h - drafts from the text itself -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Predicts the next tokens of a text from what followed its last tokens before.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_NGRAM_INDEX_H
#define RLX_RUNTIME_LIB_NGRAM_INDEX_H

#include "rlx/runtime/span.h"

#include <array>
#include <cstdint>
#include <vector>

namespace rlx {

/// A text and an index of its n-grams. Follows one earlier passage as long as
/// that predicts right; else looks for the latest one that ends with the same
/// tokens, as many as possible.
class NgramIndex {
public:
  /// Matches of fewer tokens predict nothing.
  static constexpr uint64_t minLength = 2;
  /// Longer matches are found by their last tokens and measured by comparing.
  static constexpr uint64_t maxIndexed = 4;
  /// Lengths are not counted further.
  static constexpr uint64_t maxLength = 32;

  /// Makes the text equal to `tokens`; what it has in common with them is kept.
  void sync(Span<const int32_t> tokens);
  void push(int32_t token);
  uint64_t size() const { return text.size(); }

  /// How many of the last tokens occurred before what is followed now; 0 where
  /// nothing is predicted.
  uint64_t matchLength() const { return length; }
  /// The predicted next token; only where matchLength() is not 0.
  int32_t predicted() const { return text[source]; }
  /// The next `count` tokens as predicted. A passage that reaches the end of the
  /// text goes on with the prediction itself, as in a repetition.
  std::vector<int32_t> predict(uint64_t count) const;

private:
  static constexpr uint64_t orders = maxIndexed - minLength + 1;

  void truncate(uint64_t size);
  void grow();
  /// Indexes what ends at `last` or before, in tables of `size` places.
  void rebuild(uint64_t size, uint64_t last);
  void insert(uint64_t end);
  void find();
  /// The place in the table of the n-gram in front of `end`.
  uint64_t bucket(uint64_t n, uint64_t end) const;
  /// How many tokens before `a` and `b` are equal, at most maxLength.
  uint64_t commonLength(uint64_t a, uint64_t b) const;

  std::vector<int32_t> text;
  /// For each n the position behind the latest n-gram with this hash, 0 for
  /// none. What collides is overwritten: a wrong guess costs speed only.
  std::array<std::vector<uint32_t>, orders> tables;
  uint64_t source = 0; ///< the position whose token is predicted
  uint64_t length = 0;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_NGRAM_INDEX_H
