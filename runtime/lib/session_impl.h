//===-- runtime/lib/session_impl.h - what a session holds -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The state behind Session and the steps its calls are made of.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_SESSION_IMPL_H
#define RLX_RUNTIME_LIB_SESSION_IMPL_H

#include "draft_policy.h"
#include "model_impl.h"
#include "ngram_index.h"
#include "screen_policy.h"
#include "step_runner.h"

#include "rlx/runtime/session.h"

#include <optional>

namespace rlx {

/// SessionOptions with every default replaced by what it stands for.
struct SessionPlan {
  uint64_t context;
  uint64_t chunk;
  uint32_t threads;
  MemoryUse memory;
};
Expected<SessionPlan> planSession(const Model &model, const SessionOptions &options);

struct Session::Impl {
  Impl(const Model &model, const SessionOptions &options, const SessionPlan &plan)
      : model(model), options(options), plan(plan), dispatcher(model.variants()) {}

  Model model;
  SessionOptions options;
  SessionPlan plan;
  Dispatcher dispatcher;
  StepRunner runner;
  KVCache cache;
  OutputRows lastRow;
  std::optional<OutputRows> allRows; // made by the first call that needs it
  Sampler sampler;
  SamplingOptions sampling;

  std::vector<int32_t> tokens;
  bool hasLogits = false;
  uint64_t rowTop = 0; ///< the row's greatest logits that are right, others may be -inf; 0: all
  bool busy = false;   // inside a call, so a callback must not start another

  // The current row while it lies among those of a step with drafts, else null.
  const float *draftLogits = nullptr, *draftHidden = nullptr;
  ScreenPolicy screening;
  NgramIndex ngrams;
  DraftPolicy ngramPolicy{/*isModel=*/false}, modelPolicy{/*isModel=*/true};

  /// Runs a public call that steps or changes state: refuses it inside another
  /// one, and turns exceptions into errors.
  template <typename Body> auto exclusive(Body body) -> decltype(body()) {
    if (busy)
      return Status(ErrorCode::InvalidState,
                    "the session is in another call; a callback may only read it or set sampling "
                    "options");
    struct Scope {
      bool &flag;
      explicit Scope(bool &flag) : flag(flag) { flag = true; }
      ~Scope() { flag = false; }
    } scope(busy);
    return guarded(body);
  }

  Status checkIds(Span<const int32_t> ids, const char *what) const;
  /// Whether `count` more tokens fit behind `past`.
  Status checkRoom(uint64_t past, uint64_t count) const;
  Status missingLogits() const;
  /// The greatest logits that sampling looks at; 0: all.
  uint64_t logitsSampled() const;
  /// Computes the current row again if it lacks logits that are needed: the `top` greatest, or
  /// all with 0.
  Status completeRow(uint64_t top);
  KVShape shape(uint64_t context) const { return {model.kvSlots(), context, plan.chunk}; }
  Expected<KVCache> scratchCache(uint64_t context) const;
  Expected<OutputRows *> rowBuffer();
  Span<const float> logitsRow() const {
    return {draftLogits ? draftLogits : lastRow.logits(1), model.vocabSize()};
  }
  Span<const float> hiddenRow() const {
    return {draftHidden ? draftHidden : lastRow.hidden(1), model.hiddenSize()};
  }

  /// Plans and runs ids at `past`; writes the last position's row, of which the `top` greatest
  /// logits are needed, or all with 0.
  Status runLast(Span<const int32_t> ids, uint64_t past, rlx_role_t role, KVCache &into,
                 const OutputRows &row, uint64_t top = 0);
  /// Plans and runs ids at `past`, delivering every row. If `last` is given, the
  /// last row is copied there; else the run ends when the callback says so.
  Status runAll(Span<const int32_t> ids, uint64_t past, KVCache &into,
                const LogitsCallback &callback, const OutputRows *last);
  void copyRow(const OutputRows &from, uint64_t rows, uint64_t row, const OutputRows &to) const;

  /// Checks and runs ids behind the session's tokens, then appends them.
  Status append(Span<const int32_t> ids, rlx_role_t role, uint64_t top = 0);
  /// A decode step of one token, which computes the logits that can be sampled behind it. The part
  /// of the head that had to be computed if it was screened.
  Expected<std::optional<double>> appendDecoded(int32_t id, Screening mode);
  Expected<int32_t> sampleNext(Span<const float> logits, Span<const int32_t> history);
  /// Whether one token can be appended now.
  Status checkDecode() const;
  Status rewind(uint64_t position);

  /// What generate and generateNaive differ in.
  struct TokenSource {
    const std::vector<int32_t> &tokens;
    /// The logits for the next position, and proof that a token fits there.
    std::function<Expected<Span<const float>>()> next;
    /// Appends a token, behind which at most `more` will follow.
    std::function<Status(int32_t token, uint64_t more)> append;
  };
  /// The tokens that stop, checked.
  Expected<std::vector<int32_t>> stopIds(const GenerateOptions &options) const;
  Expected<GenerateResult> generate(const TokenSource &source, const GenerateOptions &options,
                                    const TokenCallback &callback);
  class SpeculativeRun;
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_SESSION_IMPL_H
