//===- Attention.cpp - What attention computes ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// One query at a time: scores, cap, mask, softmax, weighted sum.
//===----------------------------------------------------------------------===//
#include "Reference.h"
#include <algorithm>
#include <cmath>

using namespace rlx;
using namespace rlx::reference;

/// Turns scores into weights that sum to 1.
static void softmax(const Arithmetic &arithmetic, std::vector<double> &scores) {
  double largest = *std::max_element(scores.begin(), scores.end()), sum = 0;
  for (double &score : scores) {
    score = arithmetic.round(std::exp(score - largest));
    sum = arithmetic.round(sum + score);
  }
  for (double &score : scores)
    score = arithmetic.round(score / sum);
}

Array reference::attention(const Arithmetic &arithmetic, const Array &query, const Array &key,
                           const Array &value, const AttentionParameters &parameters) {
  Array result = query;
  int64_t batch = query.shape[0], rows = query.shape[1], heads = query.shape[2],
          dim = query.shape[3], keys = key.shape[1], kvHeads = key.shape[2], past = keys - rows;
  auto headOf = [dim](const Array &x, int64_t index) {
    return llvm::ArrayRef<double>(x.values).slice(index * dim, dim);
  };
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t h = 0; h < heads; ++h) {
        int64_t position = past + i, kvHead = h / (heads / kvHeads);
        int64_t first =
            parameters.window ? std::max<int64_t>(0, position - *parameters.window + 1) : 0;
        int64_t queryIndex = (b * rows + i) * heads + h;
        std::vector<double> scores;
        for (int64_t j = first; j <= position; ++j) {
          double dot = arithmetic.dot(headOf(query, queryIndex),
                                      headOf(key, (b * keys + j) * kvHeads + kvHead));
          double score = arithmetic.round(parameters.scale * dot);
          scores.push_back(parameters.cap ? arithmetic.round(softcap(score, *parameters.cap))
                                          : score);
        }
        softmax(arithmetic, scores);
        for (int64_t d = 0; d < dim; ++d) {
          double sum = 0;
          for (int64_t j = first; j <= position; ++j)
            sum = arithmetic.multiplyAdd(scores[j - first],
                                         headOf(value, (b * keys + j) * kvHeads + kvHead)[d], sum);
          result.values[queryIndex * dim + d] = sum;
        }
      }
  return result;
}
