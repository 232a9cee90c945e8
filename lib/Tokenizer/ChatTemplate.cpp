//===- ChatTemplate.cpp - Recognising chat templates -------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Reduces a template to its tags and strings and looks for Gemma's features.
//===----------------------------------------------------------------------===//
#include "rlx/Tokenizer/ChatTemplate.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include <vector>

using namespace llvm;

namespace rlx {
namespace {

/// A template without what does not change its meaning: white space outside
/// strings, comments, trim marks; strings in single quotes.
class CompactTemplate {
public:
  /// False if `jinja` has an unclosed tag or string, or prints text that is not
  /// in a tag.
  bool parse(StringRef jinja) {
    while (!jinja.empty()) {
      size_t open = jinja.find('{');
      if (!jinja.take_front(open).trim().empty())
        return false;
      if (open == StringRef::npos)
        return true;
      jinja = jinja.drop_front(open);
      if (!parseTag(jinja))
        return false;
    }
    return true;
  }

  const std::string &text() const { return compact; }
  /// The strings of the template, but for messages of raised errors.
  ArrayRef<std::string> strings() const { return literals; }

private:
  bool parseTag(StringRef &rest) {
    if (rest.starts_with("{#")) {
      size_t end = rest.find("#}");
      if (end == StringRef::npos)
        return false;
      rest = rest.drop_front(end + 2);
      return true;
    }
    const char *close = rest.starts_with("{{") ? "}}" : rest.starts_with("{%") ? "%}" : nullptr;
    if (!close)
      return false;
    compact += rest.take_front(2);
    rest = rest.drop_front(2);
    consumeTrimMark(rest);
    while (!rest.empty()) {
      if (rest.starts_with(close)) {
        while (!compact.empty() && (compact.back() == '-' || compact.back() == '+'))
          compact.pop_back();
        compact += close;
        rest = rest.drop_front(2);
        return true;
      }
      char c = rest.front();
      if (c == '\'' || c == '"') {
        if (!parseString(rest))
          return false;
        continue;
      }
      if (!isSpace(c))
        compact += c;
      rest = rest.drop_front();
    }
    return false;
  }

  static void consumeTrimMark(StringRef &rest) {
    if (rest.starts_with("-") || rest.starts_with("+"))
      rest = rest.drop_front();
  }

  bool parseString(StringRef &rest) {
    const char quote = rest.front();
    std::string value;
    for (size_t i = 1; i < rest.size(); ++i) {
      char c = rest[i];
      if (c == quote) {
        const bool isErrorText = StringRef(compact).ends_with("raise_exception(");
        compact += isErrorText ? "''" : "'" + value + "'";
        if (!isErrorText)
          literals.push_back(value);
        rest = rest.drop_front(i + 1);
        return true;
      }
      if (c == '\\' && i + 1 < rest.size()) {
        c = rest[++i];
        c = c == 'n' ? '\n' : c;
      }
      value += c;
    }
    return false;
  }

  std::string compact;
  std::vector<std::string> literals;
};

/// Every string of the published templates; those in the second line are keys
/// of messages and markers of what is not text.
constexpr StringLiteral KnownStrings[] = {"system",
                                          "user",
                                          "assistant",
                                          "model",
                                          "<start_of_turn>",
                                          "\n",
                                          "\n\n",
                                          "",
                                          "role",
                                          "content",
                                          "type",
                                          "text",
                                          "image",
                                          "audio",
                                          "<start_of_image>",
                                          "<image_soft_token>",
                                          "<audio_soft_token>",
                                          "<end_of_turn>\n",
                                          "<start_of_turn>model\n"};

bool hasGemmaTurns(StringRef compact) {
  constexpr StringLiteral features[] = {
      "setrole='model'", "'<start_of_turn>'+role+'\n'", "|trim", "'<end_of_turn>\n'",
      "{%ifadd_generation_prompt%}{{'<start_of_turn>model\n'}}{%endif%}"};
  return all_of(features, [&](StringRef feature) { return compact.contains(feature); });
}

std::optional<SystemRole> systemRoleOf(StringRef compact) {
  if (compact.contains("{%ifmessages[0]['role']=='system'%}{{raise_exception('')}}{%endif%}"))
    return SystemRole::Error;
  if (compact.contains("setfirst_user_prefix=messages[0]['content']+'\n\n'%}") &&
      compact.contains("setloop_messages=messages[1:]%}") &&
      compact.contains("'<start_of_turn>'+role+'\n'+(first_user_prefixifloop.firstelse'')"))
    return SystemRole::Prepend;
  return std::nullopt;
}

} // namespace

std::optional<TurnFormat> recognizeChatTemplate(StringRef jinja) {
  CompactTemplate reduced;
  if (!reduced.parse(jinja) || !hasGemmaTurns(reduced.text()))
    return std::nullopt;
  if (!all_of(reduced.strings(), [](StringRef s) { return is_contained(KnownStrings, s); }))
    return std::nullopt;
  std::optional<SystemRole> system = systemRoleOf(reduced.text());
  if (!system)
    return std::nullopt;
  TurnFormat format;
  format.name = "gemma";
  format.userPrefix = "<start_of_turn>user\n";
  format.userSuffix = "<end_of_turn>\n";
  format.modelPrefix = "<start_of_turn>model\n";
  format.modelSuffix = "<end_of_turn>\n";
  format.endToken = "<end_of_turn>";
  format.system = *system;
  return format;
}

std::string unknownChatTemplateNote(StringRef jinja) {
  std::array<uint8_t, 32> hash = SHA256::hash(arrayRefFromStringRef(jinja));
  return "the chat template (SHA-256 " + toHex(hash, /*LowerCase=*/true).substr(0, 16) +
         "...) is none of those that Gemma is published with; the model completes plain text";
}

} // namespace rlx
