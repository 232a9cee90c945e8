//===- AttentionTest.cpp - Tests of attention kernels ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A sequence goes through append and attention in chunks of several sizes. Every
// split gives the same bits, and those are right. So with the matrix unit, where steps
// of few rows have the bits of the kernel without it.
//
//===----------------------------------------------------------------------===//
#include "TestCache.h"
#include <cmath>

using namespace rlx;
using namespace rlx::test;

namespace {

struct Shape {
  int64_t heads, kvHeads, headDim, window;
  KvType type;
  bool cap = false;
};

/// Random queries, keys and values of whole sequences, [batch][position][columns].
struct Inputs {
  std::vector<float> q, k, v;
  int64_t batch, length, qColumns, kvColumns;

  Inputs(const Shape &shape, int64_t batch, int64_t length)
      : batch(batch), length(length), qColumns(shape.heads * shape.headDim),
        kvColumns(shape.kvHeads * shape.headDim) {
    q = randomFloats(batch * length * qColumns, 1);
    k = randomFloats(batch * length * kvColumns, 2);
    v = randomFloats(batch * length * kvColumns, 3);
  }

  /// Rows first … first + count - 1 of each sequence, as a step passes them.
  std::vector<float> rows(const std::vector<float> &all, int64_t columns, int64_t first,
                          int64_t count) const {
    std::vector<float> result;
    for (int64_t b = 0; b < batch; ++b)
      result.insert(result.end(), all.begin() + (b * length + first) * columns,
                    all.begin() + (b * length + first + count) * columns);
    return result;
  }
};

enum class Kernel { General, Chunks, Generic, Tiled };

class AttentionKernel : public KernelTest {
protected:
  static constexpr double kCap = 2.5;

  static AttentionSpec attentionSpec(const Shape &shape, int64_t length, Kernel kernel) {
    AttentionSpec spec;
    spec.heads = shape.heads;
    spec.kvHeads = shape.kvHeads;
    spec.headDim = shape.headDim;
    spec.kvType = shape.type;
    spec.window = shape.window;
    spec.scale = 1 / std::sqrt(double(shape.headDim));
    if (shape.cap)
      spec.cap = kCap;
    if (kernel == Kernel::Chunks)
      spec.chunks = attentionChunks(length, shape.window);
    spec.generic = kernel == Kernel::Generic;
    spec.tiled = kernel == Kernel::Tiled;
    return spec;
  }
  static KvAppendSpec appendSpec(const Shape &shape) {
    KvAppendSpec spec;
    spec.kvHeads = shape.kvHeads;
    spec.headDim = shape.headDim;
    spec.kvType = shape.type;
    return spec;
  }

  /// Outputs [batch][length][columns] of running the inputs in chunks.
  static std::vector<float> runChunks(KernelModule &module, const Shape &shape, const Inputs &in,
                                      const std::vector<int64_t> &chunks, int64_t threads,
                                      Kernel kernel) {
    int64_t maxChunk = *std::max_element(chunks.begin(), chunks.end());
    int64_t keep = shape.window ? shape.window - 1 + maxChunk : in.length;
    TestCache cache(in.batch, shape.kvHeads, shape.headDim, shape.type, (keep + 127) / 128 * 128);
    std::vector<float> result(in.q.size());
    int64_t past = 0;
    for (int64_t seq : chunks) {
      for (int64_t b = 0; b < in.batch; ++b)
        cache.sequence(b).past = past;
      Buffer<float> q(in.rows(in.q, in.qColumns, past, seq));
      Buffer<float> k(in.rows(in.k, in.kvColumns, past, seq));
      Buffer<float> v(in.rows(in.v, in.kvColumns, past, seq));
      Buffer<float> out(q.size());
      module.run(module.kernels().getKvAppend(appendSpec(shape)), threads, k.data(), v.data(),
                 cache.data(), int64_t(1), in.batch, seq);
      AttentionSpec spec = attentionSpec(shape, in.length, kernel);
      Buffer<uint8_t> parts(in.batch * shape.heads * spec.chunks *
                            attentionChunkBytes(shape.headDim));
      Buffer<int64_t> counter(std::vector<int64_t>{0});
      void *to = spec.chunks ? static_cast<void *>(parts.data()) : out.data();
      module.run(module.kernels().getAttention(spec), threads, q.data(), to, cache.data(),
                 counter.data(), int64_t(1), in.batch, seq);
      if (spec.chunks)
        module.run(module.kernels().getAttentionMerge(spec), threads, parts.data(), out.data(),
                   cache.data(), in.batch);
      for (int64_t b = 0; b < in.batch; ++b)
        std::copy(out.data() + b * seq * in.qColumns, out.data() + (b + 1) * seq * in.qColumns,
                  result.begin() + (b * in.length + past) * in.qColumns);
      past += seq;
    }
    return result;
  }

