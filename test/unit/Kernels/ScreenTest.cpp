//===- ScreenTest.cpp - Tests of screening kernels ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The steps of a screened product: a coarse copy, bounds, threshold, and the product
// of what is left, against the product of everything.
//
//===----------------------------------------------------------------------===//
#include "TestWeights.h"
#include <algorithm>
#include <cmath>
#include <set>

using namespace rlx;
using namespace rlx::test;

namespace {

/// A q8_0 weight and a q4_0 one that is taken for its copy: their difference is great, which the
/// norms say.
struct Head {
  int64_t n, k;
  TestWeights exact, coarse;
  Buffer<float> norms;

  Head(int64_t n, int64_t k)
      : n(n), k(k), exact(WeightFormat::Q8_0, n, k, 1), coarse(WeightFormat::Q4_0, n, k, 2),
        norms(2 * n) {
    for (int64_t row = 0; row < n; ++row) {
      double residual = 0, own = 0;
      for (int64_t i = row * k; i < (row + 1) * k; ++i) {
        double difference = double(exact.values[i]) - coarse.values[i];
        residual += difference * difference;
        own += double(exact.values[i]) * exact.values[i];
      }
      norms[2 * row] = float(std::sqrt(residual) * (1 + 1e-6));
      norms[2 * row + 1] = float(std::sqrt(own) * (1 + 1e-6));
    }
  }
};

class ScreenKernel : public KernelTest {
protected:
  struct Result {
    std::vector<float> outputs;
    std::vector<int32_t> uppers, lowers;
    int32_t threshold;
  };

  static LinearSpec product(const Head &head, WeightFormat format, std::optional<double> cap) {
    LinearSpec spec;
    spec.format = format;
    spec.n = head.n;
    spec.k = head.k;
    spec.singleRow = true;
    spec.cap = cap;
    return spec;
  }

  static PrepareSpec preparation(const Head &head, WeightFormat format,
                                 const TargetDescription &target) {
    PrepareSpec spec;
    spec.format = activationFormat(format, target);
    spec.k = head.k;
    return spec;
  }

  /// Adds the kernels that screen by the coarse copy's outputs.
  static std::pair<ScreenSpec, PrepareSpec> addKernels(KernelModule &module, const Head &head) {
    ScreenSpec spec;
    spec.k = head.k;
    spec.n = head.n;
    module.kernels().getScreenBounds(spec);
    module.kernels().getScreenSelect(spec);
    PrepareSpec prepare = preparation(head, WeightFormat::Q4_0, module.getTarget());
    module.kernels().getPrepare(prepare);
    return {spec, prepare};
  }

  /// What a step does that needs the `top` greatest outputs.
  static Result screen(KernelModule &module, const Head &head, std::optional<double> cap,
                       std::vector<float> x, int64_t top, int64_t threads) {
    KernelLibrary &kernels = module.kernels();
    Buffer<float> in(x), coarse(head.n), out(head.n);
    auto prepare = [&](WeightFormat format) {
      PrepareSpec spec = preparation(head, format, module.getTarget());
      Buffer<uint8_t> prepared(preparedRowBytes(spec.format, head.k));
      module.run(kernels.getPrepare(spec), 1, in.data(), prepared.data(), int64_t(1));
      return prepared;
    };
    Buffer<uint8_t> own = prepare(WeightFormat::Q8_0), other = prepare(WeightFormat::Q4_0);
    Buffer<uint8_t> memory(screenBytes(head.n));
    Buffer<int64_t> counters(std::vector<int64_t>{0, 0});
    ScreenSpec spec;
    spec.k = head.k;
    spec.n = head.n;
    spec.cap = cap;
    module.run(kernels.getLinear(product(head, WeightFormat::Q4_0, {})), threads,
               head.coarse.packed.data(), other.data(), coarse.data(), &counters[0],
               std::min<int64_t>(top, 1));
    module.run(kernels.getScreenBounds(spec), threads, other.data(), coarse.data(),
               head.norms.data(), memory.data(), top);
    module.run(kernels.getScreenSelect(spec), threads, memory.data(), top);
    LinearSpec rest = product(head, WeightFormat::Q8_0, cap);
    rest.screened = true;
    module.run(kernels.getLinear(rest), threads, head.exact.packed.data(), own.data(), out.data(),
               memory.data(), &counters[1], int64_t(1));
    auto read = [&](int64_t offset, int64_t count) {
      std::vector<int32_t> values(count);
      std::memcpy(values.data(), memory.data() + offset, count * sizeof(int32_t));
      return values;
    };
    int64_t panels = (head.n + 15) / 16;
    return {out.copy(), read(kScreenUppers, panels), read(screenLowers(head.n), panels),
            read(0, 1).front()};
  }

  /// The order of f32 as i32.
  static int32_t ordered(float value) {
    int32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return bits ^ (bits >> 31 & 0x7fffffff);
  }

  /// `all` are the outputs without screening.
  static void check(const Result &result, const std::vector<float> &all, int64_t top) {
    size_t kept = 0;
    std::vector<float> sorted = all;
    std::sort(sorted.rbegin(), sorted.rend());
    for (size_t i = 0; i < all.size(); ++i) {
      // Bounds hold, and decide what is computed, bit for bit.
      EXPECT_LE(ordered(all[i]), result.uppers[i / 16]) << i;
      if (result.uppers[i / 16] >= result.threshold)
        EXPECT_EQ(std::memcmp(&result.outputs[i], &all[i], 4), 0) << i;
      else
        EXPECT_EQ(result.outputs[i], -INFINITY) << i;
      kept += result.outputs[i] != -INFINITY;
      // Nothing is dropped that is among the greatest.
      if (all[i] >= sorted[std::min<size_t>(top, all.size()) - 1]) {
        EXPECT_EQ(result.outputs[i], all[i]) << i;
      }
    }
    EXPECT_GE(kept, std::min<size_t>(top, all.size()));
    std::vector<int32_t> lowers = result.lowers;
    std::sort(lowers.rbegin(), lowers.rend());
    EXPECT_EQ(result.threshold, lowers[std::min<size_t>(top, lowers.size()) - 1]);
    for (size_t panel = 0; panel < lowers.size(); ++panel)
      EXPECT_LE(result.lowers[panel],
                ordered(*std::max_element(all.begin() + panel * 16,
                                          all.begin() + std::min(panel * 16 + 16, all.size()))));
  }

