//===- Profile.h - Compile profiles (gemma.rlx.toml) ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// How a model is compiled: a set of keys with values, layered from built-in
// defaults, a profile beside the weights, a profile named by the user, and flags.
//===----------------------------------------------------------------------===//
#ifndef RLX_DRIVER_PROFILE_H
#define RLX_DRIVER_PROFILE_H

#include "rlx/Driver/Phases.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace rlx {

/// The name of the profile that is looked for beside the weights.
inline constexpr llvm::StringLiteral kProfileName = "gemma.rlx.toml";

/// Where a key may stand.
enum class KeyScope {
  Model,   ///< at the top only
  Role,    ///< at the top for both roles, or in [prefill] and [decode]
  Prefill, ///< in [prefill] only
  Cpu,     ///< in [cpu] only: options of the CPU backend
};

/// What a key's value is.
enum class KeyKind {
  Choice,  ///< one of `choices`
  Integer, ///< from `min` to `max`
  Fusion,  ///< "all", "one", "none", or a list of fusions
  Targets, ///< a target CPU or a list of them
  Names,   ///< "none", or a pattern of names or a list of them
};

/// One documented key.
struct ProfileKey {
  llvm::StringLiteral name;
  KeyScope scope;
  Phase phase; ///< the one in which it takes effect
  KeyKind kind;
  llvm::StringLiteral initial; ///< the built-in default
  llvm::StringLiteral choices; ///< separated by '|'
  int64_t min = 0, max = 0;
  llvm::StringLiteral help;
};

/// Every key, in the order in which profiles are printed.
llvm::ArrayRef<ProfileKey> getProfileKeys();

class Profile {
public:
  /// The built-in defaults.
  Profile();

  /// Lays the profile in TOML `text` over this one; `file` names it in errors, which
  /// also give the line.
  llvm::Error applyToml(llvm::StringRef text, llvm::StringRef file);
  llvm::Error applyFile(llvm::StringRef path);

  /// Sets one key from a flag called `flag`. `key` may be qualified ("decode.fusion");
  /// a role's key that is not holds for both roles. Lists are separated by commas.
  llvm::Error applyFlag(llvm::StringRef key, llvm::StringRef value, llvm::StringRef flag);

  /// The value of a qualified key ("quantize", "prefill.fusion", "cpu.opt_level").
  llvm::StringRef get(llvm::StringRef key) const;
  int64_t getInteger(llvm::StringRef key) const;
  /// Where that value is from: a file with its line, a flag, or the built-in defaults.
  llvm::StringRef getOrigin(llvm::StringRef key) const;

  /// The profile in TOML, each value with a comment that says where it is from.
  std::string print() const;
  nlohmann::json toJson() const;

private:
  struct Value {
    std::string text; ///< lists are separated by commas
    std::string origin;
  };
  friend class ProfileReader;

  std::map<std::string, Value, std::less<>> values;
};

} // namespace rlx

#endif // RLX_DRIVER_PROFILE_H
