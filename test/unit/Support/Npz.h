//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads the arrays of a numpy .npz file (a ZIP of .npy files), for golden data.

#ifndef RLX_TEST_SUPPORT_NPZ_H
#define RLX_TEST_SUPPORT_NPZ_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rlx::test {

/// A C-ordered array of f32, f64, i32 or i64, its elements converted to double.
struct NpyArray {
  std::vector<size_t> shape;
  std::vector<double> values;
};

/// Arrays by name, without the ".npy". Throws std::runtime_error, which fails
/// the test that asked, if the file is absent or holds anything else.
std::map<std::string, NpyArray> readNpz(const std::string &path);

/// Parses the bytes of one .npy file.
NpyArray parseNpy(const std::string &bytes);

/// A golden sequence: ids and the reference logits [ids.size()][vocab].
struct GoldenSequence {
  std::vector<int32_t> ids;
  std::vector<float> logits;
  size_t vocab = 0;
};

/// Reads ids_i / logits_i pairs (or a single ids / logits) of a golden file.
std::vector<GoldenSequence> readGolden(const std::string &path);

} // namespace rlx::test

#endif // RLX_TEST_SUPPORT_NPZ_H
