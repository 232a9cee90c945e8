//===-- rlx/runtime/session.h - one conversation with a model ---*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Session: a token sequence, its KV cache and the calls that extend it.
//
// State of a session, and what each call does to it:
//
//   tokens()   the ids in the cache, in order
//   pastLen()  their number; always tokens().size()
//   logits()   one f32 row [vocab_size]: the model's prediction for position
//              pastLen(), present or absent
//
//   call            tokens()/pastLen()             logits() afterwards
//   --------------  -----------------------------  ----------------------------
//   prefill         appends the ids                of the last id
//   prefillAll      appends the ids                of the last id
//   step            appends one sampled id         after that id
//   stepForced      appends the given id           after that id
//   generate        appends up to maxTokens ids    after the last appended id
//   rewind(p)       keeps the first p ids          absent (kept if p == pastLen())
//   clear           removes all                    absent
//   generateNaive   unchanged                      unchanged
//   forward         unchanged                      unchanged
//   sample, kv, logits, hidden, setSampling: unchanged
//
// A call that fails leaves tokens() and logits() as they were, except for
// generate, which keeps the tokens appended before the failure; the session
// stays usable. All ids are checked before generated code runs.
//
// A session is used by one thread at a time; different sessions, also of one
// model, run concurrently. Steps need up to 512 KiB of the calling thread's stack.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_SESSION_H
#define RLX_RUNTIME_SESSION_H

#include "rlx/runtime/model.h"
#include "rlx/runtime/sampler.h"
#include "rlx/runtime/trace.h"

#include <functional>

namespace rlx {

/// What generate() does when the context is full.
enum class OverflowPolicy {
  Error, ///< fail with ContextFull
  Stop,  ///< return with StopReason::ContextFull
};

struct SessionOptions {
  /// The context: positions the session can hold. 0 is the smaller of
  /// Model::maxContext() and 8192; more than Model::maxContext() is an error.
  uint64_t maxContext = 0;
  OverflowPolicy overflow = OverflowPolicy::Error;
  /// Refuse to create the session (and scratch caches) when MemoryUse::total()
  /// would be above so many bytes; 0 is no limit.
  uint64_t maxMemory = 0;
  /// Threads; 0 is Model::defaultThreads(). Results do not depend on it.
  uint32_t threads = 0;
  /// Name of the only variant to use; empty picks the narrowest that fits each
  /// step. Calls that the variant cannot serve are errors.
  std::string variant;
  /// Tokens of a prefill step at most; 0 is Model::maxChunk(). Results do not
  /// depend on it; memory of windowed layers does.
  uint64_t chunk = 0;
  /// For debugging: end the workspace, output buffers and every KV plane at an
  /// inaccessible page, so that an access behind them faults.
  bool guardPages = false;
};

enum class StopReason {
  MaxTokens,   ///< maxTokens were appended
  StopId,      ///< an EOS or stop id was sampled; it is not appended
  Callback,    ///< the callback asked to stop; its token is appended
  ContextFull, ///< no room for another token, under OverflowPolicy::Stop
};

/// Called with each token once it is sampled; false stops. The token is
/// appended whatever the callback returns, unless GenerateOptions::leaveLast. The only calls
/// allowed on the session from here are setSampling and the const ones.
using TokenCallback = std::function<bool(int32_t token)>;

/// Called with the logits [vocab_size] of each position, in ascending order,
/// counted from the first id of the call; the row is valid during the call.
/// False ends the delivery (the call itself still completes). No call on the
/// session is allowed from here.
using LogitsCallback = std::function<bool(uint64_t index, Span<const float> row)>;

class Session;

/// Where generate() takes drafts from: guesses of the next tokens, all of which
/// one step checks. A draft is kept where it equals the token sampled from the
/// model at its position, so that tokens, logits and callbacks are those of
/// plain generation, whatever was drafted.
enum class Speculation {
  Auto,  ///< GenerateOptions::draft, else n-grams; where it is measured to pay
  Off,   ///< one step for each token
  Ngram, ///< what followed the last tokens earlier in the session's tokens
  Draft, ///< GenerateOptions::draft
};

/// Whether generate() computes only logits that can be sampled, in models that
/// were compiled with a coarse copy of the head (screen_head), greedily or with
/// top-k and without a repetition penalty. Tokens are the same.
enum class Screening {
  Auto, ///< while it saves reading the head
  Off,
  On, ///< an error in models without the copy
};

struct GenerateOptions {
  uint64_t maxTokens = 128;
  /// Ids that stop, besides Model::eosIds().
  std::vector<int32_t> stopIds;
  /// Treat Model::eosIds() as ordinary tokens.
  bool ignoreEos = false;
  /// Ngram and Draft always draft as much as they can; Auto as much as pays.
  Speculation speculation = Speculation::Auto;
  /// Drafts of a step at most, up to 15. Fewer where a step yields fewer rows of
  /// logits.
  uint32_t draftMax = 8;
  /// A session of another, faster model with the same vocabulary, whose tokens
  /// and sampling options generate() sets as it needs.
  Session *draft = nullptr;
  Screening screening = Screening::Auto;
  /// The token that ends the call, being the last of maxTokens or because the
  /// callback asks to stop, is not appended: saves its step where nothing follows.
  bool leaveLast = false;
  /// For measurements: takes these tokens, which nothing stops at, instead of
  /// the sampled ones, and ends with them.
  std::vector<int32_t> replay;
};

/// What speculation did in a call of generate().
struct SpeculationStats {
  uint64_t steps = 0;    ///< steps of the model, each for one token and its drafts
  uint64_t drafted = 0;  ///< drafts that these steps checked
  uint64_t accepted = 0; ///< drafts that became tokens
};

/// What screening did in a call of generate().
struct ScreeningStats {
  uint64_t steps = 0; ///< steps that screened
  double kept = 0;    ///< sum over them of the part of the head, 0 to 1, that was computed
};

struct GenerateResult {
  /// The generated tokens, without the stop id.
  std::vector<int32_t> tokens;
  StopReason reason = StopReason::MaxTokens;
  /// The id that stopped, or -1.
  int32_t stopId = -1;
  /// All 0 after generateNaive().
  SpeculationStats speculation;
  ScreeningStats screening;
};

/// The cache rows of one position in one layer, converted to f32:
/// [kvHeads][headDim], keys after RoPE.
struct KVRows {
  uint32_t kvHeads = 0;
  uint32_t headDim = 0;
  std::vector<float> k;
  std::vector<float> v;
};

class Session {
public:
  static Expected<Session> create(const Model &model, const SessionOptions &options = {});
  Session(Session &&) noexcept;
  Session &operator=(Session &&) noexcept;
  ~Session();

