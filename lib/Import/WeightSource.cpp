//===- WeightSource.cpp - Named tensors of a checkpoint -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Bookkeeping shared by all weight sources, and the in-memory one.
//===----------------------------------------------------------------------===//
#include "rlx/Import/WeightSource.h"
#include "Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/raw_ostream.h"
#include <cassert>
#include <cstring>

using namespace rlx;

std::string rlx::printable(llvm::StringRef text) {
  std::string result;
  for (char c : text.take_front(120))
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text.size() > 120 ? result + "..." : result;
}

bool rlx::isUtf8(llvm::StringRef text) {
  const llvm::UTF8 *begin = text.bytes_begin();
  return llvm::isLegalUTF8String(&begin, text.bytes_end());
}

//===----------------------------------------------------------------------===//
// Tensor
//===----------------------------------------------------------------------===//

int64_t Tensor::numElements() const {
  int64_t count = 1;
  for (int64_t dim : shape)
    count *= dim;
  return count;
}

int64_t Tensor::numRows() const {
  int64_t count = 1;
  for (int64_t dim : llvm::ArrayRef(shape).drop_back(shape.empty() ? 0 : 1))
    count *= dim;
  return count;
}

uint64_t Tensor::rowBytes() const {
  const DTypeInfo &info = getDTypeInfo(type);
  int64_t columns = shape.empty() ? 1 : shape.back();
  return static_cast<uint64_t>(columns) / info.blockElements * info.blockBytes;
}

llvm::Expected<uint64_t> rlx::storageSize(const StorageType &type, llvm::ArrayRef<int64_t> shape) {
  // Any size below 2^48 keeps later arithmetic far from overflow.
  constexpr int64_t limit = int64_t(1) << 48;
  int64_t elements = 1;
  for (int64_t dim : shape) {
    if (dim < 0 || dim > limit)
      return importError("dimension {0} is out of range", dim);
    std::optional<int64_t> product = llvm::checkedMul(elements, dim);
    if (!product || *product > limit)
      return importError("its size overflows");
    elements = *product;
  }
  int64_t columns = shape.empty() ? 1 : shape.back();
  if (columns % type.blockElements != 0)
    return importError("expected rows of a multiple of {0} elements for type {1} but got {2}",
                       type.blockElements, type.name, columns);
  return static_cast<uint64_t>(elements) / type.blockElements * type.blockBytes;
}

//===----------------------------------------------------------------------===//
// WeightSource
//===----------------------------------------------------------------------===//

WeightSource::~WeightSource() = default;

const Tensor *WeightSource::find(llvm::StringRef name) const {
  auto it = index.find(name);
  return it == index.end() ? nullptr : &entries[it->second].tensor;
}

WeightSource::Entry &WeightSource::entry(const Tensor &tensor) {
  auto it = index.find(tensor.name);
  assert(it != index.end() && "a tensor of another source");
  return entries[it->second];
}

const WeightSource::Entry &WeightSource::entry(const Tensor &tensor) const {
  return const_cast<WeightSource *>(this)->entry(tensor);
}

llvm::Expected<const Tensor *> WeightSource::consume(llvm::StringRef name) {
  const Tensor *tensor = find(name);
  if (!tensor)
    return importError("{0}: tensor '{1}' is missing", sourceName, name);
  if (tensor->type == DType::Unsupported)
    return importError(
        "{0}: tensor '{1}' has type {2}, which is not supported; convert it to "
        "one of F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, "
        "IQ4_NL, IQ4_XS",
        tensor->file, name, tensor->typeName);
  entry(*tensor).use = TensorUse::Consumed;
  return tensor;
}

void WeightSource::skip(const Tensor &tensor, llvm::StringRef reason) {
  Entry &slot = entry(tensor);
  slot.use = TensorUse::Skipped;
  slot.reason = reason.str();
}

void WeightSource::markMtp(const Tensor &tensor) { entry(tensor).use = TensorUse::Mtp; }

TensorUse WeightSource::use(const Tensor &tensor) const { return entry(tensor).use; }

llvm::StringRef WeightSource::skipReason(const Tensor &tensor) const {
  return entry(tensor).reason;
}

std::vector<const Tensor *> WeightSource::withUse(TensorUse use) const {
  std::vector<const Tensor *> result;
  for (const Entry &slot : entries)
    if (slot.use == use)
      result.push_back(&slot.tensor);
  return result;
}

llvm::Error WeightSource::add(Tensor tensor) {
  if (!index.try_emplace(tensor.name, entries.size()).second)
    return importError("{0}: tensor '{1}' occurs twice", tensor.file, printable(tensor.name));
  entries.push_back({std::move(tensor), TensorUse::Unused, {}});
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// InMemoryWeightSource
//===----------------------------------------------------------------------===//

llvm::Error InMemoryWeightSource::addTensor(llvm::StringRef name, DType type,
                                            llvm::ArrayRef<int64_t> shape,
                                            std::vector<uint8_t> bytes) {
  if (type == DType::Unsupported)
    return importError("{0}: tensor '{1}' has no supported type", this->name(), name);
  const DTypeInfo &info = getDTypeInfo(type);
  llvm::Expected<uint64_t> size =
      storageSize({type, info.name, info.blockElements, info.blockBytes}, shape);
  if (!size)
    return importError("{0}: tensor '{1}': {2}", this->name(), name,
                       llvm::toString(size.takeError()));
  if (*size != bytes.size())
    return importError("{0}: tensor '{1}': expected {2} bytes but got {3}", this->name(), name,
                       *size, bytes.size());
  storage.push_back(std::move(bytes));
  Tensor tensor;
  tensor.name = name.str();
  tensor.type = type;
  tensor.typeName = llvm::StringRef(info.name).upper();
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.file = "<memory>";
  tensor.bytes = storage.back();
  return add(std::move(tensor));
}

llvm::Error InMemoryWeightSource::addTensor(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                                            llvm::ArrayRef<float> values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  if (!bytes.empty())
    std::memcpy(bytes.data(), values.data(), bytes.size());
  return addTensor(name, DType::F32, shape, std::move(bytes));
}
