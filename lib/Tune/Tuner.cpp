//===- Tuner.cpp - Chooses tiles by running candidates --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two searches that do not depend on each other: streams and prefetching of products
// with one token, which read more weights than caches hold, and the tile of products
// with many. Candidates take turns, so that a change of the machine's speed meets all,
// and the best of them has to prove itself.
//
//===----------------------------------------------------------------------===//
#include "rlx/Tune/Tuner.h"
#include "TunedKernel.h"
#include "rlx/Kernels/KernelSpecs.h"
#include "rlx/Target/Tuning.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Threading.h"
#include <algorithm>
#include <chrono>

using namespace rlx;

/// What a candidate must save against what the target has, more than noise.
static constexpr double kLeastGain = 0.03;

// Pairs of runs that decide between the best candidate and what the target has, in rounds.
static constexpr unsigned kDuels = 3;

/// Tokens of products with many. A matrix unit takes more than RLX_EXACT_TOKENS in its own tiles.
static constexpr int64_t kManyTokens = 96;

namespace {

/// One of the texts between which a search decides.
struct Candidate {
  std::string tuning; ///< empty: what the target has
  TunedKernel kernel;
  std::vector<double> seconds;

  double median() const {
    std::vector<double> sorted = seconds;
    auto middle = sorted.begin() + sorted.size() / 2;
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
  }
};

/// Of which every float is made, in any format near 1: products must not be denormal, which take a
/// hundred times as long.
constexpr uint8_t kByte = 0x3c;

/// Weights, activations and outputs, written once so that each page is a page of its own.
class Arena {
public:
  Arena(const LinearSpec &spec, const TargetDescription &target, int64_t rows, size_t bytes)
      : weightBytes(packedWeightBytes(spec.format, spec.n, spec.k)),
        runs(std::max<size_t>(bytes / weightBytes, 1)), weights(runs * weightBytes + 64, kByte),
        in(preparedBytes(activationFormat(spec.format, target), spec.k, rows) + 64, kByte),
        out(rows * spec.n + 16, 0.0f) {}

  KernelMemory memory() {
    return {align(weights.data()), weightBytes, runs, align(in.data()), align(out.data())};
  }

private:
  template <typename T> static T *align(T *address) {
    return reinterpret_cast<T *>(llvm::alignTo(reinterpret_cast<uintptr_t>(address), 64));
  }
  size_t weightBytes, runs;
  std::vector<uint8_t> weights, in;
  std::vector<float> out;
};

class Search {
public:
  Search(const TargetDescription &target, const TuneOptions &options, unsigned threads)
      : target(target), options(options), threads(threads) {}

  /// The text of the fastest of `texts`, the first of which stands for what `target` has; that one
  /// where no other is faster for certain.
  llvm::Expected<std::string> run(const LinearSpec &spec, int64_t rows,
                                  llvm::ArrayRef<std::string> texts) {
    std::vector<Candidate> candidates;
    for (const std::string &text : texts) {
      TargetDescription tuned = target;
      if (!text.empty())
        if (llvm::Error error = applyTuning(tuned, text))
          return std::move(error);
      llvm::Expected<TunedKernel> kernel = TunedKernel::compile(tuned, spec);
      if (!kernel)
        return kernel.takeError();
      candidates.push_back({text, std::move(*kernel), {}});
    }
    // Of products with many tokens, which take longer, fewer.
    Arena arena(spec, target, rows, options.memoryBytes / std::max<int64_t>(rows / 16, 1));
    for (Candidate &candidate : candidates) // warms up
      candidate.kernel.run(arena.memory(), rows, threads);
    std::vector<Candidate *> all;
    for (Candidate &candidate : candidates)
      all.push_back(&candidate);
    measure(all, arena, rows, options.rounds);
    Candidate *first = all.front();
    Candidate *best = *std::min_element(all.begin(), all.end(), [](Candidate *a, Candidate *b) {
      return a->median() < b->median();
    });
    return best == first || !wins(*best, *first, arena, rows) ? texts.front() : best->tuning;
  }

private:
  /// The best of many has been lucky, too: once more against what there is, in pairs.
  bool wins(Candidate &best, Candidate &first, Arena &arena, int64_t rows) {
    best.seconds.clear();
    first.seconds.clear();
    unsigned pairs = kDuels * options.rounds, faster = 0;
    measure({&best, &first}, arena, rows, pairs);
    for (unsigned i = 0; i < pairs; ++i)
      faster += best.seconds[i] < first.seconds[i];
    return faster * 4 >= pairs * 3 && best.median() < first.median() * (1 - kLeastGain);
  }

