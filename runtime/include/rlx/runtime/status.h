//===-- rlx/runtime/status.h - errors as values -----------------*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Status and Expected<T>: how every call of the runtime reports failure. No
// call of the public API throws or aborts.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_STATUS_H
#define RLX_RUNTIME_STATUS_H

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace rlx {

/// The kind of an error. Values equal those of rlx_status_t in rlx.h.
enum class ErrorCode {
  Ok = 0,
  InvalidArgument = 1, ///< a value the caller passed is not acceptable
  InvalidState = 2,    ///< the call is not possible now, e.g. step without prefill
  ContextFull = 3,     ///< the tokens do not fit into the session's context
  BadFile = 4,         ///< the model file is unreadable, corrupt or from another version
  Unsupported = 5,     ///< the model does not run on this CPU or system
  OutOfMemory = 6,     ///< above the memory limit, or the system refused
  BadLogits = 7,       ///< the model computed NaN or infinite logits
};

/// Success, or an error with a message: lower case, no full stop, saying what
/// was expected, what was found, and where it helps what to do.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(ErrorCode code, std::string message) : kind(code), text(std::move(message)) {}

  static Status success() { return Status(); }
  bool ok() const { return kind == ErrorCode::Ok; }
  ErrorCode code() const { return kind; }
  const std::string &message() const { return text; }

private:
  ErrorCode kind = ErrorCode::Ok;
  std::string text;
};

/// A value, or the Status that says why there is none.
template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Expected(Status status) : state(std::in_place_index<1>, std::move(status)) {
    assert(!std::get<1>(state).ok() && "an Expected without value needs an error");
  }

  bool ok() const { return state.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value; only if ok().
  T &operator*() & { return std::get<0>(state); }
  const T &operator*() const & { return std::get<0>(state); }
  T &&operator*() && { return std::get<0>(std::move(state)); }
  T *operator->() { return &std::get<0>(state); }
  const T *operator->() const { return &std::get<0>(state); }

  /// The error, or success if there is a value.
  Status status() const { return ok() ? Status() : std::get<1>(state); }

private:
  std::variant<T, Status> state;
};

} // namespace rlx

#endif // RLX_RUNTIME_STATUS_H
