//===-- rlx/runtime/sampler.h - from logits to a token ----------*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Chooses the next token from one row of logits. Reproducible everywhere: the
// random number depends only on the seed and the token's absolute position, and
// all arithmetic is portable, so equal logits and options give equal tokens,
// however the steps were cut, rewound or speculated.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_SAMPLER_H
#define RLX_RUNTIME_SAMPLER_H

#include "rlx/runtime/span.h"
#include "rlx/runtime/status.h"

#include <cstdint>
#include <vector>

namespace rlx {

/// How to choose a token. Applied in this order: repetition penalty,
/// temperature, top-k, top-p, min-p, draw.
struct SamplingOptions {
  /// Divides the logits; 0 is greedy (the highest logit; no randomness). >= 0.
  float temperature = 0.0f;
  /// Keep the k most probable tokens; 0 keeps all.
  uint32_t topK = 0;
  /// Keep the smallest set of most probable tokens whose probabilities (after
  /// top-k) sum to at least p; in (0, 1], 1 keeps all.
  float topP = 1.0f;
  /// Drop tokens less probable than p times the most probable; in [0, 1].
  float minP = 0.0f;
  /// Divides positive and multiplies negative logits of tokens seen before;
  /// > 0, 1 is off.
  float repetitionPenalty = 1.0f;
  /// How many of the latest tokens count as seen; 0 is all of them.
  uint64_t repetitionWindow = 0;
  uint64_t seed = 0;

  /// An error that names the first field out of range.
  Status validate() const;
};

/// Holds scratch memory only: no state passes from one call to the next.
class Sampler {
public:
  /// Chooses a token for absolute position `position` from `logits`
  /// [vocabulary]; `history` holds the tokens before it. Among equal logits the
  /// lowest id counts as the more probable. -inf excludes a token; NaN, +inf
  /// and a row of only -inf are BadLogits errors.
  Expected<int32_t> sample(Span<const float> logits, Span<const int32_t> history, uint64_t position,
                           const SamplingOptions &options);

private:
  struct Candidate {
    float logit;
    int32_t id;
    double weight;
  };
  static bool moreProbable(const Candidate &a, const Candidate &b);
  Status checkLogits(Span<const float> logits) const;
  void penalise(Span<const int32_t> history, const SamplingOptions &options);
  void sortFirst(size_t count);
  void keepTopK(uint32_t k);
  void weigh(float temperature);
  void keepTopP(float p);
  void keepMinP(float p);
  int32_t draw(uint64_t seed, uint64_t position) const;

  std::vector<Candidate> candidates;
  std::vector<bool> seen;
};

} // namespace rlx

#endif // RLX_RUNTIME_SAMPLER_H
