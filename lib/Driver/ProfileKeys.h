//===- ProfileKeys.h - Lookup and checks of profile keys --------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// What readers of profiles and of flags share.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_PROFILEKEYS_H
#define RLX_LIB_DRIVER_PROFILEKEYS_H

#include "rlx/Driver/Profile.h"
#include "llvm/ADT/SmallVector.h"

namespace rlx {

/// The key called `name` in `section` ("" for the top, "prefill", "decode", "cpu"),
/// or an error that says where it belongs or which one may have been meant.
llvm::Expected<const ProfileKey *> findProfileKey(llvm::StringRef section, llvm::StringRef name);

/// Checks the value of a key. Lists are separated by commas.
llvm::Error checkProfileValue(const ProfileKey &key, llvm::StringRef text);

/// The section in which a key is printed when it stands for itself alone.
llvm::StringRef sectionOf(const ProfileKey &key);

/// The qualified names that a key given in `section` sets.
llvm::SmallVector<std::string, 2> qualifiedNames(const ProfileKey &key, llvm::StringRef section);

} // namespace rlx

#endif // RLX_LIB_DRIVER_PROFILEKEYS_H
