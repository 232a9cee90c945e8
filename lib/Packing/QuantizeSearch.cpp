//===- QuantizeSearch.cpp - Scales of least squared error -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// For each group of columns, scales around the one that its largest number asks
// for give integers; the integers give the scale (and minimum) of least squared
// error; the best of all candidates stays. Errors of large numbers weigh more:
// w = |x| + rms(x). Where groups have integer scales, their common factor comes from
// the largest, and the codes are rounded once more by the scales that are stored.
//===----------------------------------------------------------------------===//
#include "QuantizeSearch.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace rlx;

// Sums are kept apart in lanes, which compilers turn into vectors; their order is fixed.
static constexpr size_t kLanes = 8;
static constexpr size_t kLargestGroup = 32;

namespace {

struct Lanes {
  float values[kLanes] = {};
  void add(size_t i, float value) { values[i % kLanes] += value; }
  float total() const {
    float sum = 0.0f;
    for (float value : values)
      sum += value;
    return sum;
  }
};

/// x = scale * q - minimum.
struct Fit {
  float scale = 0.0f, minimum = 0.0f;
};

/// One group of columns with its weights.
class Group {
public:
  explicit Group(llvm::ArrayRef<float> x) : x(x) {
    assert(x.size() <= kLargestGroup && x.size() % kLanes == 0);
    Lanes squares;
    for (size_t i = 0; i < x.size(); ++i)
      squares.add(i, x[i] * x[i]);
    float rms = std::sqrt(squares.total() / static_cast<float>(x.size()));
    for (size_t i = 0; i < x.size(); ++i)
      weights[i] = rms + std::fabs(x[i]);
  }

  /// Integers from low to high, no minimum.
  Fit fitSymmetric(int low, int high) const;
  /// Integers from 0 to high, minimum >= 0.
  Fit fitAffine(int high) const;

private:
  /// The integers of (x - base) * inverse, as floats.
  void round(float inverse, float base, int low, int high, float *q) const {
    for (size_t i = 0; i < x.size(); ++i) {
      // Adding 1.5 * 2^23 rounds to an integer; limits first, so that it fits.
      float scaled = std::max(static_cast<float>(low), (x[i] - base) * inverse);
      q[i] = std::min(static_cast<float>(high), scaled) + 12582912.0f - 12582912.0f;
    }
  }
  Fit solve(const float *q, float &error) const;

  llvm::ArrayRef<float> x;
  float weights[kLargestGroup];
};

} // namespace

Fit Group::fitSymmetric(int low, int high) const {
  float extreme = 0.0f;
  for (float value : x)
    if (std::fabs(value) > std::fabs(extreme))
      extreme = value;
  Fit best;
  if (extreme == 0.0f || !std::isfinite(extreme))
    return best;
  float bestGain = 0.0f, q[kLargestGroup];
  for (int step = -9; step <= 9; ++step) {
    round((static_cast<float>(low) + 0.1f * static_cast<float>(step)) / extreme, 0.0f, low, high,
          q);
    Lanes products, squares;
    for (size_t i = 0; i < x.size(); ++i) {
      products.add(i, weights[i] * q[i] * x[i]);
      squares.add(i, weights[i] * q[i] * q[i]);
    }
    float xq = products.total(), qq = squares.total();
    // The squared error of the best scale, xq / qq, is that of zero less xq² / qq.
    if (float gain = qq > 0.0f ? xq * xq / qq : 0.0f; gain > bestGain) {
      bestGain = gain;
      best.scale = xq / qq;
    }
  }
  return best;
}

