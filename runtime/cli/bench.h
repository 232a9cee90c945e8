//===-- bench.h - what the bench command measures -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The results of a benchmark, and the ways to show them.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_BENCH_H
#define RLX_RUNTIME_CLI_BENCH_H

#include "program.h"
#include "stage_profile.h"

namespace rlx::cli {

/// One test: so many tokens, at once or one by one, behind so many others.
struct Measurement {
  std::string test;
  uint64_t prompt = 0, generate = 0, depth = 0;
  std::vector<double> rates;      ///< tokens per second of each repetition
  StepTotals totals;              ///< of one repetition
  std::vector<KindProfile> kinds; ///< with --roofline; of a repetition of its own

  uint64_t tokens() const { return prompt + generate; }
  double mean() const;
  /// The sample's standard deviation.
  double spread() const;
  double median() const;
  double minimum() const;
  double maximum() const;
  double bytesPerToken() const { return double(totals.bytes) / double(tokens()); }
  /// At the median speed.
  double bytesPerSecond() const { return bytesPerToken() * median(); }
  double operationsPerSecond() const {
    return double(totals.operations) / double(tokens()) * median();
  }
};

struct BenchResults {
  uint32_t threads = 0;
  std::vector<Measurement> tests;
  std::optional<MachineLimits> limits;
};

std::string benchText(const Program &program, const BenchResults &results);
std::string benchJson(const Program &program, const BenchResults &results);

/// The roofline of the machine with each kind of stage of each test on it.
std::string rooflineSvg(const std::string &title, const BenchResults &results);

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_BENCH_H
