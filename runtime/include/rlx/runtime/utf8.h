//===-- rlx/runtime/utf8.h - reading UTF-8 -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads UTF-8 that may be invalid, the way the SentencePiece library does: each
// byte that starts no valid character stands for one U+FFFD.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_UTF8_H
#define RLX_RUNTIME_UTF8_H

#include <cstddef>
#include <string>
#include <string_view>

namespace rlx {

/// U+FFFD, what stands for a byte that is not part of a character.
inline constexpr std::string_view Utf8Replacement = "\xEF\xBF\xBD";

/// The bytes of the valid character that `text` starts with, 0 if there is
/// none. Surrogates, overlong forms and code points above U+10FFFF are invalid.
size_t utf8CharBytes(std::string_view text);

/// Whether `text` (up to 3 bytes) is not a character yet but more bytes could
/// make it one.
bool isUtf8Prefix(std::string_view text);

bool isValidUtf8(std::string_view text);

/// `text` with every invalid byte replaced by U+FFFD.
std::string toValidUtf8(std::string_view text);

/// Passes on the characters of a stream of bytes that are complete, and holds
/// back up to 3 bytes of one that is not.
class Utf8Stream {
public:
  /// Adds a byte and appends to `out` what is decided now.
  void push(char byte, std::string &out);
  /// Ends the stream: bytes held back become U+FFFD each.
  void finish(std::string &out);
  bool empty() const { return pending.empty(); }

private:
  void drain(bool ended, std::string &out);
  std::string pending;
};

} // namespace rlx

#endif // RLX_RUNTIME_UTF8_H
