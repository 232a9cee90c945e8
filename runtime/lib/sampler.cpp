//===-- runtime/lib/sampler.cpp - from logits to a token -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the sampler. Candidates are in the order of their ids or sorted by
// logit, then id, whenever a sum over them is made, so that no result depends on
// how the standard library sorts.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/sampler.h"

#include "memory.h"
#include "random.h"

#include <algorithm>
#include <cmath>

namespace rlx {

static Status outOfRange(const char *name, const char *expected, float value) {
  return Status(ErrorCode::InvalidArgument, std::string("sampling option ") + name + ": expected " +
                                                expected + " but got " + std::to_string(value));
}

Status SamplingOptions::validate() const {
  if (!std::isfinite(temperature) || temperature < 0)
    return outOfRange("temperature", "a number >= 0", temperature);
  if (!(topP > 0 && topP <= 1))
    return outOfRange("top-p", "a number above 0 and at most 1", topP);
  if (!(minP >= 0 && minP <= 1))
    return outOfRange("min-p", "a number from 0 to 1", minP);
  if (!std::isfinite(repetitionPenalty) || repetitionPenalty <= 0)
    return outOfRange("repetition penalty", "a number above 0", repetitionPenalty);
  return Status();
}

bool Sampler::moreProbable(const Candidate &a, const Candidate &b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

Status Sampler::checkLogits(Span<const float> logits) const {
  bool any = false;
  for (size_t id = 0; id < logits.size(); ++id) {
    float logit = logits[id];
    if (std::isnan(logit) || logit == INFINITY)
      return Status(ErrorCode::BadLogits, std::string("expected finite logits but token ") +
                                              std::to_string(id) + " has " +
                                              (std::isnan(logit) ? "NaN" : "+inf") +
                                              "; the weights or an earlier step are broken");
    any |= logit != -INFINITY;
  }
  if (!any)
    return Status(ErrorCode::BadLogits, "expected a possible token but all logits are -inf");
  return Status();
}

/// The lowest id with the highest logit.
static int32_t argmax(Span<const float> logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void Sampler::penalise(Span<const int32_t> history, const SamplingOptions &options) {
  size_t window = history.size();
  if (options.repetitionWindow != 0)
    window = std::min<uint64_t>(window, options.repetitionWindow);
  seen.assign(candidates.size(), false);
  for (int32_t id : history.slice(history.size() - window, window)) {
    if (id < 0 || static_cast<size_t>(id) >= candidates.size() || seen[id])
      continue;
    seen[id] = true;
    float &logit = candidates[id].logit;
    // Kept within the finite range: a tiny penalty must not look like +inf.
    float scaled =
        logit > 0 ? logit / options.repetitionPenalty : logit * options.repetitionPenalty;
    logit = logit == -INFINITY ? logit : std::clamp(scaled, -3.4e38f, 3.4e38f);
  }
}

void Sampler::sortFirst(size_t count) {
  if (count < candidates.size())
    std::nth_element(candidates.begin(), candidates.begin() + count, candidates.end(),
                     moreProbable);
  std::sort(candidates.begin(), candidates.begin() + count, moreProbable);
}

void Sampler::keepTopK(uint32_t k) {
  if (k == 0 || k >= candidates.size())
    return;
  sortFirst(k);
  candidates.resize(k);
}

void Sampler::weigh(float temperature) {
  double highest = std::min_element(candidates.begin(), candidates.end(), moreProbable)->logit;
  for (Candidate &candidate : candidates)
    candidate.weight = candidate.logit == -INFINITY
                           ? 0.0
                           : portableExp((double(candidate.logit) - highest) / temperature);
}

void Sampler::keepTopP(float p) {
  if (p >= 1)
    return;
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  // Few candidates suffice as a rule, so that sorting all would be wasted.
  for (size_t sorted = 256;; sorted *= 8) {
    size_t count = std::min(sorted, candidates.size());
    sortFirst(count);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
      sum += candidates[i].weight;
      if (sum >= p * total)
        return candidates.resize(i + 1);
    }
    if (count == candidates.size())
      return;
  }
}

void Sampler::keepMinP(float p) {
  // The most probable candidate has weight 1.
  auto improbable = [p](const Candidate &candidate) { return candidate.weight < p; };
  candidates.erase(std::remove_if(candidates.begin(), candidates.end(), improbable),
                   candidates.end());
}

int32_t Sampler::draw(uint64_t seed, uint64_t position) const {
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  double target = uniformAt(seed, position) * total;
  double sum = 0;
  for (const Candidate &candidate : candidates) {
    sum += candidate.weight;
    if (target < sum)
      return candidate.id;
  }
  // Rounding left the target at the total: the last token that can occur.
  for (size_t i = candidates.size(); i-- > 1;)
    if (candidates[i].weight > 0)
      return candidates[i].id;
  return candidates.front().id;
}

Expected<int32_t> Sampler::sample(Span<const float> logits, Span<const int32_t> history,
                                  uint64_t position, const SamplingOptions &options) {
  return guarded([&]() -> Expected<int32_t> {
    if (Status status = options.validate(); !status.ok())
      return status;
    if (logits.empty())
      return Status(ErrorCode::InvalidArgument, "expected logits of at least one token");
    if (Status status = checkLogits(logits); !status.ok())
      return status;
    bool greedy = options.temperature == 0;
    if (greedy && options.repetitionPenalty == 1)
      return argmax(logits);

    candidates.resize(logits.size());
    for (size_t id = 0; id < logits.size(); ++id)
      candidates[id] = {logits[id], static_cast<int32_t>(id), 0.0};
    if (options.repetitionPenalty != 1)
      penalise(history, options);
    if (greedy)
      return std::min_element(candidates.begin(), candidates.end(), moreProbable)->id;

    keepTopK(options.topK);
    weigh(options.temperature);
    keepTopP(options.topP);
    keepMinP(options.minP);
    return draw(options.seed, position);
  });
}

} // namespace rlx
