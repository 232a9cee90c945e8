//===- Reference.cpp - What each op computes ------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Norms, products, element-wise ops, views and rotation.
//===----------------------------------------------------------------------===//
#include "Reference.h"
#include <cmath>

using namespace rlx;
using namespace rlx::reference;

static constexpr int64_t kPanel = 16; // rows that interleaved weights give in turn
static constexpr int64_t kBlock = 32; // elements that share a scale
static constexpr double kPi = 3.14159265358979323846;

double Arithmetic::multiplyAdd(double a, double b, double sum) const {
  if (!single)
    return sum + a * b;
  return std::fma(static_cast<float>(a), static_cast<float>(b), static_cast<float>(sum));
}

double Arithmetic::dot(llvm::ArrayRef<double> a, llvm::ArrayRef<double> b) const {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum = multiplyAdd(a[i], b[i], sum);
  return sum;
}

double reference::gelu(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / kPi) * (x + 0.044715 * x * x * x)));
}

double reference::softcap(double x, double cap) { return cap * std::tanh(x / cap); }

Array reference::map(const Arithmetic &arithmetic, const Array &x,
                     llvm::function_ref<double(double)> function) {
  Array result = x;
  for (double &value : result.values)
    value = arithmetic.round(function(value));
  return result;
}

Array reference::map(const Arithmetic &arithmetic, const Array &x, const Array &y,
                     llvm::function_ref<double(double, double)> function) {
  Array result = x;
  for (size_t i = 0; i < result.values.size(); ++i)
    result.values[i] = arithmetic.round(function(x.values[i], y.values[i]));
  return result;
}

static llvm::ArrayRef<double> row(const Array &x, int64_t index) {
  return llvm::ArrayRef<double>(x.values).slice(index * x.lastSize(), x.lastSize());
}

/// x's shape with another last size, filled with zeros.
static Array withColumns(const Array &x, int64_t columns) {
  Array result;
  result.shape = x.shape;
  result.shape.back() = columns;
  result.values.resize(x.rows() * columns);
  return result;
}

Array reference::rmsNorm(const Arithmetic &arithmetic, const Array &x, llvm::ArrayRef<double> gain,
                         double eps) {
  Array result = x;
  int64_t size = x.lastSize();
  for (int64_t r = 0; r < x.rows(); ++r) {
    double mean = arithmetic.round(arithmetic.dot(row(x, r), row(x, r)) / size);
    double factor = arithmetic.round(1 / std::sqrt(mean + eps));
    for (int64_t k = 0; k < size; ++k) {
      double &value = result.values[r * size + k];
      value = arithmetic.round(arithmetic.round(value * factor) * gain[k]);
    }
  }
  return result;
}

llvm::Expected<Array> reference::linear(const Arithmetic &arithmetic, const Array &x, int64_t rows,
                                        ReadRow readRow) {
  Array result = withColumns(x, rows);
  std::vector<float> stored(x.lastSize());
  std::vector<double> weights(x.lastSize());
  for (int64_t n = 0; n < rows; ++n) {
    if (llvm::Error error = readRow(n, stored))
      return std::move(error);
    weights.assign(stored.begin(), stored.end());
    for (int64_t r = 0; r < x.rows(); ++r)
      result.values[r * rows + n] = arithmetic.dot(row(x, r), weights);
  }
  return result;
}

namespace {
/// A row of activations rounded to 8 bits in blocks of 32.
struct QuantizedRow {
  std::vector<int> quants;
  std::vector<float> scales;
};
} // namespace

/// d = max|x| / 127 and q = x * 127 / max|x|, to nearest, ties to even.
static QuantizedRow quantizeRow(llvm::ArrayRef<double> values) {
  QuantizedRow result;
  result.quants.resize(values.size());
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    float largest = 0;
    for (int64_t i = 0; i < kBlock; ++i)
      largest = std::max(largest, std::fabs(static_cast<float>(values[begin + i])));
    result.scales.push_back(largest / 127.0f);
    float inverse = largest > 0 ? 127.0f / largest : 0.0f;
    for (int64_t i = 0; i < kBlock; ++i)
      result.quants[begin + i] = std::nearbyint(static_cast<float>(values[begin + i]) * inverse);
  }
  return result;
}

