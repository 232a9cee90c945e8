//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads .npz files with minizip.

#include "Npz.h"

#include <cstring>
#include <minizip/unzip.h>
#include <regex>
#include <stdexcept>

namespace rlx::test {

template <typename T> static void append(const char *data, size_t count, NpyArray &array) {
  for (size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, data + i * sizeof(T), sizeof(T));
    array.values.push_back(static_cast<double>(value));
  }
}

NpyArray parseNpy(const std::string &bytes) {
  if (bytes.size() < 10 || bytes.compare(0, 6, "\x93NUMPY") != 0)
    throw std::runtime_error("not an .npy file");
  bool wide = bytes[6] != 1;
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, wide ? 4 : 2);
  size_t begin = wide ? 12 : 10;
  std::string header = bytes.substr(begin, length);
  std::smatch type, shape;
  if (!std::regex_search(header, type, std::regex("'descr': *'<([fi][48])'")) ||
      !std::regex_search(header, shape, std::regex("'shape': *\\(([0-9, ]*)\\)")) ||
      header.find("'fortran_order': False") == std::string::npos)
    throw std::runtime_error("unexpected .npy header: " + header);
  NpyArray array;
  size_t count = 1;
  const std::string dims = shape[1];
  const std::regex number("[0-9]+");
  for (std::sregex_iterator it(dims.begin(), dims.end(), number), end; it != end; ++it) {
    array.shape.push_back(std::stoul(it->str()));
    count *= array.shape.back();
  }
  std::string kind = type[1];
  const char *data = bytes.data() + begin + length;
  if (bytes.size() < begin + length + count * (kind[1] - '0'))
    throw std::runtime_error("truncated .npy file");
  array.values.reserve(count);
  if (kind == "f4")
    append<float>(data, count, array);
  else if (kind == "f8")
    append<double>(data, count, array);
  else if (kind == "i4")
    append<int32_t>(data, count, array);
  else
    append<int64_t>(data, count, array);
  return array;
}

static std::string readCurrent(unzFile file, uLong size) {
  std::string bytes(size, '\0');
  if (unzOpenCurrentFile(file) != UNZ_OK)
    throw std::runtime_error("cannot open an entry");
  int got = unzReadCurrentFile(file, bytes.data(), static_cast<unsigned>(size));
  if (unzCloseCurrentFile(file) != UNZ_OK || got != static_cast<int>(size))
    throw std::runtime_error("cannot read an entry");
  return bytes;
}

std::map<std::string, NpyArray> readNpz(const std::string &path) {
  unzFile file = unzOpen64(path.c_str());
  if (!file)
    throw std::runtime_error("cannot open " + path);
  std::map<std::string, NpyArray> arrays;
  for (int state = unzGoToFirstFile(file); state == UNZ_OK; state = unzGoToNextFile(file)) {
    unz_file_info64 info;
    char name[256];
    unzGetCurrentFileInfo64(file, &info, name, sizeof(name), nullptr, 0, nullptr, 0);
    std::string key(name);
    arrays[key.substr(0, key.rfind(".npy"))] = parseNpy(readCurrent(file, info.uncompressed_size));
  }
  unzClose(file);
  return arrays;
}

std::vector<GoldenSequence> readGolden(const std::string &path) {
  std::map<std::string, NpyArray> arrays = readNpz(path);
  std::vector<GoldenSequence> sequences;
  auto add = [&](const std::string &suffix) {
    auto ids = arrays.find("ids" + suffix), logits = arrays.find("logits" + suffix);
    if (ids == arrays.end() || logits == arrays.end())
      return false;
    GoldenSequence sequence;
    sequence.ids.assign(ids->second.values.begin(), ids->second.values.end());
    sequence.logits.assign(logits->second.values.begin(), logits->second.values.end());
    sequence.vocab = logits->second.shape.back();
    if (sequence.logits.size() != sequence.ids.size() * sequence.vocab)
      throw std::runtime_error("ids and logits disagree in " + path);
    sequences.push_back(std::move(sequence));
    return true;
  };
  add("");
  for (int i = 0; add("_" + std::to_string(i)); ++i)
    ;
  if (sequences.empty())
    throw std::runtime_error("no golden sequences in " + path);
  return sequences;
}

} // namespace rlx::test
