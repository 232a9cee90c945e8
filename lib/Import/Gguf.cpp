//===- Gguf.cpp - The GGUF container --------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A file is: "GGUF", u32 version, u64 tensor count, u64 key count, the keys and
// their values, the tensors' descriptions, padding, and the tensors' data, each
// aligned. Everything is little-endian and bounded by what is left of the file.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Gguf.h"
#include "Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace rlx;
namespace endian = llvm::support::endian;

/// Bytes of one value of a scalar type; 0 for strings and arrays.
static unsigned scalarBytes(GgufType type) {
  switch (type) {
  case GgufType::UInt8:
  case GgufType::Int8:
  case GgufType::Bool:
    return 1;
  case GgufType::UInt16:
  case GgufType::Int16:
    return 2;
  case GgufType::UInt32:
  case GgufType::Int32:
  case GgufType::Float32:
    return 4;
  case GgufType::UInt64:
  case GgufType::Int64:
  case GgufType::Float64:
    return 8;
  case GgufType::String:
  case GgufType::Array:
    return 0;
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// GgufValue
//===----------------------------------------------------------------------===//

template <typename T> static T load(const uint8_t *p) {
  return endian::read<T, llvm::endianness::little>(p);
}

static std::optional<int64_t> integerAt(GgufType type, const uint8_t *p) {
  switch (type) {
  case GgufType::UInt8:
    return *p;
  case GgufType::Int8:
    return static_cast<int8_t>(*p);
  case GgufType::UInt16:
    return load<uint16_t>(p);
  case GgufType::Int16:
    return load<int16_t>(p);
  case GgufType::UInt32:
    return load<uint32_t>(p);
  case GgufType::Int32:
    return load<int32_t>(p);
  case GgufType::Int64:
    return load<int64_t>(p);
  case GgufType::UInt64:
    if (load<uint64_t>(p) <= static_cast<uint64_t>(INT64_MAX))
      return load<int64_t>(p);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

std::optional<int64_t> GgufValue::asInteger() const { return integerAt(valueType, bytes.data()); }

std::optional<double> GgufValue::asNumber() const {
  if (valueType == GgufType::Float32)
    return llvm::bit_cast<float>(load<uint32_t>(bytes.data()));
  if (valueType == GgufType::Float64)
    return llvm::bit_cast<double>(load<uint64_t>(bytes.data()));
  if (std::optional<int64_t> integer = asInteger())
    return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<bool> GgufValue::asBool() const {
  if (valueType != GgufType::Bool)
    return std::nullopt;
  return bytes[0] != 0;
}

std::optional<llvm::StringRef> GgufValue::asString() const {
  if (valueType != GgufType::String)
    return std::nullopt;
  return llvm::StringRef(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

std::optional<std::vector<int64_t>> GgufValue::asIntegers() const {
  if (!isArray())
    return std::nullopt;
  std::vector<int64_t> result;
  // A bool is stored as a byte and reads as 0 or 1.
  GgufType type = elementType == GgufType::Bool ? GgufType::UInt8 : elementType;
  unsigned size = scalarBytes(type);
  if (size == 0)
    return std::nullopt;
  for (uint64_t i = 0; i < count; ++i) {
    std::optional<int64_t> integer = integerAt(type, bytes.data() + i * size);
    if (!integer)
      return std::nullopt;
    result.push_back(*integer);
  }
  return result;
}

std::optional<std::vector<float>> GgufValue::asFloats() const {
  if (!isArray() || elementType != GgufType::Float32)
    return std::nullopt;
  std::vector<float> result(count);
  for (uint64_t i = 0; i < count; ++i)
    result[i] = llvm::bit_cast<float>(load<uint32_t>(bytes.data() + i * 4));
  return result;
}

std::optional<std::vector<llvm::StringRef>> GgufValue::asStrings() const {
  if (!isArray() || elementType != GgufType::String)
    return std::nullopt;
  std::vector<llvm::StringRef> result;
  const uint8_t *p = bytes.data();
  for (uint64_t i = 0; i < count; ++i) { // the parser has checked the sizes
    uint64_t size = load<uint64_t>(p);
    result.emplace_back(reinterpret_cast<const char *>(p) + 8, size);
    p += 8 + size;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Parser
//===----------------------------------------------------------------------===//

namespace {

class GgufParser {
public:
  GgufParser(llvm::StringRef path, llvm::ArrayRef<uint8_t> bytes) : path(path), bytes(bytes) {}
  llvm::Expected<GgufFile> parse();

private:
  uint64_t left() const { return bytes.size() - position; }
  llvm::Error truncated(const llvm::Twine &where) const {
    return importError("{0}: the file is truncated in {1} (byte {2})", path, where.str(), position);
  }
  template <typename T> bool read(T &value) {
    if (left() < sizeof(T))
      return false;
    value = load<T>(bytes.data() + position);
    position += sizeof(T);
    return true;
  }
  bool readString(llvm::StringRef &value);
  llvm::Error readHeader(GgufFile &file);
  llvm::Error readKey(GgufFile &file, uint64_t number);
  llvm::Error skipArray(llvm::StringRef key, int depth, GgufType &elementType, uint64_t &count);
  llvm::Error readTensor(GgufFile &file, uint64_t number);
  llvm::Error readAlignment(const GgufFile &file);
  llvm::Error placeTensors(GgufFile &file);

  std::string path;
  llvm::ArrayRef<uint8_t> bytes;
  uint64_t position = 0;
  uint64_t tensorCount = 0, keyCount = 0;
  uint64_t alignment = 32;
  std::vector<uint64_t> sizes; ///< of the tensors, in bytes
};

} // namespace

bool rlx::looksLikeGguf(llvm::ArrayRef<uint8_t> bytes) {
  return bytes.size() >= 4 && std::memcmp(bytes.data(), "GGUF", 4) == 0;
}

bool GgufParser::readString(llvm::StringRef &value) {
  uint64_t size = 0;
  if (!read(size) || size > left())
    return false;
  value = llvm::StringRef(reinterpret_cast<const char *>(bytes.data()) + position, size);
  position += size;
  return true;
}

llvm::Error GgufParser::readHeader(GgufFile &file) {
  if (!looksLikeGguf(bytes))
    return importError("{0}: expected a GGUF file, but its magic number is another", path);
  position = 4;
  if (!read(file.version) || !read(tensorCount) || !read(keyCount))
    return truncated("the header");
  if (file.version != 0 && (file.version & 0xffff) == 0)
    return importError("{0}: the file is big-endian, which is not supported", path);
  if (file.version != 2 && file.version != 3)
    return importError("{0}: GGUF version {1} is not supported (expected 2 or 3)", path,
                       file.version);
  // A key takes 13 bytes at least, a tensor 24.
  if (keyCount > left() / 13)
    return importError("{0}: expected at most {1} keys in a file of this size but got {2}", path,
                       left() / 13, keyCount);
  if (tensorCount > left() / 24)
    return importError("{0}: expected at most {1} tensors in a file of this size but got {2}", path,
                       left() / 24, tensorCount);
  return llvm::Error::success();
}

/// Steps over an array; a nested one is legal, and no key of ours has one.
llvm::Error GgufParser::skipArray(llvm::StringRef key, int depth, GgufType &elementType,
                                  uint64_t &count) {
  uint32_t type = 0;
  if (!read(type) || !read(count))
    return truncated("key '" + printable(key) + "'");
  if (type > static_cast<uint32_t>(GgufType::Float64))
    return importError("{0}: key '{1}': value type {2} is unknown", path, printable(key), type);
  elementType = static_cast<GgufType>(type);
  unsigned size = scalarBytes(elementType);
  // An empty string or array still takes 8 bytes or more, so this bounds loops too.
  if (count > left() / (size ? size : 8))
    return importError("{0}: key '{1}': an array of {2} elements does not fit into the file", path,
                       printable(key), count);
  if (size) {
    position += count * size;
    return llvm::Error::success();
  }
  if (elementType == GgufType::Array && depth >= 4)
    return importError("{0}: key '{1}': its arrays nest too deeply", path, printable(key));
  for (uint64_t i = 0; i < count; ++i) {
    llvm::StringRef text;
    GgufType innerType;
    uint64_t innerCount = 0;
    if (elementType == GgufType::String) {
      if (!readString(text))
        return truncated("key '" + printable(key) + "'");
    } else if (llvm::Error error = skipArray(key, depth + 1, innerType, innerCount)) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error GgufParser::readKey(GgufFile &file, uint64_t number) {
  llvm::StringRef key;
  uint32_t typeNumber = 0;
  if (!readString(key) || !read(typeNumber))
    return truncated("key " + llvm::Twine(number));
  if (typeNumber > static_cast<uint32_t>(GgufType::Float64))
    return importError("{0}: key '{1}': value type {2} is unknown", path, printable(key),
                       typeNumber);
  auto type = static_cast<GgufType>(typeNumber);
  GgufValue value;
  if (type == GgufType::Array) {
    uint64_t begin = position + 12, count = 0; // after the element type and the count
    GgufType elementType;
    if (llvm::Error error = skipArray(key, 0, elementType, count))
      return error;
    value = GgufValue(elementType, count, bytes.slice(begin, position - begin));
  } else if (type == GgufType::String) {
    llvm::StringRef text;
    if (!readString(text))
      return truncated("key '" + printable(key) + "'");
    value = GgufValue(type, llvm::arrayRefFromStringRef(text));
  } else {
    unsigned size = scalarBytes(type);
    if (left() < size)
      return truncated("key '" + printable(key) + "'");
    value = GgufValue(type, bytes.slice(position, size));
    position += size;
  }
  if (!file.metadata.try_emplace(key, value).second)
    return importError("{0}: key '{1}' occurs twice", path, printable(key));
  return llvm::Error::success();
}

llvm::Error GgufParser::readTensor(GgufFile &file, uint64_t number) {
  llvm::StringRef name;
  uint32_t rank = 0, typeNumber = 0;
  if (!readString(name) || !read(rank))
    return truncated("the description of tensor " + llvm::Twine(number));
  auto fail = [&](const llvm::Twine &message) {
    return importError("{0}: tensor '{1}': {2}", path, printable(name), message.str());
  };
  if (rank > 4)
    return fail("expected at most 4 dimensions but got " + llvm::Twine(rank));
  Tensor tensor;
  tensor.name = name.str();
  tensor.file = path;
  for (uint32_t i = 0; i < rank; ++i) {
    uint64_t dim = 0;
    if (!read(dim))
      return truncated("the description of tensor '" + printable(name) + "'");
    if (dim > static_cast<uint64_t>(INT64_MAX))
      return fail("dimension " + llvm::Twine(dim) + " is out of range");
    tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(dim));
  }
  if (!read(typeNumber) || !read(tensor.offset))
    return truncated("the description of tensor '" + printable(name) + "'");
  std::optional<StorageType> type = lookUpGgmlType(typeNumber);
  if (!type)
    return fail("type number " + llvm::Twine(typeNumber) + " is unknown");
  tensor.type = type->type;
  tensor.typeName = type->name.str();
  llvm::Expected<uint64_t> size = storageSize(*type, tensor.shape);
  if (!size)
    return fail(llvm::toString(size.takeError()));
  sizes.push_back(*size);
  file.tensors.push_back(std::move(tensor));
  return llvm::Error::success();
}

llvm::Error GgufParser::readAlignment(const GgufFile &file) {
  auto it = file.metadata.find("general.alignment");
  if (it == file.metadata.end())
    return llvm::Error::success();
  std::optional<int64_t> value = it->second.asInteger();
  if (!value || *value < 8 || *value > (1 << 20) || !llvm::isPowerOf2_64(*value))
    return importError("{0}: key 'general.alignment': expected a power of two from 8 to 1048576",
                       path);
  alignment = static_cast<uint64_t>(*value);
  return llvm::Error::success();
}

/// Points each tensor at its bytes; they may leave gaps, but not overlap.
llvm::Error GgufParser::placeTensors(GgufFile &file) {
  uint64_t base = llvm::alignTo(position, alignment);
  llvm::ArrayRef<uint8_t> data = bytes.drop_front(std::min<uint64_t>(base, bytes.size()));
  std::vector<size_t> order(file.tensors.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::tuple(file.tensors[a].offset, sizes[a], a) <
           std::tuple(file.tensors[b].offset, sizes[b], b);
  });
  uint64_t end = 0;
  for (size_t i : order) {
    Tensor &tensor = file.tensors[i];
    auto fail = [&](const llvm::Twine &message) {
      return importError("{0}: tensor '{1}': {2}", path, printable(tensor.name), message.str());
    };
    if (tensor.offset % alignment != 0)
      return fail("its offset " + llvm::Twine(tensor.offset) + " is not a multiple of " +
                  llvm::Twine(alignment));
    if (tensor.offset > data.size() || sizes[i] > data.size() - tensor.offset)
      return fail("the file is truncated or the offset is wrong (expected " +
                  llvm::Twine(sizes[i]) + " bytes at " + llvm::Twine(tensor.offset) +
                  " but the data has " + llvm::Twine(data.size()) + ")");
    if (tensor.offset < end)
      return fail("its data overlaps another tensor's");
    tensor.bytes = data.slice(tensor.offset, sizes[i]);
    end = tensor.offset + sizes[i];
    tensor.offset += base;
  }
  return llvm::Error::success();
}

llvm::Expected<GgufFile> GgufParser::parse() {
  GgufFile file;
  if (llvm::Error error = readHeader(file))
    return std::move(error);
  for (uint64_t i = 0; i < keyCount; ++i)
    if (llvm::Error error = readKey(file, i))
      return std::move(error);
  for (uint64_t i = 0; i < tensorCount; ++i)
    if (llvm::Error error = readTensor(file, i))
      return std::move(error);
  if (llvm::Error error = readAlignment(file))
    return std::move(error);
  if (llvm::Error error = placeTensors(file))
    return std::move(error);
  return std::move(file);
}

llvm::Expected<GgufFile> rlx::parseGguf(llvm::StringRef path, llvm::ArrayRef<uint8_t> bytes) {
  return GgufParser(path, bytes).parse();
}
