//===- OutputFile.cpp - A file that appears whole or not at all -----------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Temporary file, write errors, and the final rename.
//===----------------------------------------------------------------------===//
#include "rlx/Payload/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace rlx;
namespace fs = llvm::sys::fs;

// The system keeps a file's bytes in memory in units as large as the writes that brought them, at
// most a huge page. Only whole huge pages are mapped as such, which saves a model that reads all
// its weights for each token most of its address translations.
static constexpr uint64_t kPieceBytes = 2 << 20;

static llvm::Error outputError(llvm::StringRef path, const llvm::Twine &message) {
  return llvm::createStringError(path + ": " + message);
}

llvm::Error rlx::checkOutputPath(llvm::StringRef path) {
  if (path.empty())
    return llvm::createStringError("expected a file to write but got an empty name");
  fs::file_status status;
  fs::status(path, status);
  if (fs::is_directory(status))
    return outputError(path, "expected a file to write but got a directory");
  if (fs::exists(status) && !fs::is_regular_file(status))
    return outputError(path, "expected a regular file to write");
  llvm::SmallString<256> folder(llvm::sys::path::parent_path(path));
  if (folder.empty())
    folder = ".";
  if (!fs::is_directory(folder))
    return outputError(path, "the folder '" + folder + "' does not exist");
  if (::access(folder.c_str(), W_OK) != 0)
    return outputError(path, "cannot write to the folder '" + folder + "': " + strerror(errno));
  return llvm::Error::success();
}

/// Removes LLVM's list of files, then ends the program by SIGNAL.
///
/// LLVM's own handler lets signals in and through to their default actions before it removes
/// anything, so that a second one (`timeout` sends its signal to a child and to its group) ends
/// the program first. This one runs with all signals blocked; other threads that receive one
/// meanwhile leave it to the first.
static void removeFilesAndEnd(int signal) {
  static std::atomic_flag ending;
  if (ending.test_and_set())
    return;
  llvm::sys::RunInterruptHandlers();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

/// Has a file removed where a signal ends the program; crashes are left to LLVM's handlers. Signals
/// that the program was started to ignore stay ignored.
static void removeOnSignal(llvm::StringRef path) {
  constexpr int kSignals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR2};
  bool ignored[std::size(kSignals)];
  for (auto [index, signal] : llvm::enumerate(kSignals)) {
    struct sigaction before;
    ignored[index] = ::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
  }
  llvm::sys::RemoveFileOnSignal(path);
  for (auto [index, signal] : llvm::enumerate(kSignals)) {
    struct sigaction action = {};
    action.sa_handler = ignored[index] ? SIG_IGN : removeFilesAndEnd;
    ::sigfillset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
}

llvm::Expected<OutputFile> OutputFile::create(llvm::StringRef path) {
  if (llvm::Error error = checkOutputPath(path))
    return std::move(error);
  std::string temporary = (path + ".tmp").str();
  int descriptor = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0)
    return outputError(temporary, llvm::Twine("cannot create it: ") + strerror(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return outputError(temporary, "another process is writing it");
  }
  removeOnSignal(temporary);
  OutputFile file(path.str(), std::move(temporary), descriptor);
  if (::ftruncate(descriptor, 0) != 0)
    return file.failure("truncate", errno);
  return file;
}

OutputFile::OutputFile(std::string path, std::string temporary, int descriptor)
    : path(std::move(path)), temporary(std::move(temporary)), descriptor(descriptor) {}

OutputFile::OutputFile(OutputFile &&other) noexcept
    : path(std::move(other.path)), temporary(std::move(other.temporary)),
      descriptor(other.descriptor), offset(other.offset), waiting(std::move(other.waiting)) {
  other.descriptor = -1;
}

OutputFile::~OutputFile() {
  if (descriptor < 0)
    return;
  ::unlink(temporary.c_str());
  llvm::sys::DontRemoveFileOnSignal(temporary);
  ::close(descriptor);
}

llvm::Error OutputFile::failure(const char *action, int code) const {
  return outputError(path, llvm::Twine("cannot ") + action + " it: " + strerror(code) +
                               (code == ENOSPC ? "; nothing was written" : ""));
}

llvm::Error OutputFile::writeThrough(llvm::ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return failure("write", count == 0 ? EIO : errno);
    bytes = bytes.drop_front(count);
  }
  return llvm::Error::success();
}

llvm::Error OutputFile::write(llvm::ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    uint64_t room = kPieceBytes - offset % kPieceBytes;
    bool whole = waiting.empty() && bytes.size() >= room;
    if (whole)
      room += llvm::alignDown(bytes.size() - room, kPieceBytes);
    llvm::ArrayRef<uint8_t> part = bytes.take_front(room);
    bytes = bytes.drop_front(part.size());
    offset += part.size();
    if (whole) {
      if (llvm::Error error = writeThrough(part))
        return error;
      continue;
    }
    waiting.insert(waiting.end(), part.begin(), part.end());
    if (offset % kPieceBytes == 0)
      if (llvm::Error error = flush())
        return error;
  }
  return llvm::Error::success();
}

llvm::Error OutputFile::flush() {
  llvm::Error error = writeThrough(waiting);
  waiting.clear();
  return error;
}

llvm::Error OutputFile::write(llvm::StringRef text) {
  return write(llvm::ArrayRef(reinterpret_cast<const uint8_t *>(text.data()), text.size()));
}

llvm::Error OutputFile::seek(uint64_t to) {
  if (llvm::Error error = flush())
    return error;
  if (::lseek(descriptor, static_cast<off_t>(to), SEEK_SET) < 0)
    return failure("seek in", errno);
  offset = to;
  return llvm::Error::success();
}

llvm::Error OutputFile::commit(bool executable) {
  if (llvm::Error error = flush())
    return error;
  mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(descriptor, (executable ? 0777 : 0666) & ~mask) != 0)
    return failure("set the permissions of", errno);
  if (::fsync(descriptor) != 0)
    return failure("write", errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return failure("rename the temporary file to", errno);
  llvm::sys::DontRemoveFileOnSignal(temporary);
  ::close(descriptor);
  descriptor = -1;
  return llvm::Error::success();
}
