//===- WeightSource.h - Named tensors of a checkpoint -----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The one interface through which the compiler reads weights, whatever the
// container. Bytes are views of mapped files, never copies.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_WEIGHTSOURCE_H
#define RLX_IMPORT_WEIGHTSOURCE_H

#include "rlx/Import/DType.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace rlx {

/// One tensor of a checkpoint.
struct Tensor {
  std::string name;
  DType type = DType::F32;
  std::string typeName; ///< as the file spells it, also for unsupported types
  /// Row-major: the last dimension is contiguous. A GGUF file's reversed
  /// dimensions are already turned round: a matrix is [out, in].
  llvm::SmallVector<int64_t, 4> shape;
  std::string file;    ///< path of the file that holds it, "<memory>" if none
  uint64_t offset = 0; ///< of the first byte, from the start of the file
  /// The stored bytes; not necessarily aligned for the element type.
  llvm::ArrayRef<uint8_t> bytes;

  int64_t numElements() const;
  /// Product of all dimensions but the last (1 for a vector).
  int64_t numRows() const;
  /// Bytes of one row (of the last dimension). Needs a supported type.
  uint64_t rowBytes() const;
};

/// What has become of a tensor of a source.
enum class TensorUse : uint8_t { Unused, Consumed, Skipped, Mtp };

/// The tensors of one checkpoint, in file order, with bookkeeping of their use:
/// at the end of an import each is consumed or skipped for a stated reason.
class WeightSource {
public:
  virtual ~WeightSource();
  WeightSource(const WeightSource &) = delete;
  WeightSource &operator=(const WeightSource &) = delete;

  /// What error messages call the whole source: the path that was opened.
  llvm::StringRef name() const { return sourceName; }

  size_t size() const { return entries.size(); }
  const Tensor &operator[](size_t index) const { return entries[index].tensor; }
  const Tensor *find(llvm::StringRef name) const;
  bool contains(llvm::StringRef name) const { return find(name) != nullptr; }

  /// Marks `name` as consumed and returns it. An error names a tensor that is
  /// missing or whose type RLX does not read.
  llvm::Expected<const Tensor *> consume(llvm::StringRef name);
  void skip(const Tensor &tensor, llvm::StringRef reason);
  /// Marks a tensor of a multi-token-prediction head.
  void markMtp(const Tensor &tensor);

  TensorUse use(const Tensor &tensor) const;
  llvm::StringRef skipReason(const Tensor &tensor) const;
  /// Tensors that stand at `use`, in file order.
  std::vector<const Tensor *> withUse(TensorUse use) const;

  /// Hint that `tensor` will not be read again soon: its pages may leave memory.
  virtual void release(const Tensor &tensor) const {}

protected:
  explicit WeightSource(std::string name) : sourceName(std::move(name)) {}
  /// Appends a tensor; an error if its name is taken.
  llvm::Error add(Tensor tensor);

private:
  struct Entry {
    Tensor tensor;
    TensorUse use = TensorUse::Unused;
    std::string reason;
  };
  Entry &entry(const Tensor &tensor);
  const Entry &entry(const Tensor &tensor) const;

  std::string sourceName;
  std::deque<Entry> entries; // a deque: pointers to tensors stay valid
  llvm::StringMap<size_t> index;
};

/// Tensors that a program holds in memory: for tests and for embedders.
class InMemoryWeightSource : public WeightSource {
public:
  explicit InMemoryWeightSource(std::string name = "<memory>") : WeightSource(std::move(name)) {}

  /// Adds a tensor that owns `bytes`, whose size must fit type and shape.
  llvm::Error addTensor(llvm::StringRef name, DType type, llvm::ArrayRef<int64_t> shape,
                        std::vector<uint8_t> bytes);
  /// Adds an f32 tensor.
  llvm::Error addTensor(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<float> values);

private:
  std::deque<std::vector<uint8_t>> storage;
};

/// The bytes that a tensor of this type and shape takes; an error for negative
/// or overflowing sizes and for rows that are no whole number of blocks.
llvm::Expected<uint64_t> storageSize(const StorageType &type, llvm::ArrayRef<int64_t> shape);

/// Opens one `.safetensors` or GGUF file, told apart by content.
llvm::Expected<std::unique_ptr<WeightSource>> openWeightFile(llvm::StringRef path);

/// Opens a `model.safetensors.index.json` and every shard that it names.
llvm::Expected<std::unique_ptr<WeightSource>> openWeightIndex(llvm::StringRef path);

} // namespace rlx

#endif // RLX_IMPORT_WEIGHTSOURCE_H
