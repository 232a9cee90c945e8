//===-- runtime/lib/draft_policy.cpp - how many tokens to draft -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the estimates and the choice.
//===----------------------------------------------------------------------===//
#include "draft_policy.h"

#include <algorithm>

namespace rlx {

// Longer matches are right more often; the figures count until text was seen.
constexpr std::array<double, 7> priorRates = {0.3, 0.45, 0.55, 0.65, 0.75, 0.85, 0.9};
constexpr double modelPrior = 0.7;
constexpr double observationWeight = 0.1;

DraftAcceptance::DraftAcceptance(bool flat) : flat(flat), rates(priorRates) {
  if (flat)
    rates.fill(modelPrior);
}

size_t DraftAcceptance::group(uint64_t matchLength) const {
  if (flat || matchLength <= 2)
    return 0;
  if (matchLength <= 5)
    return matchLength - 2;
  return matchLength <= 8 ? 4 : matchLength <= 16 ? 5 : 6;
}

void DraftAcceptance::observe(uint64_t matchLength, bool right) {
  double &rate = rates[group(matchLength)];
  rate += ((right ? 1.0 : 0.0) - rate) * observationWeight;
}

double DraftAcceptance::expectedTokens(uint64_t matchLength, uint64_t drafts) const {
  double sum = 1, reached = 1;
  for (uint64_t i = 0; i < drafts; ++i) {
    reached *= rate(matchLength + i);
    sum += reached;
  }
  return sum;
}

// What is above this many estimates is something else that ran meanwhile.
constexpr double outlier = 2.0;

void StepCosts::record(uint64_t tokens, double seconds) {
  Estimate &estimate = steps[tokens - 1];
  if (estimate.count == 0)
    estimate.seconds = seconds;
  else if (estimate.count == 1) // the first one found cold code and memory
    estimate.seconds = std::min(estimate.seconds, seconds);
  else
    estimate.seconds += (std::min(seconds, outlier * estimate.seconds) - estimate.seconds) * 0.125;
  ++estimate.count;
}

double StepCosts::ratio(uint64_t tokens) const {
  if (tokens == 1)
    return 1;
  // Linear in the tokens, through the nearest size that was measured.
  uint64_t nearest = 0;
  auto distance = [&](uint64_t size) { return size < tokens ? tokens - size : size - tokens; };
  for (uint64_t size = 2; size <= steps.size(); ++size)
    if (steps[size - 1].count && (!nearest || distance(size) <= distance(nearest)))
      nearest = size;
  double perToken = slope;
  if (nearest) {
    double above = steps[nearest - 1].seconds / steps[0].seconds - 1;
    perToken = std::max(above, 0.0) / static_cast<double>(nearest - 1);
  }
  return 1 + perToken * static_cast<double>(tokens - 1);
}

double StepCosts::inPlainSteps(uint64_t tokens, double seconds) const {
  double usual = steps[tokens - 1].seconds;
  return std::min(seconds, outlier * usual) / steps[0].seconds;
}

DraftPolicy::DraftPolicy(bool isModel)
    : isModel(isModel), acceptance(isModel), costs(isModel ? 0.4 : 0.1) {}

// What must be expected at least, so that errors of estimation do not decide.
constexpr double minGain = 1.03;

uint64_t DraftPolicy::choose(uint64_t matchLength, uint64_t limit) const {
  if (!costs.known())
    return 0;
  uint64_t best = 0, fallback = 0;
  double bestGain = minGain;
  for (uint64_t drafts = 1; drafts <= limit; ++drafts) {
    double cost = costs.ratio(drafts + 1);
    double tokens = acceptance.expectedTokens(matchLength, drafts);
    if (cost - 1 > account)
      break;
    // Estimates age while nothing is drafted: a full account buys a new look
    // where drafts may be right, or where nobody knows.
    if (account >= maxBalance && (isModel || tokens >= 1 + 0.5 * static_cast<double>(drafts)))
      fallback = std::min<uint64_t>(drafts, 3);
    if (tokens / cost > bestGain) {
      bestGain = tokens / cost;
      best = drafts;
    }
  }
  return best ? best : fallback;
}

void DraftPolicy::recordStep(uint64_t tokens, uint64_t kept, double seconds) {
  costs.record(tokens, seconds);
  if (!costs.known())
    return;
  account +=
      tokens == 1 ? allowance : static_cast<double>(kept) - costs.inPlainSteps(tokens, seconds);
  account = std::min(account, maxBalance);
}

} // namespace rlx
