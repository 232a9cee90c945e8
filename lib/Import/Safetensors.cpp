//===- Safetensors.cpp - The safetensors container ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A file is: u64 n, n bytes of JSON, data. The JSON maps each tensor's name to
// its dtype, shape and [begin, end) in the data, which must tile the data.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Safetensors.h"
#include "Error.h"
#include "Json.h"
#include "MappedFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include <map>
#include <set>

using namespace rlx;
using nlohmann::json;

/// The format's own limit on the header.
static constexpr uint64_t maxHeaderBytes = 100'000'000;

bool rlx::looksLikeSafetensors(llvm::ArrayRef<uint8_t> bytes) {
  return bytes.size() >= 9 && bytes[8] == '{' &&
         llvm::support::endian::read64le(bytes.data()) <= maxHeaderBytes;
}

/// Reads dtype and shape of `value`, and its range into `tensor.offset` (from the
/// start of the data) and `size`.
static llvm::Error readEntry(llvm::StringRef path, const json &value, Tensor &tensor,
                             uint64_t &size) {
  auto fail = [&](const llvm::Twine &message) {
    return importError("{0}: tensor '{1}': {2}", path, printable(tensor.name), message.str());
  };
  if (!value.is_object())
    return fail("expected an object with dtype, shape and data_offsets");
  auto dtype = value.find("dtype"), shape = value.find("shape"),
       offsets = value.find("data_offsets");
  if (dtype == value.end() || !dtype->is_string())
    return fail("expected a string 'dtype'");
  tensor.typeName = dtype->get<std::string>();
  std::optional<StorageType> type = lookUpSafetensorsType(tensor.typeName);
  if (!type)
    return fail("dtype '" + printable(tensor.typeName) + "' is unknown");
  tensor.type = type->type;
  if (shape == value.end() || !shape->is_array() || shape->size() > 8)
    return fail("expected 'shape' to be a list of at most 8 sizes");
  for (const json &dim : *shape) {
    if (!dim.is_number_unsigned() || dim.get<uint64_t>() > uint64_t(INT64_MAX))
      return fail("'shape' has a size that is out of range");
    tensor.shape.push_back(dim.get<int64_t>());
  }
  if (offsets == value.end() || !offsets->is_array() || offsets->size() != 2 ||
      !(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned())
    return fail("expected 'data_offsets' to be two integers");
  tensor.offset = (*offsets)[0].get<uint64_t>();
  uint64_t end = (*offsets)[1].get<uint64_t>();
  if (end < tensor.offset)
    return fail("'data_offsets' end before they begin");
  size = end - tensor.offset;
  llvm::Expected<uint64_t> expected = storageSize(*type, tensor.shape);
  if (!expected)
    return fail(llvm::toString(expected.takeError()));
  if (*expected != size)
    return fail(llvm::formatv("dtype and shape need {0} bytes but 'data_offsets' span {1}",
                              *expected, size));
  return llvm::Error::success();
}

/// Checks that the tensors, sorted by offset, tile `data`, and points them at it.
static llvm::Error placeTensors(llvm::StringRef path, llvm::ArrayRef<uint8_t> data,
                                uint64_t dataOffset,
                                llvm::MutableArrayRef<std::pair<Tensor, uint64_t>> tensors) {
  uint64_t end = 0;
  for (auto &[tensor, size] : tensors) {
    if (tensor.offset != end)
      return importError("{0}: tensor '{1}': {2} (expected its data at {3} but got {4})", path,
                         printable(tensor.name),
                         tensor.offset < end ? "its data overlaps another tensor's"
                                             : "there is a gap before its data",
                         end, tensor.offset);
    if (size > data.size() - end)
      return importError("{0}: tensor '{1}': the file is truncated (expected {2} bytes of data "
                         "but got {3})",
                         path, printable(tensor.name), end + size, data.size());
    tensor.bytes = data.slice(end, size);
    end += size;
    tensor.offset += dataOffset;
  }
  if (end != data.size())
    return importError("{0}: expected {1} bytes of data but got {2}: the file is damaged", path,
                       end, data.size());
  return llvm::Error::success();
}

llvm::Expected<std::vector<Tensor>> rlx::parseSafetensors(llvm::StringRef path,
                                                          llvm::ArrayRef<uint8_t> bytes) {
  if (bytes.size() < 8)
    return importError("{0}: the file is truncated: expected an 8-byte header size", path);
  uint64_t headerBytes = llvm::support::endian::read64le(bytes.data());
  if (headerBytes > maxHeaderBytes)
    return importError("{0}: a header of {1} bytes is absurd: not a safetensors file?", path,
                       headerBytes);
  if (headerBytes > bytes.size() - 8)
    return importError("{0}: the file is truncated: expected a header of {1} bytes but got {2}",
                       path, headerBytes, bytes.size() - 8);
  llvm::StringRef text(reinterpret_cast<const char *>(bytes.data()) + 8, headerBytes);
  llvm::Expected<json> header = parseJsonObject(path, text);
  if (!header)
    return header.takeError();

  std::vector<std::pair<Tensor, uint64_t>> entries;
  for (const auto &[name, value] : header->items()) {
    if (name == "__metadata__")
      continue;
    Tensor tensor;
    tensor.name = name;
    tensor.file = path.str();
    uint64_t size = 0;
    if (llvm::Error error = readEntry(path, value, tensor, size))
      return std::move(error);
    entries.emplace_back(std::move(tensor), size);
  }
  // Empty tensors come before the one that begins where they lie.
  llvm::sort(entries, [](const auto &a, const auto &b) {
    return std::tie(a.first.offset, a.second, a.first.name) <
           std::tie(b.first.offset, b.second, b.first.name);
  });
  uint64_t dataOffset = 8 + headerBytes;
  if (llvm::Error error = placeTensors(path, bytes.drop_front(dataOffset), dataOffset, entries))
    return std::move(error);
  std::vector<Tensor> tensors;
  for (auto &entry : entries)
    tensors.push_back(std::move(entry.first));
  return std::move(tensors);
}

llvm::Expected<ShardIndex> rlx::parseShardIndex(llvm::StringRef path, llvm::StringRef text) {
  llvm::Expected<json> index = parseJsonObject(path, text);
  if (!index)
    return index.takeError();
  auto map = index->find("weight_map");
  if (map == index->end() || !map->is_object() || map->empty())
    return importError("{0}: key 'weight_map': expected an object that names each tensor's file",
                       path);
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto &[tensor, file] : map->items()) {
    if (!file.is_string())
      return importError("{0}: tensor '{1}': expected a file name", path, printable(tensor));
    std::string name = file.get<std::string>();
    // Only files beside the index: an index must not reach elsewhere.
    if (name.empty() || name == "." || name == ".." ||
        llvm::StringRef(name).find_first_of(llvm::StringRef("/\\\0", 3)) != llvm::StringRef::npos)
      return importError("{0}: tensor '{1}': '{2}' is not the name of a file beside the index",
                         path, printable(tensor), printable(name));
    shards[name].push_back(tensor);
  }
  ShardIndex result;
  for (auto &[file, tensors] : shards)
    result.shards.push_back({file, std::move(tensors)});
  return std::move(result);
}

