//===- Json.h - Bounded JSON and typed look-up of keys --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// JSON from untrusted files, and reading its keys with one error each.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_IMPORT_JSON_H
#define RLX_LIB_IMPORT_JSON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

namespace rlx {

/// Parses the text of file `path`. Nesting is limited and a key may occur only
/// once in an object; a syntax error names line and column.
llvm::Expected<nlohmann::json> parseJson(llvm::StringRef path, llvm::StringRef text);

/// The same, for a file that must hold an object.
llvm::Expected<nlohmann::json> parseJsonObject(llvm::StringRef path, llvm::StringRef text);

/// Reads typed values of one JSON object. The first wrong one is kept as the
/// error, after which fallbacks are returned: readers check once, at the end.
/// A key that is absent or null has no value.
class JsonReader {
public:
  /// `scope` precedes the keys in messages, e.g. "text_config.".
  JsonReader(llvm::StringRef path, const nlohmann::json &object, llvm::StringRef scope = "")
      : path(path), object(object), scope(scope) {}
  ~JsonReader() { llvm::consumeError(std::move(failure)); }
  JsonReader(const JsonReader &) = delete;
  JsonReader &operator=(const JsonReader &) = delete;

  bool has(llvm::StringRef key) const { return value(key) != nullptr; }
  /// True if the key is there, even if null.
  bool mentions(llvm::StringRef key) const { return object.contains(key.str()); }
  /// The value, or null where there is none.
  const nlohmann::json *value(llvm::StringRef key) const;

  std::optional<int64_t> integer(llvm::StringRef key, int64_t min, int64_t max);
  int64_t integer(llvm::StringRef key, int64_t fallback, int64_t min, int64_t max) {
    return integer(key, min, max).value_or(fallback);
  }
  /// A finite number.
  std::optional<double> number(llvm::StringRef key);
  /// A finite number above zero.
  std::optional<double> positive(llvm::StringRef key);
  std::optional<bool> boolean(llvm::StringRef key);
  std::optional<std::string> string(llvm::StringRef key);
  /// One integer or a list of them.
  std::vector<int64_t> integers(llvm::StringRef key, int64_t min, int64_t max);
  const nlohmann::json *objectAt(llvm::StringRef key);

  /// Records that `key` is wrong, unless an earlier error stands.
  void fail(llvm::StringRef key, const llvm::Twine &message);
  bool failed() const { return hasFailed; }
  llvm::Error takeError() { return std::move(failure); }

private:
  void expected(llvm::StringRef key, const llvm::Twine &what, const nlohmann::json &got);

  std::string path;
  const nlohmann::json &object;
  std::string scope;
  bool hasFailed = false;
  llvm::Error failure = llvm::Error::success();
};

} // namespace rlx

#endif // RLX_LIB_IMPORT_JSON_H
