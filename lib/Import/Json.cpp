//===- Json.cpp - Bounded JSON and typed look-up of keys ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Built on nlohmann_json's callback parser, which keeps its own stack.
//===----------------------------------------------------------------------===//
#include "Json.h"
#include "Error.h"
#include <cmath>
#include <set>

using namespace rlx;
using nlohmann::json;

namespace {

/// Deeper values could overflow the stack when they are copied or printed.
constexpr int maxDepth = 32;

/// Watches a parse for what the grammar allows and RLX does not.
class Watcher {
public:
  bool operator()(int depth, json::parse_event_t event, json &parsed) {
    switch (event) {
    case json::parse_event_t::object_start:
      keys.emplace_back();
      tooDeep |= depth > maxDepth;
      break;
    case json::parse_event_t::array_start:
      tooDeep |= depth > maxDepth;
      break;
    case json::parse_event_t::object_end:
      keys.pop_back();
      break;
    case json::parse_event_t::key:
      if (duplicate.empty() && !keys.back().insert(parsed.get<std::string>()).second)
        duplicate = parsed.get<std::string>();
      break;
    default:
      break;
    }
    return !tooDeep; // values below the limit are dropped as they come
  }

  bool tooDeep = false;
  std::string duplicate;

private:
  std::vector<std::set<std::string>> keys;
};

std::string lineAndColumn(llvm::StringRef text, size_t byte) {
  llvm::StringRef before = text.take_front(byte == 0 ? 0 : byte - 1);
  size_t column = before.size() - (before.rfind('\n') + 1); // npos + 1 is 0
  return llvm::formatv("{0}:{1}", before.count('\n') + 1, column + 1).str();
}

} // namespace

/// What a library error says after its own name and place.
static std::string reason(const json::exception &error) {
  llvm::StringRef text(error.what());
  text = text.split("] ").second;
  return printable(text.starts_with("parse error at") ? text.split(": ").second : text);
}

llvm::Expected<json> rlx::parseJson(llvm::StringRef path, llvm::StringRef text) {
  Watcher watcher;
  json result;
  std::string malformed;
  try {
    result = json::parse(text.begin(), text.end(), std::ref(watcher));
  } catch (const json::parse_error &error) {
    malformed = lineAndColumn(text, error.byte) + ": the JSON is malformed: " + reason(error);
  } catch (const json::exception &error) {
    malformed = " the JSON is malformed: " + reason(error);
  }
  if (watcher.tooDeep)
    return importError("{0}: the JSON nests deeper than {1} levels", path, maxDepth);
  if (!malformed.empty())
    return importError("{0}:{1}", path, malformed);
  if (!watcher.duplicate.empty())
    return importError("{0}: key '{1}' occurs twice in one object", path,
                       printable(watcher.duplicate));
  return std::move(result);
}

llvm::Expected<json> rlx::parseJsonObject(llvm::StringRef path, llvm::StringRef text) {
  llvm::Expected<json> result = parseJson(path, text);
  if (result && !result->is_object())
    return importError("{0}: expected a JSON object but got {1}", path, result->type_name());
  return result;
}

const json *JsonReader::value(llvm::StringRef key) const {
  auto it = object.find(key.str());
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

void JsonReader::fail(llvm::StringRef key, const llvm::Twine &message) {
  if (hasFailed)
    return;
  hasFailed = true;
  llvm::consumeError(std::move(failure));
  failure = importError("{0}: key '{1}{2}': {3}", path, scope, key, message.str());
}

void JsonReader::expected(llvm::StringRef key, const llvm::Twine &what, const json &got) {
  fail(key, "expected " + what + " but got " +
                printable(got.dump(-1, ' ', false, json::error_handler_t::replace)));
}

/// The value as an integer in [min, max], if it is one.
static std::optional<int64_t> integerIn(const json &value, int64_t min, int64_t max) {
  if (!value.is_number_integer())
    return std::nullopt;
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
    return std::nullopt;
  int64_t integer = value.get<int64_t>();
  return integer < min || integer > max ? std::nullopt : std::optional(integer);
}

static std::string integerRange(int64_t min, int64_t max) {
  return llvm::formatv("an integer from {0} to {1}", min, max).str();
}

std::optional<int64_t> JsonReader::integer(llvm::StringRef key, int64_t min, int64_t max) {
  const json *found = value(key);
  if (!found)
    return std::nullopt;
  std::optional<int64_t> result = integerIn(*found, min, max);
  if (!result)
    expected(key, integerRange(min, max), *found);
  return result;
}

std::optional<double> JsonReader::number(llvm::StringRef key) {
  const json *found = value(key);
  if (!found)
    return std::nullopt;
  if (found->is_number() && std::isfinite(found->get<double>()))
    return found->get<double>();
  expected(key, "a number", *found);
  return std::nullopt;
}

std::optional<double> JsonReader::positive(llvm::StringRef key) {
  std::optional<double> result = number(key);
  if (!result || *result > 0)
    return result;
  expected(key, "a number above 0", *value(key));
  return std::nullopt;
}

std::optional<bool> JsonReader::boolean(llvm::StringRef key) {
  const json *found = value(key);
  if (!found)
    return std::nullopt;
  if (found->is_boolean())
    return found->get<bool>();
  expected(key, "true or false", *found);
  return std::nullopt;
}

std::optional<std::string> JsonReader::string(llvm::StringRef key) {
  const json *found = value(key);
  if (!found)
    return std::nullopt;
  if (found->is_string())
    return found->get<std::string>();
  expected(key, "a string", *found);
  return std::nullopt;
}

std::vector<int64_t> JsonReader::integers(llvm::StringRef key, int64_t min, int64_t max) {
  std::vector<int64_t> result;
  const json *found = value(key);
  if (!found)
    return result;
  for (const json &item : found->is_array() ? *found : json::array({*found})) {
    std::optional<int64_t> integer = integerIn(item, min, max);
    if (!integer) {
      expected(key, integerRange(min, max) + ", or a list of such,", *found);
      return {};
    }
    result.push_back(*integer);
  }
  return result;
}

const json *JsonReader::objectAt(llvm::StringRef key) {
  const json *found = value(key);
  if (!found || found->is_object())
    return found;
  expected(key, "an object", *found);
  return nullptr;
}
