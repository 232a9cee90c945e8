//===- PackWeights.cpp - From checkpoint tensors to weights.bin -----------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Threads pack the panels of a batch; meanwhile the batch before is hashed and
// handed on. Scales wait in memory until the quants of their weight are out: they
// are a sixteenth of the largest q8_0 weight, an eighth of the largest q4_0 one, and
// less for the formats with integer scales but q2_k.
//===----------------------------------------------------------------------===//
#include "rlx/Packing/PackWeights.h"
#include "PanelWriter.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/ThreadPool.h"
#include <cmath>

using namespace rlx;

namespace {

class Packer {
public:
  Packer(const PackOptions &options, uint64_t total, ByteSink sink)
      : options(options), sink(sink), total(total),
        threads(llvm::hardware_concurrency(options.threads)), pool(threads) {
    threadCount = std::max(1u, threads.compute_thread_count());
  }

  llvm::Error pack(const WeightRecipe &recipe);
  PackedWeights finish();

private:
  llvm::Error packPanels(const WeightRecipe &recipe, const RowReader &reader);
  llvm::Error packRows(const WeightRecipe &recipe, const RowReader &reader);
  llvm::Error write(llvm::ArrayRef<uint8_t> bytes);
  llvm::Error padTo(uint64_t offset);

  const PackOptions &options;
  ByteSink sink;
  uint64_t total;
  llvm::ThreadPoolStrategy threads;
  llvm::DefaultThreadPool pool;
  unsigned threadCount;
  llvm::SHA256 hash;
  uint64_t written = 0;
};

} // namespace

llvm::Error Packer::write(llvm::ArrayRef<uint8_t> bytes) {
  hash.update(bytes);
  if (llvm::Error error = sink(bytes))
    return error;
  written += bytes.size();
  if (options.progress)
    options.progress(written, total);
  return llvm::Error::success();
}

llvm::Error Packer::padTo(uint64_t offset) {
  assert(offset >= written && "recipes overlap");
  static constexpr uint8_t zeros[kWeightAlignment] = {};
  while (written < offset)
    if (llvm::Error error = write(
            llvm::ArrayRef(zeros).take_front(std::min<uint64_t>(offset - written, sizeof zeros))))
      return error;
  return llvm::Error::success();
}

llvm::Error Packer::pack(const WeightRecipe &recipe) {
  if (llvm::Error error = padTo(recipe.offset))
    return error;
  RowReader reader(recipe);
  llvm::Error error =
      recipe.layout == WeightLayout::Row ? packRows(recipe, reader) : packPanels(recipe, reader);
  if (!error && options.release)
    for (const Tensor *tensor : recipe.sources)
      options.release(*tensor);
  return error;
}

llvm::Error Packer::packRows(const WeightRecipe &recipe, const RowReader &reader) {
  uint64_t size = recipe.columns * 4;
  uint64_t perBatch = std::max<uint64_t>(1, options.batchBytes / (recipe.sourceColumns * 4));
  std::vector<uint8_t> bytes;
  for (uint64_t begin = 0; begin < recipe.rows; begin += perBatch) {
    uint64_t count = std::min(perBatch, recipe.rows - begin);
    bytes.resize(count * size);
    uint64_t share = llvm::divideCeil(count, threadCount);
    for (uint64_t first = 0; first < count; first += share)
      pool.async([&, first] {
        RowBuffer buffer;
        for (uint64_t row = first; row < std::min(first + share, count); ++row) {
          reader.read(begin + row, buffer);
          for (auto [i, value] : llvm::enumerate(buffer.values))
            llvm::support::endian::write32le(&bytes[row * size + i * 4],
                                             llvm::bit_cast<uint32_t>(value));
        }
      });
    pool.wait();
    if (llvm::Error error = write(bytes))
      return error;
  }
  return llvm::Error::success();
}

/// The root of the mean squared error in units of that of the values.
static double relativeError(llvm::ArrayRef<SquaredError> errors) {
  SquaredError sum;
  for (const SquaredError &panel : errors) {
    sum.error += panel.error;
    sum.values += panel.values;
  }
  return sum.values > 0 ? std::sqrt(sum.error / sum.values) : 0.0;
}

llvm::Error Packer::packPanels(const WeightRecipe &recipe, const RowReader &reader) {
  uint64_t panels = panelCount(reader.packedRows());
  uint64_t size = panelBytes(recipe.format, recipe.columns);
  uint64_t perBatch = std::max<uint64_t>(1, options.batchBytes / std::max<uint64_t>(1, size));

  std::vector<SquaredError> errors(panels);
  std::vector<uint8_t> packing, ready;
  for (uint64_t begin = 0; begin < panels; begin += perBatch) {
    uint64_t count = std::min(perBatch, panels - begin);
    packing.assign(count * size, 0);
    uint64_t share = llvm::divideCeil(count, threadCount);
    for (uint64_t first = 0; first < count; first += share)
      pool.async([&, first] {
        RowBuffer buffer;
        for (uint64_t i = first; i < std::min(first + share, count); ++i)
          errors[begin + i] = writePanel(recipe.format, reader, begin + i, buffer,
                                         llvm::MutableArrayRef(packing).slice(i * size, size));
      });
    llvm::Error error = write(ready);
    pool.wait();
    if (error)
      return error;
    std::swap(packing, ready);
  }
  if (llvm::Error error = write(ready))
    return error;
  if (options.quantized && reader.quantizes())
    options.quantized(recipe, relativeError(errors));
  return llvm::Error::success();
}

PackedWeights Packer::finish() { return {written, hash.final()}; }

llvm::Expected<PackedWeights> rlx::packWeights(llvm::ArrayRef<WeightRecipe> recipes,
                                               const PackOptions &options, ByteSink sink) {
  uint64_t total = 0;
  for (const WeightRecipe &recipe : recipes)
    total = std::max(total, recipe.offset + recipe.size);
  Packer packer(options, total, sink);
  for (const WeightRecipe &recipe : recipes)
    if (llvm::Error error = packer.pack(recipe))
      return std::move(error);
  return packer.finish();
}
