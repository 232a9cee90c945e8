//===-- drafting.h - speculation on the command line -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The options that say where drafts come from and whether the head is screened, and
// opening a draft model.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_DRAFTING_H
#define RLX_RUNTIME_CLI_DRAFTING_H

#include "program.h"

namespace rlx::cli {

struct DraftingOptions {
  std::optional<Speculation> speculate;
  std::string draftFile; ///< empty: no draft model
  std::optional<uint64_t> draftMax;
  std::optional<Screening> screening;

  void add(ArgParser &parser);
  /// An error where the options contradict each other.
  Status check() const;
  /// Sets what generate() shall do; `draft` as openDraft() returned it.
  void apply(GenerateOptions &generate, std::optional<Session> &draft) const;
};

/// A session of the draft model, if one was asked for. An error where it is no
/// model of the same vocabulary.
Expected<std::optional<Session>> openDraft(const Program &program, const CommonOptions &common,
                                           const DraftingOptions &options, uint64_t context);

/// "12 steps, 30 of 40 drafts right (75 %)".
std::string describe(const SpeculationStats &stats);
/// "12 steps, 0.5 % of the head computed".
std::string describe(const ScreeningStats &stats);

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_DRAFTING_H
