//===- Error.h - Errors of the importers ----------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// One way to make the one-line errors that name file and tensor or key.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_IMPORT_ERROR_H
#define RLX_LIB_IMPORT_ERROR_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"

namespace rlx {

/// An error whose message is `format` filled as llvm::formatv does.
template <typename... Args> llvm::Error importError(const char *format, Args &&...args) {
  return llvm::make_error<llvm::StringError>(
      llvm::formatv(format, std::forward<Args>(args)...).str(), llvm::inconvertibleErrorCode());
}

/// Text from a file, fit for a message: control bytes replaced, cut when long.
std::string printable(llvm::StringRef text);

/// Whether `text` is valid UTF-8, which JSON and MLIR text need.
bool isUtf8(llvm::StringRef text);

} // namespace rlx

#endif // RLX_LIB_IMPORT_ERROR_H
