//===-- runtime/lib/session_generate.cpp - generation -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements sampling steps and the generation loops.
//===----------------------------------------------------------------------===//
#include "speculative_run.h"

#include <algorithm>

namespace rlx {

Expected<int32_t> Session::Impl::sampleNext(Span<const float> logits, Span<const int32_t> history) {
  return sampler.sample(logits, history, history.size(), sampling);
}

uint64_t Session::Impl::logitsSampled() const {
  if (sampling.repetitionPenalty != 1)
    return 0;
  return sampling.temperature == 0 ? 1 : sampling.topK;
}

Status Session::Impl::checkDecode() const {
  if (!hasLogits)
    return missingLogits();
  if (Status status = checkRoom(tokens.size(), 1); !status.ok())
    return status;
  return dispatcher.plan({1, tokens.size(), 1, /*allRows=*/false, RLX_ROLE_DECODE}).status();
}

Expected<std::optional<double>> Session::Impl::appendDecoded(int32_t id, Screening mode) {
  uint64_t top = mode == Screening::Off ? 0 : logitsSampled();
  if (top && !screening.choose() && mode == Screening::Auto)
    top = 0;
  if (Status status = append({&id, 1}, RLX_ROLE_DECODE, top); !status.ok())
    return status;
  if (top == 0)
    return std::optional<double>();
  double kept = keptPart(logitsRow());
  screening.observe(kept);
  return std::optional<double>(kept);
}

Expected<int32_t> Session::sample() {
  return impl->exclusive([&]() -> Expected<int32_t> {
    if (!impl->hasLogits)
      return impl->missingLogits();
    if (Status status = impl->completeRow(impl->logitsSampled()); !status.ok())
      return status;
    return impl->sampleNext(impl->logitsRow(), impl->tokens);
  });
}

Expected<int32_t> Session::step() {
  return impl->exclusive([&]() -> Expected<int32_t> {
    if (Status status = impl->checkDecode(); !status.ok())
      return status;
    if (Status status = impl->completeRow(impl->logitsSampled()); !status.ok())
      return status;
    Expected<int32_t> token = impl->sampleNext(impl->logitsRow(), impl->tokens);
    if (!token)
      return token.status();
    if (Status status = impl->append({&*token, 1}, RLX_ROLE_DECODE); !status.ok())
      return status;
    return *token;
  });
}

Expected<std::vector<int32_t>> Session::Impl::stopIds(const GenerateOptions &options) const {
  std::vector<int32_t> ids = options.stopIds;
  if (!ids.empty())
    if (Status status = checkIds(ids, "stop ids"); !status.ok())
      return status;
  if (!options.replay.empty()) {
    if (Status status = checkIds(options.replay, "tokens to replay"); !status.ok())
      return status;
    return std::vector<int32_t>();
  }
  if (!options.ignoreEos)
    ids.insert(ids.end(), model.eosIds().begin(), model.eosIds().end());
  return ids;
}

Expected<GenerateResult> Session::Impl::generate(const TokenSource &source,
                                                 const GenerateOptions &generateOptions,
                                                 const TokenCallback &callback) {
  Expected<std::vector<int32_t>> stops = stopIds(generateOptions);
  if (!stops)
    return stops.status();
  const std::vector<int32_t> &replay = generateOptions.replay;
  const uint64_t limit = replay.empty()
                             ? generateOptions.maxTokens
                             : std::min<uint64_t>(generateOptions.maxTokens, replay.size());

  GenerateResult result;
  while (result.tokens.size() < limit) {
    bool isFull = source.tokens.size() >= plan.context;
    if (isFull && options.overflow == OverflowPolicy::Stop) {
      result.reason = StopReason::ContextFull;
      return result;
    }
    if (Status status = checkRoom(source.tokens.size(), 1); !status.ok())
      return status;
    Expected<Span<const float>> logits = source.next();
    if (!logits)
      return logits.status();
    Expected<int32_t> token = sampleNext(*logits, source.tokens);
    if (!token)
      return token.status();
    if (!replay.empty())
      token = replay[result.tokens.size()];
    if (std::find(stops->begin(), stops->end(), *token) != stops->end()) {
      result.reason = StopReason::StopId;
      result.stopId = *token;
      return result;
    }
    // Before the step, so that a reader sees the token as early as possible.
    bool goOn = !callback || callback(*token);
    const uint64_t after = goOn ? limit - result.tokens.size() - 1 : 0;
    const bool leaves = generateOptions.leaveLast;
    if (after || !leaves)
      if (Status status = source.append(*token, after - leaves); !status.ok())
        return status;
    result.tokens.push_back(*token);
    if (!goOn) {
      result.reason = StopReason::Callback;
      return result;
    }
  }
  return result;
}

Expected<GenerateResult> Session::generate(const GenerateOptions &options,
                                           const TokenCallback &callback) {
  return impl->exclusive([&]() -> Expected<GenerateResult> {
    if (!impl->hasLogits)
      return impl->missingLogits();
    Impl::SpeculativeRun run(*impl, options);
    if (Status status = run.start(); !status.ok())
      return status;
    auto next = [&]() -> Expected<Span<const float>> {
      if (Status status = impl->checkDecode(); !status.ok())
        return status;
      if (Status status = impl->completeRow(impl->logitsSampled()); !status.ok())
        return status;
      return impl->logitsRow();
    };
    auto append = [&](int32_t token, uint64_t more) { return run.append(token, more); };
    Expected<GenerateResult> result =
        impl->generate({impl->tokens, next, append}, options, callback);
    if (result) {
      result->speculation = run.stats();
      result->screening = run.screening();
    }
    return result;
  });
}

Expected<GenerateResult> Session::generateNaive(Span<const int32_t> prompt,
                                                const GenerateOptions &options,
                                                const TokenCallback &callback) {
  return impl->exclusive([&]() -> Expected<GenerateResult> {
    if (Status status = impl->checkIds(prompt, "prompt"); !status.ok())
      return status;
    if (Status status = impl->checkRoom(0, prompt.size()); !status.ok())
      return status;
    uint64_t room = impl->plan.context - prompt.size();
    Expected<KVCache> scratch =
        impl->scratchCache(prompt.size() + std::min(room, options.maxTokens));
    if (!scratch)
      return scratch.status();
    Expected<OutputRows> row = OutputRows::create(impl->model.table(), 1, impl->options.guardPages);
    if (!row)
      return row.status();

    std::vector<int32_t> sequence = prompt.vec();
    auto next = [&]() -> Expected<Span<const float>> {
      Status status = impl->runLast(sequence, 0, RLX_ROLE_PREFILL, *scratch, *row);
      if (!status.ok())
        return status;
      return Span<const float>(row->logits(1), impl->model.vocabSize());
    };
    auto append = [&](int32_t token, uint64_t) {
      sequence.push_back(token);
      return Status();
    };
    return impl->generate({sequence, next, append}, options, callback);
  });
}

} // namespace rlx
