//===-- runtime/lib/ngram_index.cpp - drafts from the text itself -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the index: one direct-mapped table of positions for each n.
//===----------------------------------------------------------------------===//
#include "ngram_index.h"

#include <algorithm>

namespace rlx {

void NgramIndex::sync(Span<const int32_t> tokens) {
  uint64_t shared = std::min<uint64_t>(text.size(), tokens.size());
  uint64_t common =
      std::mismatch(text.begin(), text.begin() + shared, tokens.begin()).first - text.begin();
  if (common < text.size())
    truncate(common);
  for (int32_t token : tokens.slice(common, tokens.size() - common))
    push(token);
}

void NgramIndex::truncate(uint64_t size) {
  text.resize(size);
  length = 0;
  rebuild(tables[0].size(), size);
}

uint64_t NgramIndex::bucket(uint64_t n, uint64_t end) const {
  uint64_t hash = n;
  for (uint64_t i = end - n; i < end; ++i)
    hash = (hash ^ static_cast<uint32_t>(text[i])) * 0x9E3779B97F4A7C15u;
  return (hash >> 32) & (tables[n - minLength].size() - 1);
}

uint64_t NgramIndex::commonLength(uint64_t a, uint64_t b) const {
  uint64_t limit = std::min({a, b, maxLength}), count = 0;
  while (count < limit && text[a - 1 - count] == text[b - 1 - count])
    ++count;
  return count;
}

void NgramIndex::insert(uint64_t end) {
  for (uint64_t n = minLength; n <= std::min(maxIndexed, end); ++n)
    tables[n - minLength][bucket(n, end)] = static_cast<uint32_t>(end);
}

void NgramIndex::grow() {
  uint64_t size = std::max<uint64_t>(1024, tables[0].size());
  while (size < 4 * text.size())
    size *= 2;
  if (size != tables[0].size())
    rebuild(size, text.size() - 1); // what ends here is yet to be looked up
}

void NgramIndex::rebuild(uint64_t size, uint64_t last) {
  for (std::vector<uint32_t> &table : tables)
    table.assign(size, 0);
  for (uint64_t end = minLength; end <= last; ++end)
    insert(end);
}

void NgramIndex::find() {
  length = 0;
  for (uint64_t n = std::min<uint64_t>(maxIndexed, text.size()); n >= minLength; --n) {
    uint64_t end = tables[n - minLength][bucket(n, text.size())];
    if (end == 0)
      continue;
    uint64_t common = commonLength(end, text.size());
    if (common < n) // another n-gram with this hash
      continue;
    source = end;
    length = common;
    return;
  }
}

void NgramIndex::push(int32_t token) {
  bool followed = length != 0 && text[source] == token;
  text.push_back(token);
  grow();
  if (followed) {
    ++source;
    length = std::min(length + 1, maxLength);
  } else {
    find();
  }
  insert(text.size());
}

std::vector<int32_t> NgramIndex::predict(uint64_t count) const {
  std::vector<int32_t> drafts;
  if (length == 0)
    return drafts;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t from = source + i;
    drafts.push_back(from < text.size() ? text[from] : drafts[from - text.size()]);
  }
  return drafts;
}

} // namespace rlx
