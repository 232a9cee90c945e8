//===-- runtime/lib/speculative_run.cpp - generation with drafts -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements drafting, steps over drafts, and their acceptance.
//===----------------------------------------------------------------------===//
#include "speculative_run.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace rlx {

static Status invalid(const std::string &message) {
  return Status(ErrorCode::InvalidArgument, "speculation: " + message);
}

static Status checkScreening(const GenerateOptions &options, bool possible) {
  if (options.screening < Screening::Auto || options.screening > Screening::On)
    return Status(ErrorCode::InvalidArgument, "screening: unknown mode");
  if (options.screening == Screening::On && !possible)
    return Status(ErrorCode::InvalidArgument,
                  "screening: the model has no coarse copy of its head; compile it with "
                  "--screen-head");
  return Status();
}

static Status checkOptions(const Model &model, const GenerateOptions &options, bool isItself) {
  if (options.speculation < Speculation::Auto || options.speculation > Speculation::Draft)
    return invalid("unknown source of drafts");
  if (options.speculation == Speculation::Draft && !options.draft)
    return invalid("expected a session of a draft model");
  if (options.draftMax > maxDrafts)
    return invalid("expected at most " + std::to_string(maxDrafts) + " drafts of a step but got " +
                   std::to_string(options.draftMax));
  if (!options.draft)
    return Status();
  if (options.speculation == Speculation::Off || options.speculation == Speculation::Ngram)
    return invalid("a draft model is given but would not be used");
  if (isItself)
    return invalid("expected another session as the draft model");
  uint64_t expected = model.vocabSize(), actual = options.draft->model().vocabSize();
  if (actual != expected)
    return invalid("expected a draft model with a vocabulary of " + std::to_string(expected) +
                   " ids but got " + std::to_string(actual));
  return Status();
}

Session::Impl::SpeculativeRun::~SpeculativeRun() {
  settle();
  if (!session.draftLogits)
    return;
  std::memcpy(session.lastRow.logits(1), session.draftLogits,
              session.model.vocabSize() * sizeof(float));
  std::memcpy(session.lastRow.hidden(1), session.draftHidden,
              session.model.hiddenSize() * sizeof(float));
  session.draftLogits = session.draftHidden = nullptr;
}

Status Session::Impl::SpeculativeRun::start() {
  bool isItself = options.draft && options.draft->impl.get() == &session;
  if (Status status = checkOptions(session.model, options, isItself); !status.ok())
    return status;
  if (Status status = checkScreening(options, session.screening.possible()); !status.ok())
    return status;
  if (usesNgrams())
    session.ngrams.sync(session.tokens);
  // Now, so that the prompt does not count as the price of the first drafts.
  return usesModel() ? syncModel({}) : Status();
}

void Session::Impl::SpeculativeRun::observe(int32_t token) {
  if (usesNgrams()) {
    if (uint64_t length = session.ngrams.matchLength())
      policy().observe(length, session.ngrams.predicted() == token);
    session.ngrams.push(token);
  } else if (kept < step.size()) {
    policy().observe(0, step[kept] == token);
  }
}

void Session::Impl::SpeculativeRun::showRow(uint64_t row) {
  const OutputRows &rows = *session.allRows;
  session.draftLogits = rows.logits(step.size()) + row * session.model.vocabSize();
  session.draftHidden = rows.hidden(step.size()) + row * session.model.hiddenSize();
}

void Session::Impl::SpeculativeRun::settle() {
  if (!step.empty())
    policy().recordStep(step.size(), kept, seconds);
  step.clear();
  kept = 0;
}

Status Session::Impl::SpeculativeRun::append(int32_t token, uint64_t more) {
  observe(token);
  if (kept < step.size() && step[kept] == token) {
    session.tokens.push_back(token);
    showRow(kept++);
    ++counts.accepted;
    return Status();
  }
  settle();
  auto begin = std::chrono::steady_clock::now();
  std::vector<int32_t> ids = {token};
  if (uint64_t count = draftCount(session.tokens.size(), more))
    if (Status status = draft(ids, count); !status.ok())
      return status;
  if (Status status = runStep(std::move(ids)); !status.ok())
    return status;
  seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return Status();
}

