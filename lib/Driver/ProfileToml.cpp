//===- ProfileToml.cpp - Reading gemma.rlx.toml ---------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The only file that knows TOML. Errors are "file:line: what is wrong".
//===----------------------------------------------------------------------===//
#include "ProfileKeys.h"
#include "rlx/Driver/Profile.h"
#include "llvm/Support/MemoryBuffer.h"

// toml++ 3.3 asserts, and with NDEBUG lets the compiler assume, what malformed text can
// break; the code behind its assertions reports such text. So they are switched off.
#ifdef NDEBUG
#undef NDEBUG
#define RLX_NDEBUG
#endif
#define TOML_ASSERT(expr) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>
#ifdef RLX_NDEBUG
#define NDEBUG
#endif
#include <cassert>

namespace rlx {

/// Reads one file into a profile.
class ProfileReader {
public:
  ProfileReader(Profile &profile, llvm::StringRef file) : profile(profile), file(file) {}

  llvm::Error read(llvm::StringRef text);

private:
  llvm::Error readSection(const toml::table &table, llvm::StringRef section);
  llvm::Error readKey(llvm::StringRef section, const toml::key &name, const toml::node &node);
  llvm::Expected<std::string> readValue(const ProfileKey &key, const toml::node &node);
  llvm::Error fail(const toml::source_region &where, const llvm::Twine &message);

  Profile &profile;
  llvm::StringRef file;
};

} // namespace rlx

using namespace rlx;

llvm::Error ProfileReader::fail(const toml::source_region &where, const llvm::Twine &message) {
  return llvm::createStringError(file + ":" + llvm::Twine(where.begin.line) + ": " + message);
}

static llvm::StringRef text(std::string_view view) { return {view.data(), view.size()}; }

static llvm::StringRef describe(const toml::node &node) {
  switch (node.type()) {
  case toml::node_type::table:
    return "a table";
  case toml::node_type::array:
    return "an array";
  case toml::node_type::string:
    return "a string";
  case toml::node_type::integer:
    return "an integer";
  case toml::node_type::floating_point:
    return "a floating-point number";
  case toml::node_type::boolean:
    return "a boolean";
  default:
    return "a date or time";
  }
}

/// The value in the form that flags have too.
llvm::Expected<std::string> ProfileReader::readValue(const ProfileKey &key,
                                                     const toml::node &node) {
  bool isList = key.kind == KeyKind::Fusion || key.kind == KeyKind::Targets;
  if (key.kind == KeyKind::Integer) {
    if (const auto *number = node.as_integer())
      return std::to_string(number->get());
  } else if (const auto *string = node.as_string()) {
    // A comma would make a list of it.
    if (!text(string->get()).contains(','))
      return string->get();
  } else if (const auto *array = node.as_array(); array && isList && !array->empty()) {
    std::string list;
    for (const toml::node &item : *array) {
      const auto *string = item.as_string();
      if (!string || text(string->get()).contains(','))
        return fail(item.source(), "'" + key.name + "': expected a list of names but got " +
                                       describe(item) + " in it");
      list += (list.empty() ? "" : ",") + string->get();
    }
    return list;
  }
  llvm::StringRef expected = key.kind == KeyKind::Integer ? "an integer"
                             : isList                     ? "a name or a list of names"
                                                          : "a name in quotes";
  return fail(node.source(),
              "'" + key.name + "': expected " + expected + " but got " + describe(node));
}

llvm::Error ProfileReader::readKey(llvm::StringRef section, const toml::key &name,
                                   const toml::node &node) {
  llvm::Expected<const ProfileKey *> key = findProfileKey(section, text(name.str()));
  if (!key)
    return fail(name.source(), llvm::toString(key.takeError()));
  llvm::Expected<std::string> value = readValue(**key, node);
  if (!value)
    return value.takeError();
  if (llvm::Error error = checkProfileValue(**key, *value))
    return fail(node.source(), "'" + (*key)->name + "': " + llvm::toString(std::move(error)));
  std::string origin = (file + ":" + llvm::Twine(node.source().begin.line)).str();
  for (const std::string &qualified : qualifiedNames(**key, section))
    profile.values[qualified] = {*value, origin};
  return llvm::Error::success();
}

llvm::Error ProfileReader::readSection(const toml::table &table, llvm::StringRef section) {
  for (const auto &[name, node] : table)
    if (!section.empty() || !node.is_table())
      if (llvm::Error error = readKey(section, name, node))
        return error;
  return llvm::Error::success();
}

llvm::Error ProfileReader::read(llvm::StringRef content) {
  toml::parse_result parsed = toml::parse(std::string_view(content.data(), content.size()));
  if (!parsed)
    return fail(parsed.error().source(), text(parsed.error().description()));
  const toml::table &root = parsed.table();
  // Keys at the top hold for both roles; the roles' own come over them.
  if (llvm::Error error = readSection(root, ""))
    return error;
  for (const auto &[name, node] : root) {
    const toml::table *table = node.as_table();
    if (!table)
      continue;
    llvm::StringRef section = text(name.str());
    if (section != "prefill" && section != "decode" && section != "cpu")
      return fail(name.source(),
                  "expected a section [prefill], [decode] or [cpu] but got [" + section + "]");
    if (llvm::Error error = readSection(*table, section))
      return error;
  }
  return llvm::Error::success();
}

/// The line of the first control character that TOML does not allow, 0 if there is
/// none; the parser does not notice them all.
static unsigned findControlCharacter(llvm::StringRef text) {
  size_t found = text.find_if([](unsigned char c) {
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
  });
  return found == llvm::StringRef::npos ? 0 : text.take_front(found).count('\n') + 1;
}

llvm::Error Profile::applyToml(llvm::StringRef text, llvm::StringRef file) {
  if (unsigned line = findControlCharacter(text))
    return llvm::createStringError(file + ":" + llvm::Twine(line) +
                                   ": expected text but got a control character");
  return ProfileReader(*this, file).read(text);
}

llvm::Error Profile::applyFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError("cannot read the profile " + path + ": " +
                                   buffer.getError().message());
  return applyToml((*buffer)->getBuffer(), path);
}
