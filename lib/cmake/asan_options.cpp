//===- asan_options.cpp - Options of sanitized executables ----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// LLVM's allocators poison the memory that they hand out later. Code of ours
// that inlines them does so under AddressSanitizer, the packaged libraries do
// not: without this option their writes are reported as errors.
//===----------------------------------------------------------------------===//

extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options() { return "allow_user_poisoning=0"; }
