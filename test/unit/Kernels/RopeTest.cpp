//===- RopeTest.cpp - Tests of rotary kernels and the cache's writer ------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Angles against the C library in long double; rotation against its formula; the
// fused append against rotation followed by a plain append.
//
//===----------------------------------------------------------------------===//
#include "TestCache.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

class RopeKernel : public KernelTest {
protected:
  static RopeAnglesSpec anglesSpec(int64_t half, double base) {
    RopeAnglesSpec spec;
    for (int64_t i = 0; i < half; ++i)
      spec.invFreq.push_back(std::pow(base, -double(i) / half));
    return spec;
  }

  static std::vector<float> angles(KernelModule &module, const RopeAnglesSpec &spec, uint64_t past,
                                   int64_t seq) {
    Buffer<rlx_sequence_t> sequence({{nullptr, past, nullptr}});
    Buffer<float> out(seq * 2 * spec.invFreq.size());
    module.run(module.kernels().getRopeAngles(spec), 2, out.data(), sequence.data(), int64_t(1),
               seq);
    return out.copy();
  }
};

} // namespace

TEST_P(RopeKernel, AnglesAreRightUpToTheLongestContext) {
  KernelModule module(target());
  std::vector<RopeAnglesSpec> specs = {anglesSpec(128, 1e6), anglesSpec(32, 1e4),
                                       anglesSpec(20, 1e4)};
  for (const RopeAnglesSpec &spec : specs)
    module.kernels().getRopeAngles(spec);
  ASSERT_NO_FATAL_FAILURE(module.load());
  for (const RopeAnglesSpec &spec : specs)
    for (uint64_t past : {0, 511, 8191, 131069}) {
      size_t half = spec.invFreq.size();
      std::vector<float> rows = angles(module, spec, past, 3);
      for (int64_t row = 0; row < 3; ++row)
        for (size_t i = 0; i < half; ++i) {
          // The product of position and frequency is exact enough in long double.
          long double angle = (long double)(past + row) * spec.invFreq[i];
          EXPECT_NEAR(rows[(2 * row) * half + i], std::cos(angle), 3.1e-8) << past << " " << i;
          EXPECT_NEAR(rows[(2 * row + 1) * half + i], std::sin(angle), 3.1e-8) << past << " " << i;
        }
    }
}

TEST_P(RopeKernel, RowOfAPositionDoesNotDependOnTheStep) {
  KernelModule module(target());
  RopeAnglesSpec spec = anglesSpec(32, 1e4);
  module.kernels().getRopeAngles(spec);
  ASSERT_NO_FATAL_FAILURE(module.load());
  std::vector<float> table = angles(module, spec, 100, 20);
  for (int64_t i = 0; i < 20; ++i)
    EXPECT_EQ(angles(module, spec, 100 + i, 1),
              std::vector<float>(table.begin() + i * 64, table.begin() + (i + 1) * 64));
}

TEST_P(RopeKernel, RotatesPairsAndCopiesTheRest) {
  KernelModule module(target());
  const int64_t rows = 5, heads = 3, headDim = 40, stride = heads * headDim + 8;
  for (int64_t ropeDim : {40, 24}) {
    RopeSpec spec;
    spec.heads = heads;
    spec.headDim = headDim;
    spec.ropeDim = ropeDim;
    spec.inStride = spec.outStride = stride;
    module.kernels().getRope(spec);
  }
  ASSERT_NO_FATAL_FAILURE(module.load());
  for (int64_t ropeDim : {40, 24}) {
    RopeSpec spec;
    spec.heads = heads;
    spec.headDim = headDim;
    spec.ropeDim = ropeDim;
    spec.inStride = spec.outStride = stride;
    std::vector<float> in = randomFloats(rows * stride, 4);
    Buffer<float> x(in), angle(randomFloats(rows * ropeDim, 5));
    module.run(module.kernels().getRope(spec), 2, x.data(), angle.data(), x.data(), rows);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < stride; ++column) {
        int64_t i = column % headDim, half = ropeDim / 2, at = row * stride + column;
        double expected = in[at];
        if (column < heads * headDim && i < ropeDim) {
          double c = angle[row * ropeDim + i % half], s = angle[row * ropeDim + half + i % half];
          expected = i < half ? in[at] * c - in[at + half] * s : in[at] * c + in[at - half] * s;
        }
        EXPECT_NEAR(x[at], expected, 1e-6) << row << " " << column;
      }
  }
}

namespace {

/// Appending to two heads, of which a part is rotated.
struct Append {
  KvType type;
  int64_t headDim, ropeDim;

