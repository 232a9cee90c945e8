//===- MappedFile.cpp - Read-only mapped files ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Mapping, and giving pages back once a tensor has been packed.
//===----------------------------------------------------------------------===//
#include "MappedFile.h"
#include "Error.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <sys/mman.h>

using namespace rlx;
namespace fs = llvm::sys::fs;

llvm::Expected<MappedFile> MappedFile::open(llvm::StringRef path) {
  fs::file_status status;
  if (std::error_code error = fs::status(path, status))
    return importError("{0}: cannot be read: {1}", path, error.message());
  // Before opening: opening a FIFO would wait for a writer.
  if (status.type() != fs::file_type::regular_file)
    return importError("{0}: expected a regular file", path);
  if (status.getSize() == 0)
    return importError("{0}: the file is empty", path);
  llvm::Expected<fs::file_t> file = fs::openNativeFileForRead(path);
  if (!file)
    return importError("{0}: cannot be read: {1}", path, llvm::toString(file.takeError()));
  std::error_code error;
  MappedFile result;
  result.filePath = path.str();
  result.region = fs::mapped_file_region(*file, fs::mapped_file_region::readonly, status.getSize(),
                                         /*offset=*/0, error);
  fs::closeFile(*file);
  if (error)
    return importError("{0}: cannot be mapped: {1}", path, error.message());
  return std::move(result);
}

std::optional<std::string> rlx::findBeside(llvm::StringRef path, llvm::StringRef name) {
  llvm::SmallString<256> real;
  if (fs::real_path(path, real))
    real = path;
  for (llvm::StringRef from : {path, real.str()}) {
    llvm::SmallString<256> candidate = llvm::sys::path::parent_path(from);
    llvm::sys::path::append(candidate, name);
    if (fs::exists(candidate))
      return candidate.str().str();
  }
  return std::nullopt;
}

llvm::Error MappedWeightSource::addFile(MappedFile file, std::vector<Tensor> tensors) {
  files.push_back(std::move(file));
  for (Tensor &tensor : tensors)
    if (llvm::Error error = add(std::move(tensor)))
      return error;
  return llvm::Error::success();
}

void MappedWeightSource::release(const Tensor &tensor) const {
  // Only whole pages: those at the edges may belong to neighbours as well.
  uintptr_t page = llvm::sys::Process::getPageSizeEstimate();
  uintptr_t begin = (reinterpret_cast<uintptr_t>(tensor.bytes.begin()) + page - 1) & ~(page - 1);
  uintptr_t end = reinterpret_cast<uintptr_t>(tensor.bytes.end()) & ~(page - 1);
  if (begin < end)
    ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}
