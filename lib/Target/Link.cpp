//===- Link.cpp - lld as a library ----------------------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Objects go in through anonymous memory files and the result comes out of a
// pipe: lld would map an output file, and a full disk would kill the process.
//
//===----------------------------------------------------------------------===//
#include "rlx/Target/Link.h"
#include "lld/Common/Driver.h"
#include "rlx/runtime/abi.h"
#include "llvm/Object/ELFObjectFile.h"
#include <fcntl.h>
#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace {
/// A file descriptor that closes itself.
class Descriptor {
public:
  explicit Descriptor(int value = -1) : value(value) {}
  Descriptor(Descriptor &&other) noexcept : value(other.value) { other.value = -1; }
  Descriptor &operator=(Descriptor &&) = delete;
  ~Descriptor() { reset(); }
  void reset() {
    if (value >= 0)
      ::close(value);
    value = -1;
  }
  int get() const { return value; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(value); }

private:
  int value;
};
} // namespace

static Error systemError(const char *what) {
  return createStringError(std::error_code(errno, std::generic_category()),
                           "cannot %s for linking: %s", what, std::strerror(errno));
}

static Expected<Descriptor> createMemoryFile(ArrayRef<char> bytes) {
  Descriptor file(::memfd_create("rlx-object", MFD_CLOEXEC));
  if (file.get() < 0)
    return systemError("create a memory file");
  while (!bytes.empty()) {
    ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return systemError("write a memory file");
    bytes = bytes.drop_front(count);
  }
  return file;
}

static void drainPipe(int pipe, SmallVectorImpl<char> &bytes) {
  constexpr size_t chunk = 1 << 16;
  while (true) {
    size_t size = bytes.size();
    bytes.resize_for_overwrite(size + chunk);
    ssize_t count = ::read(pipe, bytes.data() + size, chunk);
    bytes.truncate(size + (count > 0 ? count : 0));
    if (count == 0 || (count < 0 && errno != EINTR))
      return;
  }
}

static std::vector<std::string> getArguments(ArrayRef<Descriptor> inputs, const Descriptor &output,
                                             const rlx::LinkOptions &options) {
  // No -soname: dlopen takes equal names for the same library.
  std::vector<std::string> arguments = {"ld.lld",
                                        "-shared",
                                        "-Bsymbolic",
                                        "--build-id=none",
                                        "--hash-style=sysv",
                                        "--threads=1",
                                        "--gc-sections",
                                        "-z",
                                        "max-page-size=65536",
                                        "-z",
                                        "separate-loadable-segments",
                                        "-z",
                                        "pack-relative-relocs",
                                        "-z",
                                        "noexecstack"};
  arguments.push_back("-z");
  arguments.push_back(options.allowUndefined ? "undefs" : "defs");
  for (const Descriptor &input : inputs)
    arguments.push_back(input.path());
  arguments.push_back("-o");
  arguments.push_back(output.path());
  return arguments;
}

Expected<SmallVector<char, 0>> rlx::linkSharedObject(ArrayRef<ArrayRef<char>> objects,
                                                     const LinkOptions &options) {
  if (objects.empty())
    return createStringError("expected at least one object to link");
  std::vector<Descriptor> inputs;
  for (ArrayRef<char> object : objects) {
    Expected<Descriptor> input = createMemoryFile(object);
    if (!input)
      return input.takeError();
    inputs.push_back(std::move(*input));
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC))
    return systemError("create a pipe");
  Descriptor readEnd(ends[0]), writeEnd(ends[1]);
  std::vector<std::string> arguments = getArguments(inputs, writeEnd, options);
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());

  SmallVector<char, 0> bytes;
  std::string messages;
  lld::Result result;
  {
    // lld keeps its state in globals.
    static std::mutex mutex;
    std::lock_guard<std::mutex> lock(mutex);
    raw_string_ostream stream(messages);
    std::thread reader([&] { drainPipe(readEnd.get(), bytes); });
    result = lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
    writeEnd.reset();
    reader.join();
  }
  if (result.retCode != 0)
    return createStringError("linking failed: %s", StringRef(messages).trim().str().c_str());
  if (bytes.empty())
    return createStringError("linking failed: lld wrote nothing");
  return bytes;
}

/// The file offset of the model table, a local symbol of the object.
static Expected<uint64_t> findModelTable(const object::ObjectFile &file) {
  for (const object::SymbolRef &symbol : file.symbols()) {
    Expected<StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    if (*name != "rlx_model")
      continue;
    Expected<object::section_iterator> section = symbol.getSection();
    if (!section)
      return section.takeError();
    if (*section == file.section_end())
      break;
    Expected<uint64_t> address = symbol.getAddress();
    if (!address)
      return address.takeError();
    return object::ELFSectionRef(**section).getOffset() + *address - (*section)->getAddress();
  }
  return createStringError("expected an object with a model table but found none");
}

Error rlx::setWeightsHash(MutableArrayRef<char> object, const WeightsHash &hash) {
  MemoryBufferRef buffer(StringRef(object.data(), object.size()), "code object");
  Expected<std::unique_ptr<object::ObjectFile>> file =
      object::ObjectFile::createELFObjectFile(buffer);
  if (!file)
    return file.takeError();
  Expected<uint64_t> table = findModelTable(**file);
  if (!table)
    return table.takeError();
  uint64_t offset = *table + offsetof(rlx_model_t, weights_hash);
  if (offset + hash.size() > object.size())
    return createStringError("expected a complete object but its model table is cut off");
  std::memcpy(object.data() + offset, hash.data(), hash.size());
  return Error::success();
}
