//===- Tuner.cpp - Chooses tiles by running candidates --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two searches that do not depend on each other: streams and prefetching of products
// with one token, which read more weights than caches hold, and the tile of products
// with many. Candidates take turns, so that a change of the machine's speed meets all;
// the median of each counts.
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

/// Tokens of products with many. A matrix unit takes more than RLX_EXACT_TOKENS in its own tiles.
static constexpr int64_t kManyTokens = 96;

namespace {

/// One of the texts between which a search decides.
struct Candidate {
  std::string tuning; ///< empty: what the target has
  TunedKernel kernel;
  std::vector<double> seconds;

  double median() {
    auto middle = seconds.begin() + seconds.size() / 2;
    std::nth_element(seconds.begin(), middle, seconds.end());
    return *middle;
  }
};

/// Weights, activations and outputs, written once so that each page is a page of its own.
class Arena {
public:
  Arena(size_t weights, size_t in, size_t out)
      : weights(weights + 64, 1), in(in + 64, 1), out(out / sizeof(float) + 16, 0.0f) {}
  const uint8_t *weightsAt(size_t offset) const { return align(weights.data()) + offset; }
  KernelMemory at(size_t offset) {
    return {weightsAt(offset), align(in.data()),
            reinterpret_cast<float *>(align(reinterpret_cast<uint8_t *>(out.data())))};
  }

private:
  template <typename T> static T *align(T *address) {
    return reinterpret_cast<T *>(llvm::alignTo(reinterpret_cast<uintptr_t>(address), 64));
  }
  std::vector<uint8_t> weights, in;
  std::vector<float> out;
};

class Search {
public:
  Search(const TargetDescription &target, const TuneOptions &options, unsigned threads)
      : target(target), options(options), threads(threads) {}

  /// The text of the fastest of `texts`, or empty where what `target` has is as good.
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
    measure(candidates, spec, rows);
    Candidate *best = &candidates.front();
    double limit = best->median() * (1 - kLeastGain);
    for (Candidate &candidate : candidates)
      if (double median = candidate.median(); median < limit) {
        best = &candidate;
        limit = median;
      }
    return best->tuning;
  }

private:
  void measure(std::vector<Candidate> &candidates, const LinearSpec &spec, int64_t rows) {
    size_t bytes = packedWeightBytes(spec.format, spec.n, spec.k);
    size_t copies = std::max<size_t>(options.memoryBytes / bytes, 1);
    ActivationFormat format = activationFormat(spec.format, target);
    Arena arena(copies * bytes, preparedBytes(format, spec.k, rows), rows * spec.n * sizeof(float));
    size_t turn = 0;
    for (unsigned round = 0; round <= options.rounds; ++round)
      for (Candidate &candidate : candidates) {
        double seconds = candidate.kernel.run(arena.at(turn++ % copies * bytes), rows, threads);
        if (round > 0) // the first warms up
          candidate.seconds.push_back(seconds);
      }
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
    shapes = wide ? std::vector<TileShape>{{12, 1}, {8, 1}, {6, 2}, {8, 2}, {4, 2}, {4, 3}}
                  : std::vector<TileShape>{{3, 1}, {4, 1}, {2, 1}, {2, 2}, {6, 1}};
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
    int64_t rows = canTile(shape->format, target) ? RLX_EXACT_TOKENS : kManyTokens;
    if (llvm::Error error =
            keep(search.run(specOf(*shape, target), rows, tileCandidates(target, quantized))))
      return std::move(error);
  }
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return TuneResult{describeTuning(best), seconds.count()};
}
