//===-- rlx/runtime/span.h - a view of consecutive elements -----*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// A non-owning view of consecutive elements: what std::span is from C++20 on.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_SPAN_H
#define RLX_RUNTIME_SPAN_H

#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <vector>

namespace rlx {

template <typename T> class Span {
public:
  using Value = std::remove_const_t<T>;

  Span() = default;
  Span(T *data, size_t size) : first(data), count(size) {}
  Span(std::conditional_t<std::is_const_v<T>, const std::vector<Value>, std::vector<Value>> &v)
      : first(v.data()), count(v.size()) {}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime"
#endif
  /// Only for arguments: the list lives until the end of the full expression.
  template <typename U = T, typename = std::enable_if_t<std::is_const_v<U>>>
  Span(const std::initializer_list<Value> &list) : first(list.begin()), count(list.size()) {}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

  T *data() const { return first; }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  T *begin() const { return first; }
  T *end() const { return first + count; }
  T &operator[](size_t i) const { return first[i]; }
  Span slice(size_t offset, size_t length) const { return {first + offset, length}; }
  std::vector<Value> vec() const { return {begin(), end()}; }

private:
  T *first = nullptr;
  size_t count = 0;
};

} // namespace rlx

#endif // RLX_RUNTIME_SPAN_H
