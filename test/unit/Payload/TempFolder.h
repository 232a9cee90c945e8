//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// A folder for one test, removed with all it holds when the test ends.
#ifndef RLX_TEST_UNIT_PAYLOAD_TEMPFOLDER_H
#define RLX_TEST_UNIT_PAYLOAD_TEMPFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

class TempFolder {
public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "rlx-test-XXXXXX").string();
    folder = mkdtemp(name.data());
  }
  TempFolder(const TempFolder &) = delete;
  ~TempFolder() { std::filesystem::remove_all(folder); }

  const std::string &path() const { return folder; }
  std::string write(const std::string &name, const std::string &text) const {
    std::ofstream(folder + "/" + name, std::ios::binary) << text;
    return folder + "/" + name;
  }
  std::string read(const std::string &name) const {
    std::ifstream file(folder + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool exists(const std::string &name) const {
    return std::filesystem::exists(folder + "/" + name);
  }

private:
  std::string folder;
};

#endif // RLX_TEST_UNIT_PAYLOAD_TEMPFOLDER_H