/// Checks that a shard holds exactly what the index lists for it: otherwise the two
/// do not belong together.
static llvm::Error checkShard(llvm::StringRef index, llvm::StringRef file,
                              const ShardIndex::Shard &shard, const std::vector<Tensor> &tensors) {
  std::set<std::string> listed(shard.tensors.begin(), shard.tensors.end());
  for (const Tensor &tensor : tensors)
    if (listed.erase(tensor.name) == 0)
      return importError("{0}: tensor '{1}' is not listed for this file in {2}", file,
                         printable(tensor.name), index);
  if (!listed.empty())
    return importError("{0}: tensor '{1}' is missing, which {2} lists", file,
                       printable(*listed.begin()), index);
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<WeightSource>> rlx::openWeightIndex(llvm::StringRef path) {
  llvm::Expected<MappedFile> indexFile = MappedFile::open(path);
  if (!indexFile)
    return indexFile.takeError();
  llvm::Expected<ShardIndex> index = parseShardIndex(path, indexFile->text());
  if (!index)
    return index.takeError();
  auto source = std::make_unique<MappedWeightSource>(path.str());
  for (const ShardIndex::Shard &shard : index->shards) {
    std::string file = findBeside(path, shard.file).value_or("");
    if (file.empty())
      return importError("{0}: file '{1}' is missing, which holds tensor '{2}'", path,
                         printable(shard.file), printable(shard.tensors.front()));
    llvm::Expected<MappedFile> mapped = MappedFile::open(file);
    if (!mapped)
      return mapped.takeError();
    llvm::Expected<std::vector<Tensor>> tensors = parseSafetensors(file, mapped->bytes());
    if (!tensors)
      return tensors.takeError();
    if (llvm::Error error = checkShard(path, file, shard, *tensors))
      return std::move(error);
    if (llvm::Error error = source->addFile(std::move(*mapped), std::move(*tensors)))
      return std::move(error);
  }
  return std::unique_ptr<WeightSource>(std::move(source));
}
