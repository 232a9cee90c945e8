//===-- runtime/lib/session.cpp - one conversation with a model -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the calls that append, remove and read tokens.
//===----------------------------------------------------------------------===//
#include "session_impl.h"

#include <algorithm>
#include <cstring>

namespace rlx {

Session::Session(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Session::Session(Session &&) noexcept = default;
Session &Session::operator=(Session &&) noexcept = default;
Session::~Session() = default;

Status Session::Impl::checkIds(Span<const int32_t> ids, const char *what) const {
  if (ids.empty())
    return Status(ErrorCode::InvalidArgument,
                  std::string(what) + ": expected at least one token id");
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || static_cast<uint64_t>(ids[i]) >= model.vocabSize())
      return Status(ErrorCode::InvalidArgument,
                    std::string(what) + ": expected token ids from 0 to " +
                        std::to_string(model.vocabSize() - 1) + " but got " +
                        std::to_string(ids[i]) + " at index " + std::to_string(i));
  return Status();
}

Status Session::Impl::checkRoom(uint64_t past, uint64_t count) const {
  if (count <= plan.context - past)
    return Status();
  return Status(ErrorCode::ContextFull, "expected at most " + std::to_string(plan.context - past) +
                                            " more tokens in the context of " +
                                            std::to_string(plan.context) + " positions but got " +
                                            std::to_string(count));
}

Status Session::Impl::missingLogits() const {
  return Status(ErrorCode::InvalidState,
                tokens.empty() ? "the session is empty; prefill a prompt first"
                               : "there are no logits after a rewind; append a token first");
}

Status Session::Impl::runLast(Span<const int32_t> ids, uint64_t past, rlx_role_t role,
                              KVCache &into, const OutputRows &row, uint64_t top) {
  Expected<std::vector<PlannedStep>> steps =
      dispatcher.plan({ids.size(), past, plan.chunk, /*allRows=*/false, role});
  if (!steps)
    return steps.status();
  uint64_t done = 0;
  for (const PlannedStep &step : *steps) {
    bool isLast = done + step.seq == ids.size();
    runner.run({step.variant, ids.slice(done, step.seq), past + done, isLast ? step.seq - 1 : 0,
                isLast ? uint64_t(1) : 0, top},
               into, row);
    done += step.seq;
  }
  return Status();
}

void Session::Impl::copyRow(const OutputRows &from, uint64_t rows, uint64_t row,
                            const OutputRows &to) const {
  uint64_t vocab = model.vocabSize(), hidden = model.hiddenSize();
  std::memcpy(to.logits(1), from.logits(rows) + row * vocab, vocab * sizeof(float));
  std::memcpy(to.hidden(1), from.hidden(rows) + row * hidden, hidden * sizeof(float));
}

Status Session::Impl::runAll(Span<const int32_t> ids, uint64_t past, KVCache &into,
                             const LogitsCallback &callback, const OutputRows *last) {
  Expected<OutputRows *> rows = rowBuffer();
  if (!rows)
    return rows.status();
  Expected<std::vector<PlannedStep>> steps =
      dispatcher.plan({ids.size(), past, plan.chunk, /*allRows=*/true, RLX_ROLE_PREFILL});
  if (!steps)
    return steps.status();
  bool wanted = true;
  uint64_t done = 0;
  for (const PlannedStep &step : *steps) {
    runner.run({step.variant, ids.slice(done, step.seq), past + done, 0, step.seq}, into, **rows);
    const float *logits = (*rows)->logits(step.seq);
    for (uint64_t i = 0; wanted && i < step.seq; ++i)
      wanted = callback(done + i, {logits + i * model.vocabSize(), model.vocabSize()});
    done += step.seq;
    if (last && done == ids.size())
      copyRow(**rows, step.seq, step.seq - 1, *last);
    if (!last && !wanted)
      break;
  }
  return Status();
}

Status Session::Impl::append(Span<const int32_t> ids, rlx_role_t role, uint64_t top) {
  if (Status status = checkRoom(tokens.size(), ids.size()); !status.ok())
    return status;
  tokens.reserve(tokens.size() + ids.size()); // nothing may fail after the run
  if (Status status = runLast(ids, tokens.size(), role, cache, lastRow, top); !status.ok())
    return status;
  tokens.insert(tokens.end(), ids.begin(), ids.end());
  hasLogits = true;
  rowTop = top;
  return Status();
}

Status Session::Impl::completeRow(uint64_t top) {
  if (rowTop == 0 || (top != 0 && top <= rowTop))
    return Status();
  // Writes what the last position's cache rows hold already.
  Status status = runLast({&tokens.back(), 1}, tokens.size() - 1, RLX_ROLE_DECODE, cache, lastRow);
  if (status.ok())
    rowTop = 0;
  return status;
}

Status Session::prefill(Span<const int32_t> ids) {
  return impl->exclusive([&]() -> Status {
    if (Status status = impl->checkIds(ids, "prefill"); !status.ok())
      return status;
    return impl->append(ids, RLX_ROLE_PREFILL);
  });
}

Status Session::prefillAll(Span<const int32_t> ids, const LogitsCallback &callback) {
  return impl->exclusive([&]() -> Status {
    if (Status status = impl->checkIds(ids, "prefill"); !status.ok())
      return status;
    if (Status status = impl->checkRoom(pastLen(), ids.size()); !status.ok())
      return status;
    if (!callback)
      return Status(ErrorCode::InvalidArgument, "prefill: expected a callback for the logits");
    impl->tokens.reserve(impl->tokens.size() + ids.size());
    if (Status status = impl->runAll(ids, pastLen(), impl->cache, callback, &impl->lastRow);
        !status.ok())
      return status;
    impl->tokens.insert(impl->tokens.end(), ids.begin(), ids.end());
    impl->hasLogits = true;
    impl->rowTop = 0;
    return Status();
  });
}

Expected<Span<const float>> Session::stepForced(int32_t token) {
  return impl->exclusive([&]() -> Expected<Span<const float>> {
    if (impl->tokens.empty())
      return impl->missingLogits();
    if (Status status = impl->checkIds({&token, 1}, "forced token"); !status.ok())
      return status;
    if (Status status = impl->append({&token, 1}, RLX_ROLE_DECODE); !status.ok())
      return status;
    return impl->logitsRow();
  });
}

Status Session::forward(Span<const int32_t> ids, const LogitsCallback &callback) {
  return impl->exclusive([&]() -> Status {
    if (Status status = impl->checkIds(ids, "forward"); !status.ok())
      return status;
    if (Status status = impl->checkRoom(0, ids.size()); !status.ok())
      return status;
    if (!callback)
      return Status(ErrorCode::InvalidArgument, "forward: expected a callback for the logits");
    Expected<KVCache> scratch = impl->scratchCache(ids.size());
    if (!scratch)
      return scratch.status();
    return impl->runAll(ids, 0, *scratch, callback, nullptr);
  });
}

Expected<std::vector<float>> Session::forward(Span<const int32_t> ids) {
  return guarded([&]() -> Expected<std::vector<float>> {
    std::vector<float> matrix;
    Status status = forward(ids, [&](uint64_t, Span<const float> row) {
      matrix.insert(matrix.end(), row.begin(), row.end());
      return true;
    });
    if (!status.ok())
      return status;
    return matrix;
  });
}

Expected<Span<const float>> Session::logits() const {
  return guarded([&]() -> Expected<Span<const float>> {
    if (!impl->hasLogits)
      return impl->missingLogits();
    if (Status status = impl->completeRow(0); !status.ok())
      return status;
    return impl->logitsRow();
  });
}

Expected<Span<const float>> Session::hidden() const {
  if (!impl->hasLogits)
    return impl->missingLogits();
  return impl->hiddenRow();
}

Status Session::Impl::rewind(uint64_t position) {
  if (!cache.canContinueAt(position)) {
    Span<const int32_t> kept(tokens.data(), position);
    Expected<std::vector<PlannedStep>> steps =
        dispatcher.plan({position, 0, plan.chunk, /*allRows=*/false, RLX_ROLE_PREFILL});
    if (!steps)
      return steps.status();
    cache.discard();
    if (Status status = runLast(kept, 0, RLX_ROLE_PREFILL, cache, lastRow); !status.ok())
      return status;
  }
  tokens.resize(position);
  hasLogits = false;
  return Status();
}

Status Session::rewind(uint64_t position) {
  if (position == 0 && pastLen() != 0)
    return clear();
  return impl->exclusive([&]() -> Status {
    if (position > pastLen())
      return Status(ErrorCode::InvalidArgument,
                    "rewind: expected a position of at most " + std::to_string(pastLen()) +
                        ", the number of tokens, but got " + std::to_string(position));
    return position == pastLen() ? Status() : impl->rewind(position);
  });
}

Status Session::clear() {
  return impl->exclusive([&]() -> Status {
    impl->cache.discard();
    impl->tokens.clear();
    impl->hasLogits = false;
    return Status();
  });
}

Expected<KVRows> Session::kv(uint32_t layer, uint64_t position) const {
  return guarded([&]() -> Expected<KVRows> {
    auto invalid = [](const std::string &message) {
      return Status(ErrorCode::InvalidArgument, "kv: " + message);
    };
    uint32_t layers = impl->model.layerCount();
    if (layer >= layers)
      return invalid("expected a layer below " + std::to_string(layers) + " but got " +
                     std::to_string(layer));
    if (position >= pastLen())
      return invalid("expected a position below " + std::to_string(pastLen()) +
                     ", the number of tokens, but got " + std::to_string(position));
    uint32_t slot = impl->model.impl().slotOfLayer(layer);
    if (position < impl->cache.firstKept(slot))
      return invalid("layer " + std::to_string(layer) + " has a sliding window and keeps only " +
                     "positions from " + std::to_string(impl->cache.firstKept(slot)) +
                     " on but got " + std::to_string(position));
    return impl->cache.rows(slot, position);
  });
}

Status Session::setSampling(const SamplingOptions &options) {
  return guarded([&]() -> Status {
    if (Status status = options.validate(); !status.ok())
      return status;
    impl->sampling = options;
    return Status();
  });
}

Status Session::setVariant(const std::string &name) {
  return impl->exclusive([&] { return impl->dispatcher.force(name); });
}

void Session::setTrace(StepTrace *trace) { impl->runner.setTrace(trace); }

std::string Session::lastVariant() const {
  return impl->runner.last() ? impl->runner.last()->name : "";
}

uint64_t Session::pastLen() const { return impl->tokens.size(); }
const std::vector<int32_t> &Session::tokens() const { return impl->tokens; }
uint64_t Session::maxContext() const { return impl->plan.context; }
const SamplingOptions &Session::sampling() const { return impl->sampling; }
uint32_t Session::threads() const { return impl->runner.threads(); }
MemoryUse Session::memoryUse() const { return impl->plan.memory; }
const Model &Session::model() const { return impl->model; }
const std::string &Session::config() const { return impl->model.config(); }

} // namespace rlx