  /// Appends `ids` (>= 1) in chunks. ContextFull if they do not fit, under
  /// either policy, with nothing appended.
  Status prefill(Span<const int32_t> ids);

  /// Like prefill, and delivers the logits of every position of `ids` row by
  /// row, so that memory stays bounded.
  Status prefillAll(Span<const int32_t> ids, const LogitsCallback &callback);

  /// Samples a token from logits(), appends it by a decode step, returns it.
  /// InvalidState without logits; ContextFull if there is no room.
  Expected<int32_t> step();

  /// Appends `token` by a decode step and returns the logits after it, valid
  /// until the next call. InvalidState on an empty session.
  Expected<Span<const float>> stepForced(int32_t token);

  /// Samples from logits() what step() would append, without appending it.
  Expected<int32_t> sample();

  /// Repeats step() until a stop condition fires: exactly maxTokens tokens are
  /// appended unless one does, or one less with GenerateOptions::leaveLast. Steps may check several
  /// drafts (Speculation), which shows in the time only. InvalidState without logits.
  Expected<GenerateResult> generate(const GenerateOptions &options,
                                    const TokenCallback &callback = nullptr);

  /// Generates from `prompt` with a full recompute in a scratch cache for each
  /// token: the slow reference of prefill and generate, with equal results. It
  /// does not speculate.
  Expected<GenerateResult> generateNaive(Span<const int32_t> prompt, const GenerateOptions &options,
                                         const TokenCallback &callback = nullptr);

  /// Logits of all positions of `ids` as a sequence of its own (from position
  /// 0), without reading or writing the session's cache. At most the session's
  /// context.
  Status forward(Span<const int32_t> ids, const LogitsCallback &callback);
  /// The same as one matrix [ids.size()][vocab_size].
  Expected<std::vector<float>> forward(Span<const int32_t> ids);

  /// The logits for position pastLen(), or the hidden state [hidden_size] they
  /// were made from; valid until the next non-const call. InvalidState when
  /// absent.
  Expected<Span<const float>> logits() const;
  Expected<Span<const float>> hidden() const;

  /// Keeps the first `position` tokens; position <= pastLen(). Where a windowed
  /// layer's ring has already overwritten keys that are needed again, the kept
  /// tokens are prefilled anew.
  Status rewind(uint64_t position);
  /// Empties the session and returns the cache's memory to the system. Fails
  /// only when called from a callback of this session.
  Status clear();

  uint64_t pastLen() const;
  const std::vector<int32_t> &tokens() const;
  uint64_t maxContext() const;

  /// A copy of the cache rows of `position` in `layer`. InvalidArgument if the
  /// position is not in the cache, or no more in a windowed layer's ring.
  Expected<KVRows> kv(uint32_t layer, uint64_t position) const;

  /// Holds from the next sampled token on; also during generate().
  Status setSampling(const SamplingOptions &options);
  const SamplingOptions &sampling() const;

  /// Changes the forced variant; "" returns to the narrowest that fits.
  Status setVariant(const std::string &name);
  /// Records every step from now on in `trace`, which must live until another
  /// call of this function; null records none. Costs a clock reading for each
  /// stage and thread while it is on.
  void setTrace(StepTrace *trace);
  /// Name of the variant that ran last; empty before the first step.
  std::string lastVariant() const;

  uint32_t threads() const;
  MemoryUse memoryUse() const;
  const Model &model() const;
  /// The manifest, as Model::config().
  const std::string &config() const;

private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace rlx

#endif // RLX_RUNTIME_SESSION_H
