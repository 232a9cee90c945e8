//===-- bench_report.cpp - figures as text and JSON -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the statistics of a measurement and the reports.
//===----------------------------------------------------------------------===//
#include "bench.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace rlx::cli {

using nlohmann::ordered_json;

double Measurement::mean() const {
  double sum = 0;
  for (double rate : rates)
    sum += rate;
  return sum / static_cast<double>(rates.size());
}

double Measurement::spread() const {
  if (rates.size() < 2)
    return 0;
  double average = mean(), sum = 0;
  for (double rate : rates)
    sum += (rate - average) * (rate - average);
  return std::sqrt(sum / static_cast<double>(rates.size() - 1));
}

double Measurement::median() const {
  std::vector<double> sorted = rates;
  std::sort(sorted.begin(), sorted.end());
  size_t half = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double Measurement::minimum() const { return *std::min_element(rates.begin(), rates.end()); }
double Measurement::maximum() const { return *std::max_element(rates.begin(), rates.end()); }

static std::string padded(const std::string &text, size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

static std::string right(const std::string &text, size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

static std::string giga(double value, int digits = 1) { return formatFixed(value / 1e9, digits); }

static std::string limitsText(const MachineLimits &limits) {
  const BandwidthSample &best = limits.best();
  std::string text = "limits measured: memory " + giga(best.bytesPerSecond) + " GB/s (" +
                     std::to_string(best.streams) + " streams per thread, " +
                     (best.prefetch ? "with" : "without") + " prefetch)";
  for (const PeakSample &peak : limits.peaks)
    text += ", " + peak.name + " " + giga(peak.operationsPerSecond, 0) + " GOP/s";
  return text + "\n";
}

/// One line for each kind of stage.
static std::string kindsText(const Measurement &test, const MachineLimits &limits) {
  std::string text = "  " + padded("stages of " + test.test, 26) + right("time", 8) +
                     right("GB/s", 9) + right("GOP/s", 9) + right("OP/byte", 10) +
                     right("of limit", 10) + "\n";
  for (const KindProfile &kind : test.kinds) {
    double limit = kind.limitShare(limits);
    text += "  " + padded(kind.kind, 26) + right(formatFixed(100 * kind.share, 1) + " %", 8) +
            right(kind.bytes ? giga(kind.bytesPerSecond()) : "-", 9) +
            right(kind.operations ? giga(kind.operationsPerSecond()) : "-", 9) +
            right(kind.intensity() > 0 ? formatFixed(kind.intensity(), 1) : "-", 10) +
            right(limit > 0 ? formatFixed(100 * limit, 0) + " %" : "-", 10) + "\n";
  }
  return text;
}

std::string benchText(const Program &program, const BenchResults &results) {
  std::string text = program.name + ", " + program.model.target() + ", " +
                     std::to_string(results.threads) + " threads\n";
  if (results.limits)
    text += limitsText(*results.limits);
  for (const Measurement &test : results.tests) {
    text += padded(test.test, 20) + formatFixed(test.median(), 2) + " tokens/s (" +
            formatFixed(test.minimum(), 2) + " to " + formatFixed(test.maximum(), 2) + "), " +
            formatFixed(test.bytesPerToken() / 1e6, 2) + " MB/token, " +
            giga(test.bytesPerSecond()) + " GB/s, " + giga(test.operationsPerSecond()) + " GOP/s\n";
    if (results.limits)
      text += kindsText(test, *results.limits);
  }
  return text;
}

static ordered_json limitsJson(const MachineLimits &limits) {
  ordered_json bandwidth = ordered_json::array(), peaks = ordered_json::array();
  for (const BandwidthSample &sample : limits.bandwidth)
    bandwidth.push_back({{"streams_per_thread", sample.streams},
                         {"prefetch", sample.prefetch},
                         {"bytes_per_second", sample.bytesPerSecond}});
  for (const PeakSample &peak : limits.peaks)
    peaks.push_back({{"name", peak.name}, {"operations_per_second", peak.operationsPerSecond}});
  return {{"bytes_per_second", limits.best().bytesPerSecond},
          {"bandwidth", bandwidth},
          {"peaks", peaks}};
}

static ordered_json kindsJson(const Measurement &test, const MachineLimits &limits) {
  ordered_json list = ordered_json::array();
  for (const KindProfile &kind : test.kinds)
    list.push_back(
        {{"kind", kind.kind},
         {"seconds", kind.seconds},
         {"share", kind.share},
         {"bytes", kind.bytes},
         {"operations", kind.operations},
         {"bytes_per_second", kind.bytesPerSecond()},
         {"operations_per_second", kind.operationsPerSecond()},
         {"peak", kind.probe < limits.peaks.size() ? ordered_json(limits.peaks[kind.probe].name)
                                                   : ordered_json()},
         {"share_of_limit", kind.limitShare(limits)}});
  return list;
}

std::string benchJson(const Program &program, const BenchResults &results) {
  ordered_json tests = ordered_json::array();
  for (const Measurement &test : results.tests) {
    tests.push_back({{"test", test.test},
                     {"prompt", test.prompt},
                     {"generate", test.generate},
                     {"depth", test.depth},
                     {"tokens_per_second",
                      {{"median", test.median()},
                       {"min", test.minimum()},
                       {"max", test.maximum()},
                       {"mean", test.mean()},
                       {"stddev", test.spread()},
                       {"samples", test.rates}}},
                     {"bytes_per_token", test.bytesPerToken()},
                     {"bytes_per_second", test.bytesPerSecond()},
                     {"operations_per_second", test.operationsPerSecond()}});
    if (results.limits)
      tests.back()["stages"] = kindsJson(test, *results.limits);
  }
  ordered_json root = {{"model", program.name},
                       {"target", program.model.target()},
                       {"threads", results.threads},
                       {"weights_bytes", program.model.table().weights_bytes}};
  if (results.limits)
    root["limits"] = limitsJson(*results.limits);
  root["tests"] = tests;
  return root.dump(2) + "\n";
}

} // namespace rlx::cli
