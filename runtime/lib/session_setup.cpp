//===-- runtime/lib/session_setup.cpp - creates a session -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Resolves a session's options, accounts its memory and allocates it.
//===----------------------------------------------------------------------===//
#include "session_impl.h"

#include <algorithm>

namespace rlx {

constexpr uint64_t defaultContext = 8192;
constexpr uint32_t threadLimit = 1024;

static Status invalid(const std::string &message) {
  return Status(ErrorCode::InvalidArgument, "session options: " + message);
}

/// Rows of output that a step with logits for all positions yields at most.
static uint64_t maxOutputRows(const Model &model, uint64_t chunk) {
  uint64_t rows = 1;
  for (const rlx_variant_t &variant : model.variants())
    rows = std::max(rows, std::min({variant.out_max, variant.seq_max, chunk}));
  return rows;
}

Expected<SessionPlan> planSession(const Model &model, const SessionOptions &options) {
  SessionPlan plan;
  if (options.maxContext > model.maxContext())
    return invalid("expected a context of at most " + std::to_string(model.maxContext()) +
                   " positions, for which the model was compiled, but got " +
                   std::to_string(options.maxContext));
  if (options.threads > threadLimit)
    return invalid("expected at most " + std::to_string(threadLimit) + " threads but got " +
                   std::to_string(options.threads));
  if (options.overflow != OverflowPolicy::Error && options.overflow != OverflowPolicy::Stop)
    return invalid("unknown overflow policy");
  plan.context =
      options.maxContext ? options.maxContext : std::min(model.maxContext(), defaultContext);
  plan.chunk = options.chunk ? std::min(options.chunk, model.maxChunk()) : model.maxChunk();
  plan.threads = options.threads ? options.threads : model.defaultThreads();
  plan.memory.weights = model.table().weights_bytes;
  plan.memory.kvCache = KVCache::bytes({model.kvSlots(), plan.context, plan.chunk});
  plan.memory.workspace =
      saturatingAdd(StepRunner::workspaceBytes(model.table()),
                    OutputRows::bytes(model.table(), 1 + maxOutputRows(model, plan.chunk)));
  return plan;
}

Expected<MemoryUse> Model::memoryUse(const SessionOptions &options) const {
  return guarded([&]() -> Expected<MemoryUse> {
    Expected<SessionPlan> plan = planSession(*this, options);
    if (!plan)
      return plan.status();
    return plan->memory;
  });
}

static Status checkMemory(const MemoryUse &use, uint64_t scratch, uint64_t limit) {
  uint64_t total =
      saturatingAdd(saturatingAdd(use.weights, use.kvCache), saturatingAdd(use.workspace, scratch));
  if (limit == 0 || total <= limit)
    return Status();
  std::string parts = std::to_string(use.weights) + " weights, " + std::to_string(use.kvCache) +
                      " KV cache, " + std::to_string(use.workspace) + " workspace";
  if (scratch)
    parts += ", " + std::to_string(scratch) + " scratch KV cache";
  return Status(ErrorCode::OutOfMemory, "expected to need at most " + std::to_string(limit) +
                                            " bytes but need " + std::to_string(total) + " (" +
                                            parts + "); use a smaller context or a higher limit");
}

Expected<Session> Session::create(const Model &model, const SessionOptions &options) {
  return guarded([&]() -> Expected<Session> {
    Expected<SessionPlan> plan = planSession(model, options);
    if (!plan)
      return plan.status();
    if (Status status = checkMemory(plan->memory, 0, options.maxMemory); !status.ok())
      return status;
    auto impl = std::make_unique<Impl>(model, options, *plan);
    if (Status status = impl->dispatcher.force(options.variant); !status.ok())
      return status;
    Expected<StepRunner> runner = StepRunner::create(model.table(), model.impl().weights.data(),
                                                     plan->threads, options.guardPages);
    if (!runner)
      return runner.status();
    impl->runner = std::move(*runner);
    Expected<KVCache> cache = KVCache::create(impl->shape(plan->context), options.guardPages);
    if (!cache)
      return cache.status();
    impl->cache = std::move(*cache);
    Expected<OutputRows> row = OutputRows::create(model.table(), 1, options.guardPages);
    if (!row)
      return row.status();
    impl->lastRow = std::move(*row);
    // Only decode screens, and all its variants do or none does.
    for (const rlx_variant_t &variant : model.variants())
      if (variant.role == RLX_ROLE_DECODE)
        impl->screening = ScreenPolicy(variant);
    return Session(std::move(impl));
  });
}

Expected<KVCache> Session::Impl::scratchCache(uint64_t context) const {
  if (Status status = checkMemory(plan.memory, KVCache::bytes(shape(context)), options.maxMemory);
      !status.ok())
    return status;
  return KVCache::create(shape(context), options.guardPages);
}

Expected<OutputRows *> Session::Impl::rowBuffer() {
  if (!allRows) {
    Expected<OutputRows> rows =
        OutputRows::create(model.table(), maxOutputRows(model, plan.chunk), options.guardPages);
    if (!rows)
      return rows.status();
    allRows = std::move(*rows);
  }
  return &*allRows;
}

} // namespace rlx
