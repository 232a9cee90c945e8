//===-- arg_parser.h - command line arguments -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Reads the options and arguments of one command, and prints their help. Small
// enough for a static launcher; every problem is one message.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_CLI_ARG_PARSER_H
#define RLX_RUNTIME_CLI_ARG_PARSER_H

#include "rlx/runtime/status.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlx::cli {

/// Takes the text of a value; an error says what was expected.
using Setter = std::function<Status(const std::string &value)>;

class ArgParser {
public:
  /// `usage` is what follows the program's name, e.g. "bench [options]".
  ArgParser(std::string program, std::string usage, std::string summary)
      : program(std::move(program)), usage(std::move(usage)), summary(std::move(summary)) {}

  /// `names` are separated by commas: "-t,--threads".
  void flag(const std::string &names, bool &target, const std::string &help);
  void option(const std::string &names, const std::string &placeholder, Setter set,
              const std::string &help);
  /// The next argument that is not an option; all of them may be left out.
  void positional(const std::string &name, Setter set, const std::string &help);

  /// Stops at --help, which helpAsked() then tells. "--" ends the options.
  Status parse(const std::vector<std::string> &args);
  bool helpAsked() const { return wantsHelp; }
  std::string help() const;

private:
  struct Option {
    std::vector<std::string> names;
    std::string placeholder; ///< empty for a flag
    std::string help;
    Setter set;
  };
  const Option *find(std::string_view name) const;
  Status parseOption(const std::string &arg, const std::vector<std::string> &args, size_t &next);
  Status apply(const Option &option, const std::string &name, const std::string &value) const;
  Status unknown(const std::string &what) const;

  std::string program, usage, summary;
  std::vector<Option> options;
  std::vector<Option> positionals;
  bool wantsHelp = false;
};

/// Setters of the usual kinds.
Setter intoText(std::string &target);
Setter intoOptionalText(std::optional<std::string> &target);
/// An integer in [low, high].
Setter intoInteger(std::optional<uint64_t> &target, uint64_t low = 0,
                   uint64_t high = std::numeric_limits<uint64_t>::max());
/// Integers up to `high`, separated by commas.
Setter intoIntegers(std::vector<uint64_t> &target, uint64_t high);
/// A finite number in [low, high].
Setter intoNumber(std::optional<float> &target, float low, float high);
/// Bytes, with an optional suffix K, M, G or T (powers of 1024; "iB" may follow).
Setter intoBytes(uint64_t &target);
/// Token ids separated by commas.
Setter intoIds(std::optional<std::vector<int32_t>> &target);

/// An InvalidArgument error: exit status 2.
inline Status usageError(std::string message) {
  return Status(ErrorCode::InvalidArgument, std::move(message));
}

} // namespace rlx::cli

#endif // RLX_RUNTIME_CLI_ARG_PARSER_H