  /// One head's output at one position, in double; `in` holds keys and values as the cache does.
  static std::vector<double> reference(const Shape &shape, const Inputs &in, int64_t b,
                                       int64_t position, int64_t head) {
    int64_t kvHead = head / (shape.heads / shape.kvHeads), d = shape.headDim;
    const float *q = &in.q[(b * in.length + position) * in.qColumns + head * d];
    int64_t first = shape.window ? std::max<int64_t>(position - shape.window + 1, 0) : 0;
    std::vector<double> out(d), weights;
    double largest = -1e30, total = 0;
    for (int64_t key = first; key <= position; ++key) {
      const float *k = &in.k[(b * in.length + key) * in.kvColumns + kvHead * d];
      double score = 0;
      for (int64_t i = 0; i < d; ++i)
        score += double(q[i]) * k[i];
      score /= std::sqrt(double(d));
      weights.push_back(shape.cap ? kCap * std::tanh(score / kCap) : score);
      largest = std::max(largest, weights.back());
    }
    for (double &weight : weights)
      total += weight = std::exp(weight - largest);
    for (int64_t key = first; key <= position; ++key) {
      const float *v = &in.v[(b * in.length + key) * in.kvColumns + kvHead * d];
      for (int64_t i = 0; i < d; ++i)
        out[i] += weights[key - first] / total * v[i];
    }
    return out;
  }

  static double rms(const std::vector<float> &values) {
    double sum = 0;
    for (double x : values)
      sum += x * x;
    return std::sqrt(sum / values.size());
  }

  /// How far outputs may be off in the mean whose operands had 16 bits. A product misses what two
  /// lower halves give, 2^-16 of it, and each operand up to 2^-15. Errors of the terms of a score
  /// are independent, so that it is off by that times what a term is; a weight by twice that, of
  /// itself.
  static double tiledBound(const Inputs &kept) {
    const double operand = 0x1p-15 + 0x1p-15 + 0x1p-16;
    return operand * (1 + 2 * rms(kept.q) * rms(kept.k)) * rms(kept.v);
  }

  // Scores err by about 1e-6, values are below 5.
  static void checkOutputs(const Shape &shape, const Inputs &kept, const std::vector<float> &out) {
    std::vector<float> errors = outputErrors(shape, kept, out);
    for (size_t i = 0; i < errors.size(); ++i)
      ASSERT_LE(errors[i], 2e-5) << "output " << i;
  }

  /// The distances of outputs from the reference, in their order.
  static std::vector<float> outputErrors(const Shape &shape, const Inputs &kept,
                                         const std::vector<float> &out) {
    std::vector<float> errors(out.size());
    for (int64_t b = 0; b < kept.batch; ++b)
      for (int64_t position = 0; position < kept.length; ++position)
        for (int64_t head = 0; head < shape.heads; ++head) {
          std::vector<double> expected = reference(shape, kept, b, position, head);
          int64_t row = (b * kept.length + position) * shape.heads + head;
          for (int64_t d = 0; d < shape.headDim; ++d)
            errors[row * shape.headDim + d] =
                static_cast<float>(std::abs(out[row * shape.headDim + d] - expected[d]));
        }
    return errors;
  }

  /// Rows of steps that are large enough have the bits of `whole`, those of others of `plain`.
  static void compareSteps(const Inputs &in, const std::vector<int64_t> &steps,
                           const std::vector<float> &got, const std::vector<float> &whole,
                           const std::vector<float> &plain) {
    int64_t past = 0;
    for (int64_t seq : steps) {
      const std::vector<float> &expected = in.batch * seq > RLX_EXACT_TOKENS ? whole : plain;
      for (int64_t b = 0; b < in.batch; ++b) {
        int64_t begin = (b * in.length + past) * in.qColumns;
        EXPECT_EQ(std::memcmp(&got[begin], &expected[begin], seq * in.qColumns * 4), 0)
            << "position " << past << " of " << testing::PrintToString(steps);
      }
      past += seq;
    }
  }

  /// `plain`: what the kernel without the matrix unit gives.
  void checkTiled(const Shape &shape, const Inputs &in, const Inputs &kept,
                  const std::vector<float> &plain,
                  const std::vector<std::vector<int64_t>> &splits) {
    AttentionSpec spec = attentionSpec(shape, in.length, Kernel::Tiled);
    if (!canTile(spec, target()))
      return;
    KernelModule module(target());
    module.kernels().getAttention(spec);
    module.kernels().getKvAppend(appendSpec(shape));
    ASSERT_NO_FATAL_FAILURE(module.load());
    std::vector<float> whole = runChunks(module, shape, in, {in.length}, 1, Kernel::Tiled);
    EXPECT_LE(rms(outputErrors(shape, kept, whole)), tiledBound(kept));
    EXPECT_NE(whole, plain);
    // As few rows as a work item may have.
    EXPECT_EQ(runChunks(module, shape, in, {in.length}, 16, Kernel::Tiled), whole);
    for (const std::vector<int64_t> &split : splits)
      compareSteps(in, split, runChunks(module, shape, in, split, 2, Kernel::Tiled), whole, plain);
  }

