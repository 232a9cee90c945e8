//===- FileBuilders.h - Byte-sized files for tests ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Builds small GGUF and safetensors files, whole or damaged on purpose.
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_IMPORT_FILEBUILDERS_H
#define RLX_TEST_UNIT_IMPORT_FILEBUILDERS_H

#include "rlx/Import/Gguf.h"
#include "rlx/Import/ModelConfig.h"
#include "rlx/Import/WeightSource.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstring>
#include <string>

namespace rlx::testing {

inline llvm::ArrayRef<uint8_t> bytesOf(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// The bytes of a value, little-endian like the machines that run the tests.
template <typename T> std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// A string as GGUF stores it.
inline std::string ggufString(const std::string &text) { return raw<uint64_t>(text.size()) + text; }

/// Puts a GGUF file together; every field may be made wrong.
class GgufBuilder {
public:
  std::string magic = "GGUF";
  uint32_t version = 3;
  uint64_t extraKeys = 0, extraTensors = 0; ///< counted in the header, but not there
  uint64_t alignment = 32;

  GgufBuilder &key(const std::string &name, GgufType type, const std::string &value);
  GgufBuilder &u32(const std::string &name, uint32_t value);
  GgufBuilder &f32(const std::string &name, float value);
  GgufBuilder &boolean(const std::string &name, bool value);
  GgufBuilder &string(const std::string &name, const std::string &value);
  /// `values` are the elements' bytes, one after another.
  GgufBuilder &array(const std::string &name, GgufType type, uint64_t count,
                     const std::string &values);
  GgufBuilder &strings(const std::string &name, const std::vector<std::string> &values);
  /// Removes a key that was added.
  GgufBuilder &without(const std::string &name);

  /// Describes a tensor (GGUF's order of dimensions) at an offset of the data.
  GgufBuilder &tensorAt(const std::string &name, std::vector<uint64_t> dims, uint32_t type,
                        uint64_t offset);
  /// Adds a tensor of zeros behind the others.
  GgufBuilder &tensor(const std::string &name, std::vector<uint64_t> dims, uint32_t type = 0);
  GgufBuilder &withoutTensor(const std::string &name);

  std::string header() const; ///< without padding and data
  std::string build() const;

  uint64_t dataBytes = 0;

private:
  std::vector<std::pair<std::string, std::string>> keys, tensors;
};

/// A whole Gemma model (arch gemma, gemma2 or gemma3) with an F32 weight of zeros
/// for each tensor: hidden size 8, two heads of 4, vocabulary 6.
GgufBuilder tinyGguf(const std::string &arch, int layers = 1);

/// A safetensors file.
std::string safetensors(const std::string &header, const std::string &data = "");

/// The smallest config of an architecture, with Hugging Face's names.
ModelConfig tinyConfig(const std::string &arch, int layers = 1);

/// Adds an F32 tensor of zeros for each weight that `config` calls for.
void addTensors(const ModelConfig &config, InMemoryWeightSource &source);

/// A folder that goes away with the object.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  std::string path(const std::string &name = "") const;
  /// Writes a file and returns its path.
  std::string write(const std::string &name, const std::string &content) const;

private:
  std::string folder;
};

} // namespace rlx::testing

#endif // RLX_TEST_UNIT_IMPORT_FILEBUILDERS_H
