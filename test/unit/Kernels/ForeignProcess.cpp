//===- ForeignProcess.cpp - Runs kernels under qemu-user ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Links with the cross compiler that the machine has, and talks over pipes.
//
//===----------------------------------------------------------------------===//
#include "ForeignProcess.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace rlx::test;

SharedArena &SharedArena::get() {
  static SharedArena arena;
  return arena;
}

void SharedArena::setActive(bool value) {
  active = value;
  used = 0;
  if (!active || fd >= 0)
    return;
  fd = memfd_create("rlx-kernel-test", 0);
  void *address = reinterpret_cast<void *>(kAddress);
  if (fd < 0 || ftruncate(fd, kBytes) != 0 ||
      mmap(address, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) !=
          address)
    llvm::report_fatal_error("cannot map memory to share with the emulator");
}

void *SharedArena::allocate(size_t bytes) {
  size_t page = sysconf(_SC_PAGESIZE);
  used += (bytes + page - 1) / page * page;
  if (used > kBytes)
    llvm::report_fatal_error("the test needs a larger arena");
  return reinterpret_cast<char *>(kAddress) + used - bytes;
}

bool rlx::test::canRunAArch64() { return *RLX_AARCH64_COMPILER != 0 && *RLX_AARCH64_EMULATOR != 0; }

/// A file of its own in the system's temporary folder.
static std::string writeTemporary(llvm::StringRef suffix, llvm::StringRef contents) {
  llvm::SmallString<128> path;
  int fd;
  if (llvm::sys::fs::createTemporaryFile("rlx-kernels", suffix, fd, path))
    llvm::report_fatal_error("cannot create a temporary file");
  llvm::raw_fd_ostream(fd, /*shouldClose=*/true) << contents;
  return path.str().str();
}

std::string ForeignProcess::start(llvm::ArrayRef<char> object,
                                  const std::vector<std::string> &functions) {
  std::string table, entries;
  for (const std::string &function : functions) {
    numbers.emplace(function, numbers.size());
    table += "void " + function + "(void);\n";
    entries += function + ", ";
  }
  table += "void (*const kernels[])(void) = {" + entries + "};\n";
  std::string tablePath = writeTemporary("c", table);
  std::string objectPath = writeTemporary("o", llvm::StringRef(object.data(), object.size()));
  std::string program = writeTemporary("exe", "");
  std::vector<llvm::StringRef> link = {
      RLX_AARCH64_COMPILER, "-static", RLX_FOREIGN_RUNNER, tablePath, objectPath, "-o", program};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(link[0], link, std::nullopt, {}, 0, 0, &message);
  llvm::sys::fs::remove(tablePath);
  llvm::sys::fs::remove(objectPath);
  if (status != 0)
    return "linking for the emulator failed: " + message;

  int down[2], up[2];
  if (pipe(down) != 0 || pipe(up) != 0)
    return "no pipes";
  std::signal(SIGPIPE, SIG_IGN); // A dead child shows as a failed call.
  std::string fd = std::to_string(SharedArena::get().descriptor());
  std::string address = std::to_string(SharedArena::kAddress);
  std::string bytes = std::to_string(SharedArena::kBytes);
  pid = fork();
  if (pid == 0) {
    dup2(down[0], 0);
    dup2(up[1], 1);
    for (int end : {down[0], down[1], up[0], up[1]})
      close(end);
    execl(RLX_AARCH64_EMULATOR, RLX_AARCH64_EMULATOR, "-cpu", "max", program.c_str(), fd.c_str(),
          address.c_str(), bytes.c_str(), nullptr);
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  toChild = down[1];
  fromChild = up[0];
  executable = program;
  return pid > 0 ? "" : "cannot start the emulator";
}

bool ForeignProcess::call(llvm::StringRef function, llvm::ArrayRef<uint64_t> args) {
  struct Request {
    uint64_t kernel;
    uint64_t args[12];
  } request = {numbers.at(function.str()), {}};
  std::copy(args.begin(), args.end(), request.args);
  char done;
  return write(toChild, &request, sizeof(request)) == sizeof(request) &&
         read(fromChild, &done, 1) == 1;
}

ForeignProcess::~ForeignProcess() {
  if (pid < 0)
    return;
  close(toChild);
  close(fromChild);
  waitpid(pid, nullptr, 0);
  llvm::sys::fs::remove(executable);
}