/// A row of weights times a row of activations: for each group of columns the integer
/// sum times both scales, then the minimum times the sum of activations.
static double multiply(const Arithmetic &arithmetic, const BlockRow &weights,
                       const QuantizedRow &inputs) {
  int64_t columns = blockFormat(weights.format).groupColumns;
  double sum = 0;
  for (int64_t begin = 0; begin < int64_t(inputs.quants.size()); begin += columns) {
    int64_t dot = 0, total = 0;
    for (int64_t k = begin; k < begin + columns; ++k) {
      dot += inputs.quants[k] * weights.quant(k);
      total += inputs.quants[k];
    }
    double inputScale = inputs.scales[begin / kBlock];
    double scale = arithmetic.round(inputScale * weights.scale(begin / columns));
    sum = arithmetic.multiplyAdd(double(dot), scale, sum);
    if (blockFormat(weights.format).minima)
      sum = arithmetic.multiplyAdd(weights.minimum(begin / columns),
                                   arithmetic.round(inputScale * total), sum);
  }
  return sum;
}

llvm::Expected<Array> reference::quantizedLinear(const Arithmetic &arithmetic, const Array &x,
                                                 int64_t rows, ReadBlocks readBlocks) {
  Array result = withColumns(x, rows);
  std::vector<QuantizedRow> inputs;
  for (int64_t r = 0; r < x.rows(); ++r)
    inputs.push_back(quantizeRow(row(x, r)));
  BlockRow blocks;
  for (int64_t n = 0; n < rows; ++n) {
    if (llvm::Error error = readBlocks(n, blocks))
      return std::move(error);
    for (int64_t r = 0; r < x.rows(); ++r)
      result.values[r * rows + n] = multiply(arithmetic, blocks, inputs[r]);
  }
  return result;
}

Array reference::interleavedGeglu(const Arithmetic &arithmetic, const Array &x) {
  int64_t size = x.lastSize() / 2;
  Array result = withColumns(x, size);
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t n = 0; n < size; ++n) {
      int64_t panel = n / kPanel * kPanel; // the last panel may be narrower
      int64_t width = std::min(kPanel, size - panel);
      double gate = row(x, r)[2 * panel + n - panel];
      double up = row(x, r)[2 * panel + width + n - panel];
      result.values[r * size + n] = arithmetic.round(arithmetic.round(gelu(gate)) * up);
    }
  return result;
}

Array reference::columns(const Array &x, int64_t begin, int64_t count) {
  Array result = withColumns(x, count);
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t k = 0; k < count; ++k)
      result.values[r * count + k] = row(x, r)[begin + k];
  return result;
}

Array reference::selectRows(const Array &x, int64_t begin, int64_t count) {
  Array result;
  result.shape = {x.shape[0], count, x.shape[2]};
  for (int64_t b = 0; b < x.shape[0]; ++b)
    for (int64_t r = begin; r < begin + count; ++r)
      for (double value : row(x, b * x.shape[1] + r))
        result.values.push_back(value);
  return result;
}

Array reference::ropeAngles(const Arithmetic &arithmetic, const Array &positions, RopeAttr rope) {
  Array result;
  int64_t half = rope.getDim() / 2;
  result.shape = {positions.shape[0], positions.shape[1], 2, half};
  llvm::SmallVector<double> frequencies = rope.inverseFrequencies();
  for (double position : positions.values) {
    // The angle is reduced to one turn in double: exact enough at any position.
    for (double frequency : frequencies)
      result.values.push_back(
          arithmetic.round(std::cos(std::remainder(position * frequency, 2 * kPi))));
    for (double frequency : frequencies)
      result.values.push_back(
          arithmetic.round(std::sin(std::remainder(position * frequency, 2 * kPi))));
  }
  return result;
}

Array reference::rope(const Arithmetic &arithmetic, const Array &x, const Array &angles) {
  Array result = x;
  int64_t heads = x.shape[2], size = x.shape[3], half = angles.lastSize();
  for (int64_t token = 0; token < x.shape[0] * x.shape[1]; ++token)
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t i = 0; i < half; ++i) {
        double cosine = row(angles, 2 * token)[i], sine = row(angles, 2 * token + 1)[i];
        int64_t first = (token * heads + head) * size + i, second = first + half;
        double a = x.values[first], b = x.values[second];
        result.values[first] = arithmetic.round(a * cosine - b * sine);
        result.values[second] = arithmetic.round(b * cosine + a * sine);
      }
  return result;
}