  RopeSpec rope() const {
    RopeSpec spec;
    spec.heads = 2;
    spec.headDim = headDim;
    spec.ropeDim = ropeDim;
    return spec;
  }
  KvAppendSpec append(bool fused) const {
    KvAppendSpec spec;
    spec.kvHeads = 2;
    spec.headDim = headDim;
    spec.kvType = type;
    spec.rope = fused;
    spec.ropeDim = fused ? ropeDim : 0;
    return spec;
  }
};

const Append kAppends[] = {
    {KvType::F32, 24, 16}, {KvType::F16, 24, 16}, {KvType::BF16, 24, 16}, {KvType::Q8_0, 64, 48}};

} // namespace

TEST_P(RopeKernel, FusedAppendEqualsRopeThenAppend) {
  KernelModule module(target());
  const int64_t seq = 21, capacity = 32;
  for (const Append &how : kAppends) {
    module.kernels().getRope(how.rope());
    module.kernels().getKvAppend(how.append(false));
    module.kernels().getKvAppend(how.append(true));
  }
  ASSERT_NO_FATAL_FAILURE(module.load());
  for (const Append &how : kAppends) {
    const int64_t columns = 2 * how.headDim;
    TestCache one(1, 2, how.headDim, how.type, capacity),
        two(1, 2, how.headDim, how.type, capacity);
    one.sequence(0).past = two.sequence(0).past = 19; // Wraps.
    Buffer<float> k(randomFloats(seq * columns, 6)), v(randomFloats(seq * columns, 7));
    Buffer<float> angle(randomFloats(seq * how.ropeDim, 8)), rotated(seq * columns);
    module.run(module.kernels().getKvAppend(how.append(true)), 2, k.data(), v.data(), angle.data(),
               one.data(), int64_t(1), int64_t(1), seq);
    module.run(module.kernels().getRope(how.rope()), 1, k.data(), angle.data(), rotated.data(),
               seq);
    module.run(module.kernels().getKvAppend(how.append(false)), 1, rotated.data(), v.data(),
               two.data(), int64_t(1), int64_t(1), seq);
    auto keys = stored(how.type, {rotated.data(), rotated.data() + rotated.size()});
    auto values = stored(how.type, {v.data(), v.data() + v.size()});
    for (int64_t i = 0; i < seq; ++i)
      for (int64_t head = 0; head < 2; ++head)
        for (int64_t d = 0; d < how.headDim; ++d) {
          int64_t column = i * columns + head * how.headDim + d;
          ASSERT_EQ(one.key(0, head, 19 + i, d), keys[column]);
          ASSERT_EQ(two.key(0, head, 19 + i, d), keys[column]);
          ASSERT_EQ(one.value(0, head, 19 + i, d), values[column]);
        }
  }
}

// Each element is off by half a step at most, whatever its block's magnitude; f16 has no scale for
// blocks below 2^-25 * 127, which become 0.
TEST_P(RopeKernel, Q8_0KeepsTheNearestCodes) {
  KvAppendSpec spec = kAppends[3].append(false);
  KernelModule module(target());
  module.kernels().getKvAppend(spec);
  ASSERT_NO_FATAL_FAILURE(module.load());
  for (float magnitude : {1.0f, 0.0f, 3e-3f, 1e4f, 1e-5f, 1e-7f}) {
    std::vector<float> x = randomFloats(128, 9);
    for (float &value : x)
      value *= magnitude;
    Buffer<float> k(x), v(x);
    TestCache cache(1, 2, 64, KvType::Q8_0, 16);
    cache.sequence(0).past = 0;
    module.run(module.kernels().getKvAppend(spec), 1, k.data(), v.data(), cache.data(), int64_t(1),
               int64_t(1), int64_t(1));
    for (int64_t begin = 0; begin < 128; begin += 32) {
      float largest = 0;
      for (int64_t i = begin; i < begin + 32; ++i)
        largest = std::max(largest, std::fabs(x[i]));
      // Half a step; the scale is off by 2^-11 of itself, or by half of f16's least number.
      double bound = largest / 127 / 2 * (1 + 0x1p-10) + 127 * 0x1p-25;
      for (int64_t i = begin; i < begin + 32; ++i) {
        EXPECT_NEAR(cache.key(0, i / 64, 0, i % 64), x[i], bound) << magnitude;
        EXPECT_EQ(cache.key(0, i / 64, 0, i % 64), cache.value(0, i / 64, 0, i % 64));
      }
    }
  }
}

RLX_INSTANTIATE_KERNEL_TEST(RopeKernel, nativeAndBaseline());
