//===- Gguf.h - The GGUF container ----------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Parser of GGUF files (versions 2 and 3): metadata and tensors.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_GGUF_H
#define RLX_IMPORT_GGUF_H

#include "rlx/Import/ModelConfig.h"
#include "rlx/Import/Vocabulary.h"
#include "rlx/Import/WeightSource.h"
#include "llvm/ADT/StringMap.h"

namespace rlx {

/// Numbered as the format numbers them.
enum class GgufType : uint32_t {
  UInt8,
  Int8,
  UInt16,
  Int16,
  UInt32,
  Int32,
  Float32,
  Bool,
  String,
  Array,
  UInt64,
  Int64,
  Float64
};

/// One metadata value: a view of the file, decoded when asked for.
class GgufValue {
public:
  GgufValue() = default;
  GgufValue(GgufType type, llvm::ArrayRef<uint8_t> bytes) : valueType(type), bytes(bytes) {}
  GgufValue(GgufType elementType, uint64_t count, llvm::ArrayRef<uint8_t> bytes)
      : valueType(GgufType::Array), elementType(elementType), count(count), bytes(bytes) {}

  GgufType type() const { return valueType; }
  bool isArray() const { return valueType == GgufType::Array; }
  uint64_t arraySize() const { return count; }

  // Each gives nothing where the value is of another kind (or does not fit).
  std::optional<int64_t> asInteger() const;
  std::optional<double> asNumber() const; ///< integers too
  std::optional<bool> asBool() const;
  std::optional<llvm::StringRef> asString() const;
  std::optional<std::vector<int64_t>> asIntegers() const; ///< of an array; bools count
  std::optional<std::vector<float>> asFloats() const;     ///< of an array of f32
  std::optional<std::vector<llvm::StringRef>> asStrings() const;

private:
  GgufType valueType = GgufType::UInt8;
  GgufType elementType = GgufType::UInt8;
  uint64_t count = 0;
  llvm::ArrayRef<uint8_t> bytes; ///< a string's or an array's without their sizes
};

struct GgufFile {
  uint32_t version = 0;
  llvm::StringMap<GgufValue> metadata; ///< views of the parsed bytes
  std::vector<Tensor> tensors;         ///< in file order
};

/// Whether `bytes` begin with GGUF's magic number.
bool looksLikeGguf(llvm::ArrayRef<uint8_t> bytes);

/// Parses file `path`, whose content is `bytes`; the result refers to them.
llvm::Expected<GgufFile> parseGguf(llvm::StringRef path, llvm::ArrayRef<uint8_t> bytes);

/// The model that the metadata describes. `notes` gets a line for whatever was read
/// otherwise than the file says.
llvm::Expected<ModelConfig> readGgufConfig(llvm::StringRef path, const GgufFile &file,
                                           std::vector<std::string> &notes);

/// The SentencePiece vocabulary, if the file embeds a tokenizer: its first `size`
/// pieces, those that have an embedding. One of another kind is an error.
llvm::Expected<std::optional<Vocabulary>> readGgufVocabulary(llvm::StringRef path,
                                                             const GgufFile &file, int64_t size);

} // namespace rlx

#endif // RLX_IMPORT_GGUF_H
