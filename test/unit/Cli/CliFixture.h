//===- CliFixture.h - Runs commands on the fake model ------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Runs command lines in process, on the fake model and a small vocabulary.
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_CLI_CLIFIXTURE_H
#define RLX_TEST_UNIT_CLI_CLIFIXTURE_H

#include "FakeReference.h"
#include "program.h"

#include <gmock/gmock.h>

namespace rlx::test {

/// The manifest of a chat model; without turn format with an empty `system`.
std::string chatManifest(const std::string &system, const std::string &generation = "{}");

/// Tables for FAKE_VOCAB pieces: pad 0, eos 1, bos 2, unk 3, the two turn
/// markers, "\n", U+2581, the letters, "user", "model", and three merges.
const std::string &fakeTables();

struct CliResult {
  int status = 0;
  std::string out, err;
};

/// How a command line is run.
struct CliSetup {
  std::string manifest = chatManifest("");
  bool hasTokenizer = true;
  bool inIsTerminal = false;
  std::string input;
  bool interrupts = false; ///< SIGINT comes while the model is opened
  int outDescriptor = -1;  ///< where output goes instead of CliResult::out
  int inDescriptor = -1;   ///< where input comes from instead of `input`
};

CliResult runCli(const std::vector<std::string> &args, const CliSetup &setup = {});

/// A file name in a folder that is removed with the object.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string file(const std::string &name) const { return path + "/" + name; }
  /// Names in the folder.
  std::vector<std::string> list() const;

private:
  std::string path;
};

std::string contentsOf(const std::string &path);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_CLI_CLIFIXTURE_H
