//===- ProfileFuzz.cpp ----------------------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A profile is refused with a message that names its file, or it can be printed and
// read again with the same result.
//===----------------------------------------------------------------------===//
#include "rlx/Driver/Profile.h"
#include <cstdlib>
#include <nlohmann/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rlx::Profile profile;
  if (llvm::Error error =
          profile.applyToml({reinterpret_cast<const char *>(data), size}, "p.toml")) {
    if (llvm::toString(std::move(error)).rfind("p.toml:", 0) != 0)
      std::abort();
    return 0;
  }
  rlx::Profile again;
  if (llvm::Error error = again.applyToml(profile.print(), "again.toml"))
    std::abort();
  if (again.toJson() != profile.toJson())
    std::abort();
  return 0;
}