uint64_t Session::Impl::SpeculativeRun::draftCount(uint64_t past, uint64_t more) {
  if (options.speculation == Speculation::Off)
    return 0;
  uint64_t match = usesNgrams() ? session.ngrams.matchLength() : 0;
  if (usesNgrams() && match == 0)
    return 0;
  uint64_t room = session.plan.context - past - 1;
  // A ring keeps what a step at `past` sees while one chunk is written.
  uint64_t limit = std::min<uint64_t>({options.draftMax, more, room, session.plan.chunk - 1});
  if (usesModel()) {
    uint64_t context = options.draft->maxContext();
    limit = std::min(limit, context > past ? context - past : 0);
  }
  while (limit && !session.dispatcher.pick(limit + 1, past, limit + 1, RLX_ROLE_PREFILL))
    --limit;
  return options.speculation == Speculation::Auto ? policy().choose(match, limit) : limit;
}

Status Session::Impl::SpeculativeRun::draft(std::vector<int32_t> &ids, uint64_t count) {
  if (usesModel())
    return draftByModel(ids, count);
  std::vector<int32_t> drafts = session.ngrams.predict(count);
  ids.insert(ids.end(), drafts.begin(), drafts.end());
  return Status();
}

static Status ofModel(const Status &status) {
  return status.ok() ? status : Status(status.code(), "draft model: " + status.message());
}

Status Session::Impl::SpeculativeRun::syncModel(Span<const int32_t> token) {
  Session &model = *options.draft;
  std::vector<int32_t> text = session.tokens;
  text.insert(text.end(), token.begin(), token.end());
  if (text.size() > model.maxContext())
    return Status();
  // At least the last token is computed anew: drafts need the logits behind it.
  uint64_t shared = std::min<uint64_t>(model.pastLen(), text.size() - 1);
  uint64_t common =
      std::mismatch(text.begin(), text.begin() + shared, model.tokens().begin()).first -
      text.begin();
  if (Status status = model.rewind(common); !status.ok())
    return ofModel(status);
  return ofModel(model.prefill({text.data() + common, text.size() - common}));
}

Status Session::Impl::SpeculativeRun::draftByModel(std::vector<int32_t> &ids, uint64_t count) {
  Session &model = *options.draft;
  if (Status status = syncModel(ids); !status.ok())
    return status;
  // The same random number at the same position: where the models agree about
  // the probabilities, they draw the same token.
  if (Status status = model.setSampling(session.sampling); !status.ok())
    return ofModel(status);
  for (uint64_t i = 0; i < count; ++i) {
    Expected<int32_t> next = model.sample();
    if (!next)
      return ofModel(next.status());
    ids.push_back(*next);
    if (i + 1 == count)
      break;
    Status status = model.impl->exclusive(
        [&] { return model.impl->appendDecoded(*next, Screening::Auto).status(); });
    if (!status.ok())
      return ofModel(status);
  }
  return Status();
}

Status Session::Impl::SpeculativeRun::runPlain(int32_t id) {
  Expected<std::optional<double>> kept = session.appendDecoded(id, options.screening);
  if (!kept)
    return kept.status();
  if (*kept) {
    ++screened.steps;
    screened.kept += **kept;
  }
  return Status();
}

Status Session::Impl::SpeculativeRun::runStep(std::vector<int32_t> ids) {
  uint64_t past = session.tokens.size(), count = ids.size();
  const rlx_variant_t *variant = nullptr;
  if (count > 1) {
    if (Status status = session.rowBuffer().status(); !status.ok())
      return status;
    variant = session.dispatcher.pick(count, past, count, RLX_ROLE_PREFILL);
    session.tokens.reserve(past + count); // nothing may fail after the run
    session.runner.run({variant, ids, past, 0, count}, session.cache, *session.allRows);
    session.tokens.push_back(ids.front());
    session.rowTop = 0;
  } else if (Status status = runPlain(ids.front()); !status.ok()) {
    return status;
  }
  step = std::move(ids);
  kept = 1;
  ++counts.steps;
  counts.drafted += count - 1;
  if (count > 1)
    showRow(0);
  else
    session.draftLogits = session.draftHidden = nullptr;
  return Status();
}

} // namespace rlx