/// The scale and minimum of least squared error for the integers given.
Fit Group::solve(const float *q, float &error) const {
  Lanes ones, linear, squares, values, products;
  for (size_t i = 0; i < x.size(); ++i) {
    float wq = weights[i] * q[i];
    ones.add(i, weights[i]);
    linear.add(i, wq);
    squares.add(i, wq * q[i]);
    values.add(i, weights[i] * x[i]);
    products.add(i, wq * x[i]);
  }
  float w = ones.total(), wq = linear.total(), wqq = squares.total();
  float wx = values.total(), wqx = products.total();
  Fit fit;
  if (float determinant = w * wqq - wq * wq; determinant > 0.0f) {
    fit.scale = (w * wqx - wx * wq) / determinant;
    fit.minimum = (wq * wqx - wqq * wx) / determinant;
  }
  if (!(fit.minimum > 0.0f)) { // the format has no positive summand
    fit.minimum = 0.0f;
    fit.scale = wqq > 0.0f ? wqx / wqq : 0.0f;
  }
  Lanes errors;
  for (size_t i = 0; i < x.size(); ++i) {
    float difference = fit.scale * q[i] - fit.minimum - x[i];
    errors.add(i, weights[i] * difference * difference);
  }
  error = errors.total();
  return fit;
}

Fit Group::fitAffine(int high) const {
  float low = 0.0f, top = 0.0f;
  for (float value : x) {
    low = std::min(low, value);
    top = std::max(top, value);
  }
  Fit best;
  float range = top - low;
  if (range == 0.0f || !std::isfinite(range))
    return best;
  float bestError = INFINITY, q[kLargestGroup];
  for (int step = -10; step <= 10; ++step) {
    round((static_cast<float>(high) + 0.1f * static_cast<float>(step)) / range, low, 0, high, q);
    float error;
    Fit fit = solve(q, error);
    if (fit.scale > 0.0f && error < bestError) {
      bestError = error;
      best = fit;
    }
  }
  return best;
}

/// The codes of group `group` by its stored scales.
static void encode(llvm::ArrayRef<float> x, BlockRow &row, size_t group) {
  const BlockFormat &format = blockFormat(row.format);
  float scale = row.scale(group), minimum = row.minimum(group);
  float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
  int high = (1 << format.bits) - 1;
  for (size_t i = 0; i < x.size(); ++i)
    row.codes[group * format.groupColumns + i] = static_cast<uint8_t>(clampToInt(
        std::nearbyint((x[i] - minimum) * inverse) + static_cast<float>(format.offset), 0, high));
}

/// The integers that `values` are multiples of the common factor returned.
template <typename T>
static uint16_t shareFactor(llvm::ArrayRef<float> values, int largest, int low, int high,
                            T *integers) {
  float extreme = 0.0f;
  for (float value : values)
    if (std::fabs(value) > std::fabs(extreme))
      extreme = value;
  uint16_t factor = floatToHalf(extreme / static_cast<float>(largest));
  float inverse = halfToFloat(factor) != 0.0f ? 1.0f / halfToFloat(factor) : 0.0f;
  for (size_t i = 0; i < values.size(); ++i)
    integers[i] = static_cast<T>(clampToInt(std::nearbyint(values[i] * inverse), low, high));
  return factor;
}

void rlx::searchBlock(llvm::ArrayRef<float> x, BlockRow &row, size_t block) {
  const BlockFormat &format = blockFormat(row.format);
  size_t columns = format.groupColumns, first = block * format.groups();
  std::vector<float> scales, minima;
  for (size_t group = 0; group < format.groups(); ++group) {
    Group numbers(x.slice(group * columns, columns));
    int high = (1 << format.bits) - 1;
    Fit fit = format.minima ? numbers.fitAffine(high)
                            : numbers.fitSymmetric(-format.offset, high - format.offset);
    scales.push_back(fit.scale);
    minima.push_back(fit.minimum);
  }
  if (!format.integerScales)
    row.d[block] = floatToHalf(scales.front());
  else if (format.minima) { // 6 bits each in a file
    row.d[block] = shareFactor(scales, 63, 0, 63, row.scales.data() + first);
    row.m[block] = shareFactor(minima, 63, 0, 63, row.minima.data() + first);
  } else {
    row.d[block] = shareFactor(scales, -128, -128, 127, row.scales.data() + first);
  }
  for (size_t group = 0; group < format.groups(); ++group)
    encode(x.slice(group * columns, columns), row, first + group);
}
