//===- Tuner.h - Chooses tiles by running candidates ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles a model's largest products with several tiles and streams, runs them on
// this machine and keeps the fastest (rlx/Target/Tuning.h). What was found for a
// processor and products of the same shapes is kept in a file.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TUNE_TUNER_H
#define RLX_TUNE_TUNER_H

#include "rlx/Target/TargetDescription.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>

namespace rlx {

/// A product of a model: rows of k activations with a weight of n rows.
struct TuneShape {
  WeightFormat format = WeightFormat::F32;
  int64_t k = 0, n = 0;
};

/// What a model multiplies most, of each kind of weights; at least one.
struct TuneShapes {
  std::optional<TuneShape> quantized, dense;
};

struct TuneOptions {
  unsigned threads = 0; ///< 0: one for each core
  /// Bytes of weights that products with one token read: more than caches hold.
  size_t memoryBytes = size_t(256) << 20;
  unsigned rounds = 5; ///< runs of each candidate, in turn
};

struct TuneResult {
  std::string tuning; ///< text of all choices
  double seconds = 0; ///< that measuring took
};

/// Measures candidates for `target`, which this machine must be able to run. What it already has
/// stays unless something is faster by more than noise.
llvm::Expected<TuneResult> tuneTarget(const TargetDescription &target, const TuneShapes &shapes,
                                      const TuneOptions &options = {});

/// Results on disk, one file for all models and processors.
class TuneCache {
public:
  /// In $XDG_CACHE_HOME/rlx or $HOME/.cache/rlx; nothing is kept where there is neither.
  static TuneCache standard();
  explicit TuneCache(std::string file) : file(std::move(file)) {}

  /// The text kept for these, if there is one that a target takes.
  std::optional<std::string> find(const TargetDescription &target, const TuneShapes &shapes,
                                  const TuneOptions &options) const;
  /// Keeps a result. A file of another form is replaced.
  llvm::Error store(const TargetDescription &target, const TuneShapes &shapes,
                    const TuneOptions &options, const TuneResult &result) const;
  const std::string &path() const { return file; }

private:
  std::string file; ///< empty: none
};

} // namespace rlx

#endif // RLX_TUNE_TUNER_H
