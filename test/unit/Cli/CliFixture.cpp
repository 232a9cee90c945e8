//===- CliFixture.cpp - Runs commands on the fake model ----- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Builds the vocabulary, and catches a command's output in files.
//===----------------------------------------------------------------------===//
#include "CliFixture.h"

#include "rlx/Tokenizer/TokenizerTables.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace rlx;
using namespace rlx::test;

std::string test::chatManifest(const std::string &system, const std::string &generation) {
  std::string format =
      R"({"name":"gemma","user_prefix":"<start_of_turn>user\n","user_suffix":"<end_of_turn>\n",)"
      R"("model_prefix":"<start_of_turn>model\n","model_suffix":"<end_of_turn>\n",)"
      R"("end_token":"<end_of_turn>","system":")" +
      system + "\"}";
  return R"({"model":{"name":"fake","eos_token_ids":[1]},"generation":)" + generation +
         R"(,"turn_format":)" + (system.empty() ? "null" : format) + "}";
}

const std::string &test::fakeTables() {
  static const std::string tables = [] {
    Vocabulary vocabulary;
    auto add = [&](const std::string &text, PieceType type, float score = 0) {
      vocabulary.pieces.push_back({text, score, type});
    };
    for (const char *text : {"<pad>", "<eos>", "<bos>"})
      add(text, PieceType::Control);
    add("<unk>", PieceType::Unknown);
    for (const char *text : {"<start_of_turn>", "<end_of_turn>"})
      add(text, PieceType::Control);
    add("\n", PieceType::UserDefined);
    add("\xE2\x96\x81", PieceType::Normal, -9);
    for (char letter = 'a'; letter <= 'z'; ++letter)
      add(std::string(1, letter), PieceType::Normal, -9);
    for (const char *text : {"user", "model"})
      add(text, PieceType::UserDefined);
    float score = 0;
    for (const char *text : {"ab", "abc", "de", "def"})
      add(text, PieceType::Normal, score -= 1);
    vocabulary.padToken = 0;
    vocabulary.eosToken = 1;
    vocabulary.bosToken = 2;
    llvm::Expected<std::string> built = buildTokenizerTables(vocabulary, "fake");
    if (!built)
      ADD_FAILURE() << llvm::toString(built.takeError());
    return built ? *built : std::string();
  }();
  return tables;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path().string() + "/rlx-cli-XXXXXX";
  path = mkdtemp(pattern.data());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::vector<std::string> TemporaryFolder::list() const {
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(path))
    names.push_back(entry.path().filename());
  return names;
}

std::string test::contentsOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

static int descriptorOf(std::FILE *file) { return fileno(file); }

static std::string drain(std::FILE *file) {
  std::string text;
  std::rewind(file);
  for (int c; (c = std::fgetc(file)) != EOF;)
    text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

CliResult test::runCli(const std::vector<std::string> &args, const CliSetup &setup) {
  std::FILE *in = std::tmpfile(), *out = std::tmpfile(), *err = std::tmpfile();
  std::fwrite(setup.input.data(), 1, setup.input.size(), in);
  std::rewind(in);
  CliResult result;
  {
    cli::Console console(setup.inDescriptor >= 0 ? setup.inDescriptor : descriptorOf(in),
                         setup.outDescriptor >= 0 ? setup.outDescriptor : descriptorOf(out),
                         descriptorOf(err));
    console.inIsTerminal = setup.inIsTerminal;
    const std::string &tables = fakeTables();
    Span<const uint8_t> bytes(reinterpret_cast<const uint8_t *>(tables.data()), tables.size());
    auto open = [&]() -> Expected<cli::Program> {
      if (setup.interrupts)
        std::raise(SIGINT);
      return cli::openProgram(openFake(rlx_query(RLX_ABI_VERSION), setup.manifest), console,
                              setup.hasTokenizer ? std::optional(bytes) : std::nullopt);
    };
    result.status = cli::runCommandLine(args, console, open);
  }
  std::fclose(in);
  result.out = drain(out);
  result.err = drain(err);
  return result;
}
