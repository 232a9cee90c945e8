//===-- arg_parser.cpp - command line arguments -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Implements the parser and the setters for the usual kinds of values.
//===----------------------------------------------------------------------===//
#include "arg_parser.h"

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>

namespace rlx::cli {

static std::vector<std::string> splitNames(const std::string &names) {
  std::vector<std::string> list;
  for (size_t begin = 0; begin <= names.size();) {
    size_t end = std::min(names.find(',', begin), names.size());
    list.push_back(names.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

void ArgParser::flag(const std::string &names, bool &target, const std::string &help) {
  options.push_back({splitNames(names), "", help, [&target](const std::string &) {
                       target = true;
                       return Status();
                     }});
}

void ArgParser::option(const std::string &names, const std::string &placeholder, Setter set,
                       const std::string &help) {
  options.push_back({splitNames(names), placeholder, help, std::move(set)});
}

void ArgParser::positional(const std::string &name, Setter set, const std::string &help) {
  positionals.push_back({{name}, "", help, std::move(set)});
}

const ArgParser::Option *ArgParser::find(std::string_view name) const {
  for (const Option &option : options)
    for (const std::string &known : option.names)
      if (known == name)
        return &option;
  return nullptr;
}

Status ArgParser::unknown(const std::string &what) const {
  return usageError(what + "; see " + program + " " + usage.substr(0, usage.find(' ')) + " --help");
}

Status ArgParser::apply(const Option &option, const std::string &name,
                        const std::string &value) const {
  Status status = option.set(value);
  return status.ok() ? status : Status(status.code(), name + ": " + status.message());
}

Status ArgParser::parseOption(const std::string &arg, const std::vector<std::string> &args,
                              size_t &next) {
  const bool isLong = arg.compare(0, 2, "--") == 0;
  size_t nameEnd = isLong ? std::min(arg.find('='), arg.size()) : 2;
  const std::string name = arg.substr(0, nameEnd);
  const Option *option = find(name);
  if (!option)
    return unknown("unknown option '" + name + "'");
  const bool isAttached = nameEnd < arg.size();
  if (option->placeholder.empty()) {
    if (isAttached)
      return unknown("option " + name + " takes no value but got '" + arg + "'");
    return apply(*option, name, "");
  }
  if (isAttached)
    return apply(*option, name, arg.substr(nameEnd + (isLong || arg[nameEnd] == '=' ? 1 : 0)));
  if (next == args.size())
    return unknown("option " + name + ": expected a value " + option->placeholder);
  return apply(*option, name, args[next++]);
}

Status ArgParser::parse(const std::vector<std::string> &args) {
  size_t position = 0;
  bool optionsEnded = false;
  for (size_t next = 0; next < args.size();) {
    const std::string &arg = args[next++];
    if (!optionsEnded && arg == "--") {
      optionsEnded = true;
      continue;
    }
    if (!optionsEnded && (arg == "--help" || arg == "-h")) {
      wantsHelp = true;
      return Status();
    }
    if (!optionsEnded && arg.size() > 1 && arg[0] == '-') {
      if (Status status = parseOption(arg, args, next); !status.ok())
        return status;
      continue;
    }
    if (position == positionals.size())
      return unknown("unexpected argument '" + arg + "'" +
                     (position ? " (is a quotation mark missing?)" : ""));
    const Option &argument = positionals[position++];
    if (Status status = apply(argument, argument.names.front(), arg); !status.ok())
      return status;
  }
  return Status();
}

std::string ArgParser::help() const {
  std::string text = "usage: " + program + " " + usage + "\n\n" + summary + "\n\n";
  auto line = [&](const Option &option) {
    std::string left = "  ";
    for (const std::string &name : option.names)
      left += (left.size() > 2 ? ", " : "") + name;
    if (!option.placeholder.empty())
      left += " " + option.placeholder;
    constexpr size_t column = 30;
    left += left.size() + 1 < column ? std::string(column - left.size(), ' ')
                                     : "\n" + std::string(column, ' ');
    text += left + option.help + "\n";
  };
  for (const Option &argument : positionals)
    line(argument);
  for (const Option &option : options)
    line(option);
  line({{"-h", "--help"}, "", "print this text", nullptr});
  return text;
}

Setter intoText(std::string &target) {
  return [&target](const std::string &value) {
    target = value;
    return Status();
  };
}

Setter intoOptionalText(std::optional<std::string> &target) {
  return [&target](const std::string &value) {
    target = value;
    return Status();
  };
}

static Status expected(const std::string &what, const std::string &value) {
  return usageError("expected " + what + " but got '" + value + "'");
}

/// The digits that `text` starts with as a number; nullopt without one or
/// beyond 64 bits.
static std::optional<uint64_t> takeInteger(std::string_view &text) {
  uint64_t value = 0;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    auto digit = static_cast<uint64_t>(text[digits] - '0');
    if (value > (UINT64_MAX - digit) / 10)
      return std::nullopt;
    value = value * 10 + digit;
  }
  text.remove_prefix(digits);
  return digits ? std::optional(value) : std::nullopt;
}

Setter intoInteger(std::optional<uint64_t> &target, uint64_t low, uint64_t high) {
  return [&target, low, high](const std::string &value) {
    std::string_view rest = value;
    std::optional<uint64_t> number = takeInteger(rest);
    if (!number || !rest.empty() || *number < low || *number > high)
      return expected(high == UINT64_MAX ? "an integer of at least " + std::to_string(low)
                                         : "an integer from " + std::to_string(low) + " to " +
                                               std::to_string(high),
                      value);
    target = *number;
    return Status();
  };
}

static std::string shortNumber(float value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  return text.back() == '.' ? text.substr(0, text.size() - 1) : text;
}

Setter intoNumber(std::optional<float> &target, float low, float high) {
  return [&target, low, high](const std::string &value) {
    char *end = nullptr;
    errno = 0;
    float number = std::strtof(value.c_str(), &end);
    const bool isPlain = !value.empty() && !std::isspace(static_cast<unsigned char>(value[0]));
    if (!isPlain || *end || !std::isfinite(number) || number < low || number > high)
      return expected(std::isinf(high)
                          ? "a number of at least " + shortNumber(low)
                          : "a number from " + shortNumber(low) + " to " + shortNumber(high),
                      value);
    target = number;
    return Status();
  };
}

Setter intoBytes(uint64_t &target) {
  return [&target](const std::string &value) {
    std::string_view rest = value;
    std::optional<uint64_t> number = takeInteger(rest);
    unsigned shift = 0;
    if (!rest.empty()) {
      constexpr std::string_view units = "kmgt";
      size_t unit =
          units.find(static_cast<char>(std::tolower(static_cast<unsigned char>(rest[0]))));
      if (unit != units.npos) {
        shift = 10 * static_cast<unsigned>(unit + 1);
        rest.remove_prefix(1);
        if (rest == "iB" || rest == "B")
          rest = {};
      }
    }
    if (!number || *number == 0 || !rest.empty() || *number > (UINT64_MAX >> shift))
      return expected("a size such as 512M or 4G", value);
    target = *number << shift;
    return Status();
  };
}

/// Integers from 0 to `high` separated by commas; nullopt if `rest` is not such a
/// list.
static std::optional<std::vector<uint64_t>> parseList(std::string_view rest, uint64_t high) {
  std::vector<uint64_t> list;
  while (true) {
    while (!rest.empty() && rest[0] == ' ')
      rest.remove_prefix(1);
    std::optional<uint64_t> value = takeInteger(rest);
    if (!value || *value > high || (!rest.empty() && rest[0] != ','))
      return std::nullopt;
    list.push_back(*value);
    if (rest.empty())
      return list;
    rest.remove_prefix(1);
  }
}

Setter intoIntegers(std::vector<uint64_t> &target, uint64_t high) {
  return [&target, high](const std::string &value) {
    std::optional<std::vector<uint64_t>> list = parseList(value, high);
    if (!list)
      return expected("integers up to " + std::to_string(high) + " separated by commas", value);
    target = std::move(*list);
    return Status();
  };
}

Setter intoIds(std::optional<std::vector<int32_t>> &target) {
  return [&target](const std::string &value) {
    std::optional<std::vector<uint64_t>> list = parseList(value, INT32_MAX);
    if (!list)
      return expected("token ids separated by commas, such as 2,5,7,", value);
    target.emplace(list->begin(), list->end());
    return Status();
  };
}

} // namespace rlx::cli
