//===- MappedFile.h - Read-only mapped files ------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Files are mapped, never read into memory: checkpoints exceed it.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_IMPORT_MAPPEDFILE_H
#define RLX_LIB_IMPORT_MAPPEDFILE_H

#include "rlx/Import/WeightSource.h"
#include "llvm/Support/FileSystem.h"

namespace rlx {

class MappedFile {
public:
  /// Maps a non-empty regular file.
  static llvm::Expected<MappedFile> open(llvm::StringRef path);

  llvm::StringRef path() const { return filePath; }
  llvm::ArrayRef<uint8_t> bytes() const {
    return {reinterpret_cast<const uint8_t *>(region.const_data()), region.size()};
  }
  llvm::StringRef text() const { return {region.const_data(), region.size()}; }

private:
  MappedFile() = default;
  std::string filePath;
  llvm::sys::fs::mapped_file_region region;
};

/// The path of the file called `name` in the folder of `path` or, where there is
/// none and `path` is a symbolic link, in the folder of the file it leads to.
std::optional<std::string> findBeside(llvm::StringRef path, llvm::StringRef name);

/// The tensors of mapped files.
class MappedWeightSource : public WeightSource {
public:
  explicit MappedWeightSource(std::string name) : WeightSource(std::move(name)) {}

  /// Adds the tensors, whose bytes lie in `file`, and keeps the file mapped.
  llvm::Error addFile(MappedFile file, std::vector<Tensor> tensors);
  void release(const Tensor &tensor) const override;

private:
  std::vector<MappedFile> files;
};

} // namespace rlx

#endif // RLX_LIB_IMPORT_MAPPEDFILE_H
