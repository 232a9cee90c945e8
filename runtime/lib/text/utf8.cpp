//===-- utf8.cpp - reading UTF-8 -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The validity rules of UTF-8, and the stream that holds back part characters.
//===----------------------------------------------------------------------===//
#include "rlx/runtime/utf8.h"

#include <cstdint>

using namespace rlx;

namespace {
/// Bytes of the character that starts with `lead`; 0 if none does.
size_t expectedBytes(unsigned char lead) {
  if (lead < 0x80)
    return 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    return 2;
  if (lead >= 0xE0 && lead <= 0xEF)
    return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/// Whether `next` may follow `lead`: excludes overlong forms, surrogates and
/// what lies above U+10FFFF, all of which the second byte decides.
bool maySecond(unsigned char lead, unsigned char next) {
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return next >= low && next <= high;
}

/// Whether the first `count` bytes of `text` can start one character.
bool startsCharacter(std::string_view text, size_t count) {
  for (size_t i = 1; i < count; ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (i == 1 ? !maySecond(text[0], byte) : (byte & 0xC0) != 0x80)
      return false;
  }
  return true;
}
} // namespace

size_t rlx::utf8CharBytes(std::string_view text) {
  if (text.empty())
    return 0;
  size_t count = expectedBytes(text[0]);
  return count <= text.size() && startsCharacter(text, count) ? count : 0;
}

bool rlx::isUtf8Prefix(std::string_view text) {
  return !text.empty() && text.size() < expectedBytes(text[0]) &&
         startsCharacter(text, text.size());
}

bool rlx::isValidUtf8(std::string_view text) {
  while (!text.empty()) {
    size_t count = utf8CharBytes(text);
    if (count == 0)
      return false;
    text.remove_prefix(count);
  }
  return true;
}

std::string rlx::toValidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t count = utf8CharBytes(text);
    out += count ? text.substr(0, count) : Utf8Replacement;
    text.remove_prefix(count ? count : 1);
  }
  return out;
}

void Utf8Stream::push(char byte, std::string &out) {
  pending += byte;
  drain(/*ended=*/false, out);
}

void Utf8Stream::finish(std::string &out) { drain(/*ended=*/true, out); }

void Utf8Stream::drain(bool ended, std::string &out) {
  while (!pending.empty()) {
    size_t count = utf8CharBytes(pending);
    if (count == 0 && !ended && isUtf8Prefix(pending))
      return;
    if (count)
      out.append(pending, 0, count);
    else
      out += Utf8Replacement;
    pending.erase(0, count ? count : 1);
  }
}
