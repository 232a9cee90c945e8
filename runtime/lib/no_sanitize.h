//===-- runtime/lib/no_sanitize.h - calls into generated code -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Generated code has no type information before its functions, which the
// sanitizer of indirect calls would read.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_NO_SANITIZE_H
#define RLX_RUNTIME_LIB_NO_SANITIZE_H

#if defined(__clang__)
#define RLX_NO_SANITIZE_FUNCTION __attribute__((no_sanitize("function")))
#else
#define RLX_NO_SANITIZE_FUNCTION
#endif

#endif // RLX_RUNTIME_LIB_NO_SANITIZE_H