  void check(const Shape &shape, int64_t batch, int64_t length,
             const std::vector<std::vector<int64_t>> &splits) {
    KernelModule module(target());
    for (Kernel kernel : {Kernel::General, Kernel::Chunks, Kernel::Generic})
      module.kernels().getAttention(attentionSpec(shape, length, kernel));
    module.kernels().getAttentionMerge(attentionSpec(shape, length, Kernel::Chunks));
    module.kernels().getKvAppend(appendSpec(shape));
    ASSERT_NO_FATAL_FAILURE(module.load());
    Inputs in(shape, batch, length);
    Inputs kept = in;
    for (std::vector<float> *values : {&kept.k, &kept.v})
      *values = stored(shape.type, *values);
    std::vector<float> whole = runChunks(module, shape, in, {length}, 1, Kernel::General);
    ASSERT_NO_FATAL_FAILURE(checkOutputs(shape, kept, whole));
    std::vector<float> generic = runChunks(module, shape, in, splits[0], 2, Kernel::Generic);
    ASSERT_NO_FATAL_FAILURE(checkOutputs(shape, kept, generic));
    auto equals = [&](const std::vector<float> &other) {
      return std::memcmp(whole.data(), other.data(), whole.size() * 4) == 0;
    };
    EXPECT_TRUE(equals(runChunks(module, shape, in, {length}, 3, Kernel::General)));
    std::vector<int64_t> ones(length, 1);
    EXPECT_TRUE(equals(runChunks(module, shape, in, ones, 1, Kernel::General)));
    EXPECT_TRUE(equals(runChunks(module, shape, in, ones, 2, Kernel::Chunks)));
    for (const std::vector<int64_t> &split : splits)
      EXPECT_TRUE(equals(runChunks(module, shape, in, split, 2, Kernel::General)))
          << testing::PrintToString(split);
    checkTiled(shape, in, kept, whole, splits);
  }
};

} // namespace

// Past the window, with rings that wrap at different places for each split.
static const std::vector<std::vector<int64_t>> kSplits = {
    {1, 59}, {59, 1}, {16, 16, 16, 12}, {15, 17, 20, 8}, {33, 2, 7, 18}};

TEST_P(AttentionKernel, FullGroupOfFour) { check({4, 1, 64, 0, KvType::F32}, 1, 60, kSplits); }
TEST_P(AttentionKernel, FullGroupOfTwoBF16) { check({4, 2, 128, 0, KvType::BF16}, 1, 60, kSplits); }
TEST_P(AttentionKernel, WindowNoGroupsF16) { check({2, 2, 256, 24, KvType::F16}, 1, 60, kSplits); }
TEST_P(AttentionKernel, WindowOfBlockSizeWithCap) {
  check({8, 1, 64, 16, KvType::BF16, true}, 1, 60, kSplits);
}
TEST_P(AttentionKernel, FullGroupOfFourQ8_0) {
  check({4, 1, 256, 0, KvType::Q8_0}, 1, 60, kSplits);
}
TEST_P(AttentionKernel, WindowOddHeadQ8_0) {
  check({6, 2, 96, 17, KvType::Q8_0, true}, 1, 60, kSplits);
}
TEST_P(AttentionKernel, OddWindowOddHead) { check({6, 2, 72, 17, KvType::F32}, 1, 60, kSplits); }
TEST_P(AttentionKernel, WindowOfOneSeesItself) {
  check({2, 1, 16, 1, KvType::F32}, 1, 20, {{7, 13}});
}
TEST_P(AttentionKernel, TwoSequences) {
  check({4, 2, 32, 0, KvType::F32}, 2, 37, {{20, 17}});
  check({4, 2, 32, 0, KvType::F16}, 2, 37, {{20, 17}, {9, 8, 20}});
}

// Past the first chunks, with windows that reach over an edge and that end on one.
TEST_P(AttentionKernel, ManyChunks) {
  check({6, 2, 24, 0, KvType::F16}, 1, 300, {{129, 171}, {255, 1, 44}});
  check({4, 1, 16, 128, KvType::F32}, 1, 300, {{128, 1, 171}, {100, 100, 100}});
  check({3, 1, 16, 150, KvType::F32, true}, 2, 280, {{270, 10}});
  check({2, 1, 32, 150, KvType::Q8_0}, 2, 280, {{270, 10}});
}

// Several work items, the last of them not full.
TEST_P(AttentionKernel, ManyChunksInTiles) {
  if (!target().tiles)
    GTEST_SKIP() << "no matrix unit";
  check({6, 2, 64, 0, KvType::F16}, 1, 300, {{129, 171}, {255, 1, 44}, {100, 100, 100}});
  check({4, 1, 32, 100, KvType::BF16, true}, 1, 300, {{128, 1, 171}, {37, 200, 63}});
  check({2, 1, 512, 0, KvType::F16}, 1, 80, {{40, 40}});
}

RLX_INSTANTIATE_KERNEL_TEST(AttentionKernel, nativeAndBaseline());
