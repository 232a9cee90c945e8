//===- Profile.cpp - Layers, flags and printing of profiles ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Everything about profiles but the TOML reader.
//===----------------------------------------------------------------------===//
#include "rlx/Driver/Profile.h"
#include "ProfileKeys.h"
#include "llvm/ADT/StringExtras.h"
#include <nlohmann/json.hpp>

using namespace rlx;

Profile::Profile() {
  for (const ProfileKey &key : getProfileKeys())
    for (const std::string &name : qualifiedNames(key, sectionOf(key)))
      values[name] = {key.initial.str(), "built-in default"};
}

llvm::StringRef Profile::get(llvm::StringRef key) const {
  auto it = values.find(std::string_view(key));
  assert(it != values.end() && "no such key");
  return it->second.text;
}

llvm::StringRef Profile::getOrigin(llvm::StringRef key) const {
  auto it = values.find(std::string_view(key));
  assert(it != values.end() && "no such key");
  return it->second.origin;
}

int64_t Profile::getInteger(llvm::StringRef key) const {
  int64_t value = 0;
  bool failed = get(key).getAsInteger(10, value);
  assert(!failed && "values are checked when they are set");
  (void)failed;
  return value;
}

llvm::Error Profile::applyFlag(llvm::StringRef key, llvm::StringRef value, llvm::StringRef flag) {
  auto [section, name] = key.contains('.') ? key.split('.') : std::pair(llvm::StringRef(), key);
  llvm::Expected<const ProfileKey *> found = findProfileKey(section, name);
  llvm::Error error = found ? checkProfileValue(**found, value) : found.takeError();
  if (error)
    return llvm::createStringError(flag + ": " + llvm::toString(std::move(error)));
  for (const std::string &qualified : qualifiedNames(**found, section))
    values[qualified] = {value.str(), flag.str()};
  return llvm::Error::success();
}

/// The value as TOML writes it.
static std::string toToml(const ProfileKey &key, llvm::StringRef text) {
  if (key.kind == KeyKind::Integer)
    return text.str();
  if (!text.contains(','))
    return ("\"" + text + "\"").str();
  llvm::SmallVector<llvm::StringRef> items;
  text.split(items, ',');
  return "[\"" + llvm::join(items, "\", \"") + "\"]";
}

std::string Profile::print() const {
  std::string result;
  llvm::raw_string_ostream stream(result);
  auto printSection = [&](llvm::StringRef section, auto isHere) {
    if (!section.empty())
      stream << "\n[" << section << "]\n";
    for (const ProfileKey &key : getProfileKeys()) {
      if (!isHere(key))
        continue;
      const Value &value = values.at(qualifiedNames(key, section).front());
      stream << "# " << key.help << (key.choices.empty() ? "" : ": ") << key.choices << "\n"
             << key.name << " = " << toToml(key, value.text) << "  # " << value.origin << "\n";
    }
  };
  auto hasScope = [](KeyScope a, KeyScope b) {
    return [=](const ProfileKey &key) { return key.scope == a || key.scope == b; };
  };
  printSection("", hasScope(KeyScope::Model, KeyScope::Model));
  printSection("prefill", hasScope(KeyScope::Role, KeyScope::Prefill));
  printSection("decode", hasScope(KeyScope::Role, KeyScope::Role));
  printSection("cpu", hasScope(KeyScope::Cpu, KeyScope::Cpu));
  return result;
}

nlohmann::json Profile::toJson() const {
  nlohmann::json result = nlohmann::json::object();
  for (const ProfileKey &key : getProfileKeys())
    for (const std::string &name : qualifiedNames(key, sectionOf(key))) {
      auto [section, leaf] = llvm::StringRef(name).split('.');
      nlohmann::json &place = leaf.empty() ? result[name] : result[section.str()][leaf.str()];
      if (key.kind == KeyKind::Integer)
        place = getInteger(name);
      else
        place = get(name).str();
    }
  return result;
}