  void checkHead(int64_t n, int64_t k, std::optional<double> cap) {
    Head head(n, k);
    // Wider bounds than needed for every other panel.
    for (int64_t row = 0; row < n; ++row)
      if (row / 16 % 2)
        head.norms[2 * row] *= 1.5f;
    KernelModule module(target());
    KernelLibrary &kernels = module.kernels();
    ScreenSpec spec;
    spec.k = k;
    spec.n = n;
    spec.cap = cap;
    LinearSpec screened = product(head, WeightFormat::Q8_0, cap);
    screened.screened = true;
    kernels.getScreenBounds(spec);
    kernels.getScreenSelect(spec);
    kernels.getLinear(screened);
    kernels.getLinear(product(head, WeightFormat::Q4_0, {}));
    for (WeightFormat format : {WeightFormat::Q8_0, WeightFormat::Q4_0})
      kernels.getPrepare(preparation(head, format, module.getTarget()));
    ASSERT_NO_FATAL_FAILURE(module.load());
    std::vector<float> x = randomFloats(k, 3);
    Result all = screen(module, head, cap, x, 0, 1);
    EXPECT_EQ(all.threshold, INT32_MIN);
    for (int64_t top : {int64_t(1), int64_t(2), int64_t(7), n, int64_t(1) << 40})
      for (int64_t threads : {1, 3}) {
        SCOPED_TRACE(top);
        check(screen(module, head, cap, x, top, threads), all.outputs, top);
      }
  }
};

} // namespace

TEST_P(ScreenKernel, KeepsWhatCanBeAmongTheGreatest) {
  checkHead(320, 96, {});
  checkHead(275, 64, 30.0); // the last panel is not whole
}

// Where the copy is exact, only panels that reach the greatest outputs are left.
TEST_P(ScreenKernel, DropsWhatCannot) {
  Head head(640, 64);
  for (int64_t row = 0; row < head.n; ++row)
    head.norms[2 * row] = head.norms[2 * row + 1] = 0;
  KernelModule module(target());
  auto [spec, prepare] = addKernels(module, head);
  LinearSpec linear = product(head, WeightFormat::Q4_0, {}), screened = linear;
  screened.screened = true;
  module.kernels().getLinear(linear);
  module.kernels().getLinear(screened);
  ASSERT_NO_FATAL_FAILURE(module.load());
  Buffer<float> in(randomFloats(head.k, 4)), outputs(head.n), left(head.n);
  Buffer<uint8_t> prepared(preparedRowBytes(prepare.format, head.k)), memory(screenBytes(head.n));
  Buffer<int64_t> counters(std::vector<int64_t>{0, 0});
  module.run(module.kernels().getPrepare(prepare), 1, in.data(), prepared.data(), int64_t(1));
  module.run(module.kernels().getLinear(linear), 1, head.coarse.packed.data(), prepared.data(),
             outputs.data(), &counters[0], int64_t(1));
  module.run(module.kernels().getScreenBounds(spec), 1, prepared.data(), outputs.data(),
             head.norms.data(), memory.data(), int64_t(3));
  module.run(module.kernels().getScreenSelect(spec), 1, memory.data(), int64_t(3));
  module.run(module.kernels().getLinear(screened), 1, head.coarse.packed.data(), prepared.data(),
             left.data(), memory.data(), &counters[1], int64_t(1));
  std::set<int64_t> panels;
  for (int64_t i = 0; i < head.n; ++i)
    if (left[i] != -INFINITY) {
      EXPECT_EQ(left[i], outputs[i]);
      panels.insert(i / 16);
    }
  EXPECT_EQ(panels.size(), 3u);
}

// An output that is no number is computed, so that sampling finds it.
TEST_P(ScreenKernel, NaNIsKept) {
  Head head(320, 64);
  head.norms[2 * 100 + 1] = NAN;
  KernelModule module(target());
  auto [spec, prepare] = addKernels(module, head);
  ASSERT_NO_FATAL_FAILURE(module.load());
  Buffer<float> in(randomFloats(head.k, 4)), outputs(randomFloats(head.n, 5));
  Buffer<uint8_t> prepared(preparedRowBytes(prepare.format, head.k)), memory(screenBytes(head.n));
  module.run(module.kernels().getPrepare(prepare), 1, in.data(), prepared.data(), int64_t(1));
  module.run(module.kernels().getScreenBounds(spec), 2, prepared.data(), outputs.data(),
             head.norms.data(), memory.data(), int64_t(1));
  module.run(module.kernels().getScreenSelect(spec), 2, memory.data(), int64_t(1));
  int32_t threshold, upper;
  std::memcpy(&threshold, memory.data(), 4);
  std::memcpy(&upper, memory.data() + kScreenUppers + 100 / 16 * 4, 4);
  EXPECT_EQ(upper, ordered(INFINITY));
  EXPECT_GE(upper, threshold);
}

RLX_INSTANTIATE_KERNEL_TEST(ScreenKernel, nativeAndBaseline());
