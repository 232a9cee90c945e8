//===-- runtime/lib/speculative_run.h - generation with drafts -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Appends the tokens of one generate() call by steps that compute further
// positions in advance, for drafts of the tokens to come.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_SPECULATIVE_RUN_H
#define RLX_RUNTIME_LIB_SPECULATIVE_RUN_H

#include "session_impl.h"

namespace rlx {

/// The caller samples each token from the session's current logits, as in plain
/// generation. A token that equals the next draft costs nothing: its row is
/// there already. With any other token the rest of the step's rows is void; the
/// cache rows of wrong drafts are written again before anything reads them.
class Session::Impl::SpeculativeRun {
public:
  SpeculativeRun(Impl &session, const GenerateOptions &options)
      : session(session), options(options) {}
  SpeculativeRun(const SpeculativeRun &) = delete;
  SpeculativeRun &operator=(const SpeculativeRun &) = delete;
  /// Moves the current row to where it stays.
  ~SpeculativeRun();

  /// Checks the options; lets the sources of drafts read the tokens so far.
  Status start();
  /// Appends a sampled token, behind which at most `more` will follow.
  Status append(int32_t token, uint64_t more);
  const SpeculationStats &stats() const { return counts; }
  const ScreeningStats &screening() const { return screened; }

private:
  bool usesModel() const {
    return options.draft && options.speculation != Speculation::Off &&
           options.speculation != Speculation::Ngram;
  }
  bool usesNgrams() const { return options.speculation != Speculation::Off && !usesModel(); }
  DraftPolicy &policy() { return usesModel() ? session.modelPolicy : session.ngramPolicy; }

  /// Lets the sources learn what the next token turned out to be.
  void observe(int32_t token);
  /// Makes row `row` of the latest step the current one.
  void showRow(uint64_t row);
  /// Books the latest step, of which no row will be used any more.
  void settle();
  /// How many drafts a step behind `past` tokens can check and is worth.
  uint64_t draftCount(uint64_t past, uint64_t more);
  /// Adds up to `count` drafts to `ids`, which hold the token not yet appended.
  Status draft(std::vector<int32_t> &ids, uint64_t count);
  Status draftByModel(std::vector<int32_t> &ids, uint64_t count);
  /// Brings the draft model's session behind the session's tokens and `token`.
  Status syncModel(Span<const int32_t> token);
  Status runStep(std::vector<int32_t> ids);
  /// A step of one token, which computes the logits that can be sampled behind it.
  Status runPlain(int32_t id);

  Impl &session;
  const GenerateOptions &options;
  SpeculationStats counts;
  ScreeningStats screened;
  std::vector<int32_t> step; ///< the latest step: a token and its drafts
  uint64_t kept = 0;         ///< how many of them are among the session's tokens
  double seconds = 0;        ///< that it took, drafting included
};

} // namespace rlx

#endif // RLX_RUNTIME_LIB_SPECULATIVE_RUN_H