  void measure(llvm::ArrayRef<Candidate *> candidates, Arena &arena, int64_t rows,
               unsigned rounds) {
    for (unsigned round = 0; round < rounds; ++round)
      for (Candidate *candidate : candidates)
        candidate->seconds.push_back(candidate->kernel.run(arena.memory(), rows, threads));
  }

  const TargetDescription &target;
  const TuneOptions &options;
  unsigned threads;
};

} // namespace

static std::vector<std::string> streamCandidates() {
  std::vector<std::string> texts = {""};
  for (unsigned streams : {1, 2, 4, 8})
    for (unsigned prefetch : {0, 2048, 4096, 8192})
      texts.push_back(llvm::formatv("streams={0}:prefetch={1}", streams, prefetch));
  return texts;
}

/// As many accumulators as there are registers, less those that hold weights and activations.
static std::vector<std::string> tileCandidates(const TargetDescription &target, bool quantized) {
  std::vector<std::string> texts = {""};
  bool wide = target.vectorBits == 512;
  std::vector<TileShape> shapes;
  if (quantized)
    shapes = wide
                 ? std::vector<TileShape>{{12, 1}, {8, 1}, {12, 2}, {8, 2}, {8, 3}, {4, 3}, {16, 1}}
                 : std::vector<TileShape>{{3, 1}, {4, 1}, {6, 1}, {2, 2}, {6, 2}};
  else
    shapes = wide ? std::vector<TileShape>{{12, 2}, {14, 2}, {8, 3}, {6, 4}, {12, 1}}
                  : std::vector<TileShape>{{6, 1}, {4, 1}, {3, 2}, {4, 2}, {12, 1}};
  for (TileShape shape : shapes)
    texts.push_back(
        llvm::formatv("{0}={1}x{2}", quantized ? "tile" : "dense", shape.tokens, shape.panels));
  return texts;
}

static LinearSpec specOf(const TuneShape &shape, const TargetDescription &target) {
  LinearSpec spec;
  spec.format = shape.format;
  spec.k = shape.k;
  spec.n = shape.n;
  spec.inStride = preparedRowBytes(activationFormat(shape.format, target), shape.k) / 4;
  return spec;
}

llvm::Expected<TuneResult> rlx::tuneTarget(const TargetDescription &target,
                                           const TuneShapes &shapes, const TuneOptions &options) {
  auto start = std::chrono::steady_clock::now();
  unsigned threads = llvm::hardware_concurrency(options.threads).compute_thread_count();
  Search search(target, options, threads);
  TargetDescription best = target;
  auto keep = [&](llvm::Expected<std::string> found) -> llvm::Error {
    if (!found)
      return found.takeError();
    return found->empty() ? llvm::Error::success() : applyTuning(best, *found);
  };

  const TuneShape &most = shapes.quantized ? *shapes.quantized : *shapes.dense;
  LinearSpec row = specOf(most, target);
  row.singleRow = true;
  // One weight as large as the memory: its threads share it as they share the layers' weights.
  int64_t rowBytes = packedWeightBytes(row.format, 16, row.k) / 16;
  row.n = llvm::alignTo(std::max<int64_t>(options.memoryBytes / rowBytes, 16), 16);
  if (llvm::Error error = keep(search.run(row, 1, streamCandidates())))
    return std::move(error);

  for (const std::optional<TuneShape> &shape : {shapes.quantized, shapes.dense}) {
    if (!shape)
      continue;
    bool quantized = isQuantized(shape->format);
    if (quantized && target.tiles)
      continue; // a matrix unit multiplies these, in tiles of its own
    int64_t rows = canTile(shape->format, target) ? RLX_EXACT_TOKENS : kManyTokens;
    if (llvm::Error error =
            keep(search.run(specOf(*shape, target), rows, tileCandidates(target, quantized))))
      return std::move(error);
  }
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return TuneResult{describeTuning(best), seconds.count()};
}
