//===- ChatTemplateTest.cpp --------------------------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Which chat templates are recognised, and how turns are written.
//===----------------------------------------------------------------------===//
#include "rlx/Tokenizer/ChatTemplate.h"

#include <gmock/gmock.h>

using namespace rlx;
using testing::HasSubstr;
using testing::Optional;

namespace {

const std::string NoSystem =
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('none') }}{% endif %}";
const std::string PrependSystem =
    "{% if messages[0]['role'] == 'system' %}"
    "{% set first_user_prefix = messages[0]['content'] + '\\n\\n' %}"
    "{% set loop_messages = messages[1:] %}{% else %}"
    "{% set first_user_prefix = '' %}{% set loop_messages = messages %}{% endif %}";
const std::string Open = "{% for m in messages %}{% if m['role'] == 'assistant' %}"
                         "{% set role = 'model' %}{% else %}{% set role = m['role'] %}{% endif %}";
const std::string Generate =
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}";

std::string plain(const std::string &begin = NoSystem) {
  return begin + Open +
         "{{ '<start_of_turn>' + role + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}" +
         Generate;
}
std::string withSystem() {
  return PrependSystem + Open +
         "{{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else '') }}"
         "{{ m['content'] | trim }}{{ '<end_of_turn>\\n' }}" +
         Generate;
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

TEST(ChatTemplate, RecognisesTheTurnsAndTheSystemRole) {
  std::optional<TurnFormat> format = recognizeChatTemplate(plain());
  ASSERT_TRUE(format);
  EXPECT_EQ(format->name, "gemma");
  EXPECT_EQ(format->system, SystemRole::Error);
  EXPECT_EQ(format->endToken, "<end_of_turn>");
  EXPECT_TRUE(recognizeChatTemplate("{{ bos_token }}\n" + plain()));
  format = recognizeChatTemplate(withSystem());
  ASSERT_TRUE(format);
  EXPECT_EQ(format->system, SystemRole::Prepend);
}

TEST(ChatTemplate, IgnoresWhiteSpaceQuotesTrimMarksAndComments) {
  for (const std::string &text : {plain(), withSystem()}) {
    EXPECT_TRUE(recognizeChatTemplate(replaced(text, "{%", "\n    {%-")));
    EXPECT_TRUE(recognizeChatTemplate(replaced(text, "%}", "-%}\n")));
    EXPECT_TRUE(recognizeChatTemplate(replaced(text, "'", "\"")));
    EXPECT_TRUE(recognizeChatTemplate(replaced(text, "\\n", "\n")));
    EXPECT_TRUE(recognizeChatTemplate("{# a 'comment #}" + text));
  }
}

TEST(ChatTemplate, RefusesWhatPrintsSomethingElse) {
  const std::string bad[] = {
      "",
      "plain text",
      plain() + "and more",
      plain("") /* no word on system texts */,
      replaced(plain(), "<end_of_turn>\\n", "<end_of_turn><eos>\\n"),
      replaced(plain(), "'model'", "'reflect'"),
      replaced(plain(), " | trim", ""),
      replaced(plain(), "add_generation_prompt", "something_else"),
      replaced(plain(), "raise_exception('none')", "'be kind'"),
      replaced(withSystem(), "'' %}", "'You are a pirate' %}"),
      plain() + "{% if tools %}{{ 'Tools: ' }}{% endif %}",
      plain() + "{% if unclosed",
      plain() + "{{ 'unclosed",
      plain() + "{# unclosed",
      plain() + "{ %",
      replaced(replaced(plain(), "<start_of_turn>", "<|im_start|>"), "<end_of_turn>", "<|im_end|>"),
  };
  for (const std::string &text : bad)
    EXPECT_FALSE(recognizeChatTemplate(text)) << text;
  EXPECT_THAT(unknownChatTemplateNote("plain text"), HasSubstr("SHA-256 "));
  EXPECT_NE(unknownChatTemplateNote("a"), unknownChatTemplateNote("b"));
}

TEST(TurnFormat, WritesTurns) {
  TurnFormat format = *recognizeChatTemplate(withSystem());
  EXPECT_THAT(
      format.firstTurn(" Hi \n", ""),
      Optional(std::string("<start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n")));
  EXPECT_THAT(format.firstTurn("Hi", "Be kind."),
              Optional(std::string(
                  "<start_of_turn>user\nBe kind.\n\nHi<end_of_turn>\n<start_of_turn>model\n")));
  EXPECT_EQ(format.nextTurn("And\n\nyou? "),
            "<end_of_turn>\n<start_of_turn>user\nAnd\n\nyou?<end_of_turn>\n<start_of_turn>model\n");
  format.system = SystemRole::Error;
  EXPECT_EQ(format.firstTurn("Hi", "Be kind."), std::nullopt);
}

TEST(TurnFormat, TrimsUnicodeSpaces) {
  EXPECT_EQ(trimmed("\xE3\x80\x80\xC2\xA0 a\xC2\xA0"
                    "b \t\r\n\xE2\x80\xA8"),
            "a\xC2\xA0"
            "b");
  EXPECT_EQ(trimmed(" \n "), "");
  EXPECT_EQ(trimmed("\xE2\x80\x8B"), "\xE2\x80\x8B"); // zero width is no white space
}

} // namespace
