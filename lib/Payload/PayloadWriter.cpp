//===- PayloadWriter.cpp - The stored ZIP behind a launcher ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Drives minizip over an OutputFile. Data is aligned by padding in the local extra
// field; where the padding does not fit there, a small entry goes before.
//===----------------------------------------------------------------------===//
#include "rlx/Payload/PayloadWriter.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cassert>
#include <cstring>
#include <minizip/zip.h>
#include <vector>

using namespace rlx;

namespace {

constexpr uint64_t kLocalHeaderBytes = 30;
constexpr uint64_t kZip64ExtraBytes = 20; // appended to the extra field by minizip
constexpr uint64_t kExtraHeaderBytes = 4;
constexpr uint64_t kExtraLimit = 65535;
// Padding has no identifier of its own; this one is what Android's zipalign uses.
constexpr uint16_t kPaddingId = 0xd935;
constexpr uint64_t kWriteLimit = uint64_t(1) << 30; // minizip counts in 32 bits

constexpr unsigned long kMadeByUnix = 3 << 8 | 45;
constexpr unsigned long kReadableFile = 0100644ul << 16;

} // namespace

struct PayloadWriter::Impl {
  explicit Impl(OutputFile &file) : file(file) {}

  llvm::Error open(llvm::StringRef name, uint64_t padding);
  llvm::Error check(int result, const char *action);

  OutputFile &file;
  zipFile zip = nullptr;
  llvm::Error writeError = llvm::Error::success(); // what minizip cannot report
  uint64_t fileEnd = 0;
  unsigned paddings = 0;
};

//===----------------------------------------------------------------------===//
// minizip's view of the file
//===----------------------------------------------------------------------===//

static voidpf openStream(voidpf opaque, const void *, int) { return opaque; }

// Nothing is read: minizip only reads archives that it extends.
static uLong readStream(voidpf, voidpf, void *, uLong) { return 0; }

static uLong writeStream(voidpf opaque, voidpf, const void *data, uLong size) {
  auto *impl = static_cast<PayloadWriter::Impl *>(opaque);
  if (impl->writeError)
    return 0;
  impl->writeError = impl->file.write(llvm::ArrayRef(static_cast<const uint8_t *>(data), size));
  impl->fileEnd = std::max(impl->fileEnd, impl->file.position());
  return impl->writeError ? 0 : size;
}

static ZPOS64_T tellStream(voidpf opaque, voidpf) {
  return static_cast<PayloadWriter::Impl *>(opaque)->file.position();
}

static long seekStream(voidpf opaque, voidpf, ZPOS64_T offset, int origin) {
  auto *impl = static_cast<PayloadWriter::Impl *>(opaque);
  if (impl->writeError)
    return -1;
  if (origin == ZLIB_FILEFUNC_SEEK_CUR)
    offset += impl->file.position();
  else if (origin == ZLIB_FILEFUNC_SEEK_END)
    offset += impl->fileEnd;
  impl->writeError = impl->file.seek(offset);
  return impl->writeError ? -1 : 0;
}

static int closeStream(voidpf, voidpf) { return 0; }

static int streamError(voidpf opaque, voidpf) {
  return static_cast<PayloadWriter::Impl *>(opaque)->writeError ? -1 : 0;
}

//===----------------------------------------------------------------------===//
// PayloadWriter
//===----------------------------------------------------------------------===//

PayloadWriter::PayloadWriter(OutputFile &file) : impl(std::make_unique<Impl>(file)) {
  impl->fileEnd = file.position();
  zlib_filefunc64_def functions = {openStream, readStream,  writeStream, tellStream,
                                   seekStream, closeStream, streamError, impl.get()};
  impl->zip = zipOpen2_64("", APPEND_STATUS_CREATEAFTER, nullptr, &functions);
  assert(impl->zip && "only memory could be missing");
}

PayloadWriter::~PayloadWriter() {
  if (impl->zip) {
    // The archive is abandoned: minizip frees its memory, nothing more is written.
    if (!impl->writeError)
      impl->writeError = llvm::createStringError("abandoned");
    zipClose(impl->zip, nullptr);
  }
  llvm::consumeError(std::move(impl->writeError));
}

llvm::Error PayloadWriter::Impl::check(int result, const char *action) {
  if (writeError)
    return std::move(writeError);
  if (result == ZIP_OK)
    return llvm::Error::success();
  return llvm::createStringError(llvm::Twine("cannot ") + action + " the payload: minizip error " +
                                 llvm::Twine(result));
}

/// Opens an entry; with `padding`, that many bytes of extra field before its data.
llvm::Error PayloadWriter::Impl::open(llvm::StringRef name, uint64_t padding) {
  std::vector<char> extra(padding, 0);
  if (padding) {
    uint64_t content = padding - kExtraHeaderBytes;
    extra[0] = static_cast<char>(kPaddingId & 0xff);
    extra[1] = static_cast<char>(kPaddingId >> 8);
    extra[2] = static_cast<char>(content & 0xff);
    extra[3] = static_cast<char>(content >> 8);
  }
  zip_fileinfo info = {};
  info.tmz_date.tm_mday = 1;
  info.tmz_date.tm_year = 1980;
  info.external_fa = kReadableFile;
  int result = zipOpenNewFileInZip4_64(
      zip, name.str().c_str(), &info, extra.data(), static_cast<uInt>(extra.size()), nullptr, 0,
      nullptr, /*method=*/0, /*level=*/0, /*raw=*/0, -MAX_WBITS, DEF_MEM_LEVEL, Z_DEFAULT_STRATEGY,
      nullptr, 0, kMadeByUnix, 0, /*zip64=*/1);
  return check(result, "extend");
}

llvm::Error PayloadWriter::begin(llvm::StringRef name, uint64_t alignment) {
  assert(llvm::isPowerOf2_64(alignment) && alignment <= kPayloadAlignment);
  auto paddingFor = [&](uint64_t start) {
    uint64_t data = start + kLocalHeaderBytes + name.size() + kZip64ExtraBytes;
    return llvm::alignTo(data, alignment) - data;
  };
  uint64_t padding = paddingFor(impl->fileEnd);
  bool fits =
      padding == 0 || (padding >= kExtraHeaderBytes && padding <= kExtraLimit - kZip64ExtraBytes);
  if (!fits) {
    std::string filler = "padding/" + llvm::utostr(impl->paddings++);
    if (llvm::Error error = add(filler, {}))
      return error;
    padding = paddingFor(impl->fileEnd);
  }
  return impl->open(name, padding);
}

llvm::Error PayloadWriter::write(llvm::ArrayRef<uint8_t> bytes) {
  while (!bytes.empty()) {
    llvm::ArrayRef<uint8_t> part = bytes.take_front(kWriteLimit);
    int result = zipWriteInFileInZip(impl->zip, part.data(), static_cast<unsigned>(part.size()));
    if (llvm::Error error = impl->check(result, "write"))
      return error;
    bytes = bytes.drop_front(part.size());
  }
  return llvm::Error::success();
}

llvm::Error PayloadWriter::end() { return impl->check(zipCloseFileInZip(impl->zip), "extend"); }

llvm::Error PayloadWriter::add(llvm::StringRef name, llvm::ArrayRef<uint8_t> bytes,
                               uint64_t alignment) {
  if (llvm::Error error = begin(name, alignment))
    return error;
  if (llvm::Error error = write(bytes))
    return error;
  return end();
}

llvm::Error PayloadWriter::finish() {
  int result = zipClose(impl->zip, nullptr);
  impl->zip = nullptr;
  return impl->check(result, "finish");
}
