//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Helpers of the end-to-end tests.

#include "Support.h"

#include <cstring>
#include <random>
#include <stdexcept>

namespace rlx::test {

template <typename T> static T take(Expected<T> value, const std::string &what) {
  if (!value.ok())
    throw std::runtime_error(what + ": " + value.status().message());
  return std::move(*value);
}

Model openModel(const std::string &name) {
  return take(Model::open(std::string(RLX_E2E_MODELS) + "/" + name), name);
}

Session newSession(const Model &model, const SessionOptions &options) {
  return take(Session::create(model, options), "session");
}

std::vector<int32_t> someIds(const Model &model, size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> ids(count);
  for (int32_t &id : ids)
    id = 4 + static_cast<int32_t>(random() % (model.vocabSize() - 4));
  ids.front() = 2;
  return ids;
}

std::vector<float> allLogits(Session &session, Span<const int32_t> ids) {
  return take(session.forward(ids), "forward");
}

std::vector<float> lastLogits(const Session &session) {
  return take(session.logits(), "logits").vec();
}

::testing::AssertionResult sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  if (a.size() != b.size())
    return ::testing::AssertionFailure() << a.size() << " values against " << b.size();
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0)
      return ::testing::AssertionFailure() << "element " << i << ": " << a[i] << " and " << b[i];
  return ::testing::AssertionSuccess();
}

std::vector<std::string> withGgufModels(std::vector<std::string> models) {
  for (const char *file : kGgufFiles)
    models.push_back(std::string("gguf-") + file);
  return models;
}

std::string testName(const ::testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  for (char &c : name)
    if (c == '-')
      c = '_';
  return name;
}

/// Index of the largest and the gap to the second largest.
static std::pair<size_t, double> top(const float *row, size_t vocab) {
  size_t best = 0;
  for (size_t v = 1; v < vocab; ++v)
    if (row[v] > row[best])
      best = v;
  double gap = INFINITY;
  for (size_t v = 0; v < vocab; ++v)
    if (v != best)
      gap = std::min(gap, double(row[best]) - row[v]);
  return {best, gap};
}

Comparison compare(const std::vector<float> &logits, const std::vector<float> &reference,
                   size_t vocab, double relativeBound) {
  if (logits.size() != reference.size())
    throw std::runtime_error("logits and reference differ in size");
  Comparison result;
  for (float value : reference)
    result.maxAbsLogit = std::max(result.maxAbsLogit, std::fabs(double(value)));
  for (size_t i = 0; i < logits.size(); ++i) {
    double error = std::fabs(double(logits[i]) - reference[i]);
    // A NaN must not pass for a small error.
    result.maxError = error <= result.maxError ? result.maxError : error;
    if (std::isnan(error))
      result.maxError = INFINITY;
  }
  for (size_t row = 0; row < logits.size(); row += vocab) {
    auto [best, gap] = top(&reference[row], vocab);
    if (gap > 2 * relativeBound * result.maxAbsLogit && top(&logits[row], vocab).first != best)
      ++result.wrongArgmax;
  }
  return result;
}

} // namespace rlx::test
