//===-- runtime/lib/draft_policy.h - how many tokens to draft -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Decides how many tokens to draft, from how often drafts were right and what
// steps of several tokens cost.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_DRAFT_POLICY_H
#define RLX_RUNTIME_LIB_DRAFT_POLICY_H

#include "rlx/runtime/abi.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace rlx {

/// Drafts of a step at most: as many as give the bits of plain steps, with the token before them.
constexpr uint64_t maxDrafts = RLX_EXACT_TOKENS - 1;

/// How often drafts turn out right, by the length of the match behind them.
class DraftAcceptance {
public:
  /// With `flat`, one rate for all lengths: a draft model has none.
  explicit DraftAcceptance(bool flat);
  void observe(uint64_t matchLength, bool right);
  double rate(uint64_t matchLength) const { return rates[group(matchLength)]; }
  /// The tokens that a step with `drafts` drafts behind such a match appends on
  /// average.
  double expectedTokens(uint64_t matchLength, uint64_t drafts) const;

private:
  size_t group(uint64_t matchLength) const;
  bool flat;
  std::array<double, 7> rates;
};

/// Running estimates of what a step of each size costs.
class StepCosts {
public:
  /// `slope`: what a further token is taken to cost, in plain steps, before it
  /// has been measured.
  explicit StepCosts(double slope) : slope(slope) {}
  void record(uint64_t tokens, double seconds);
  /// Whether a step of one token has been measured.
  bool known() const { return steps[0].count != 0; }
  /// Cost of a step of `tokens` tokens in plain steps.
  double ratio(uint64_t tokens) const;
  /// `seconds` in plain steps, an outlier cut down.
  double inPlainSteps(uint64_t tokens, double seconds) const;

private:
  struct Estimate {
    double seconds = 0;
    uint64_t count = 0;
  };
  double slope;
  std::array<Estimate, maxDrafts + 1> steps; ///< of 1, 2, … tokens
};

/// Weighs expected gain against cost. An account of gains and losses bounds what
/// wrong drafts can cost: plain steps pay a small allowance in, and no drafts are
/// made that it could not pay for.
class DraftPolicy {
public:
  /// Part of a plain step that may be lost for each token, in the long run.
  static constexpr double allowance = 0.01;
  /// Plain steps that the account starts with, and holds at most.
  static constexpr double startBalance = 1.0, maxBalance = 2.0;

  /// `isModel`: drafts come from a model, so that their quality is seen only
  /// when they are made; else it is seen always, at no cost.
  explicit DraftPolicy(bool isModel);

  /// How many of at most `limit` drafts pay, behind a match of so many tokens.
  uint64_t choose(uint64_t matchLength, uint64_t limit) const;
  void observe(uint64_t matchLength, bool right) { acceptance.observe(matchLength, right); }
  /// A step of `tokens` tokens, drafting included, of which `kept` were right,
  /// the first included.
  void recordStep(uint64_t tokens, uint64_t kept, double seconds);
  double balance() const { return account; }

private:
  bool isModel;
  DraftAcceptance acceptance;
  StepCosts costs;
  double account = startBalance;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_DRAFT_POLICY_H
