//===- TuneCache.cpp - Tuning results on disk -----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A JSON object from what was measured to the text that was found. It is a cache:
// whatever cannot be read counts as not there.
//
//===----------------------------------------------------------------------===//
#include "rlx/Payload/OutputFile.h"
#include "rlx/Target/Tuning.h"
#include "rlx/Tune/Tuner.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Threading.h"
#include <cstdlib>
#include <nlohmann/json.hpp>

using namespace rlx;
using nlohmann::json;

TuneCache TuneCache::standard() {
  llvm::SmallString<128> path;
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && *cache)
    llvm::sys::path::append(path, cache, "rlx", "tune.json");
  else if (home && *home)
    llvm::sys::path::append(path, home, ".cache", "rlx", "tune.json");
  return TuneCache(path.str().str());
}

/// All that the result depends on.
static std::string keyOf(const TargetDescription &target, const TuneShapes &shapes,
                         const TuneOptions &options) {
  std::string key =
      llvm::formatv("rlx " RLX_VERSION ", {0}, {1}, {2} threads", target.cpu, target.name,
                    llvm::hardware_concurrency(options.threads).compute_thread_count());
  for (const std::optional<TuneShape> &shape : {shapes.quantized, shapes.dense})
    if (shape)
      key += llvm::formatv(", {0} {1}x{2}", weightFormatName(shape->format), shape->k, shape->n);
  return key;
}

/// The file's object, or an empty one.
static json readFile(const std::string &file) {
  auto buffer = llvm::MemoryBuffer::getFile(file);
  if (!buffer)
    return json::object();
  llvm::StringRef text = (*buffer)->getBuffer();
  json root = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  return root.is_object() ? root : json::object();
}

std::optional<std::string> TuneCache::find(const TargetDescription &target,
                                           const TuneShapes &shapes,
                                           const TuneOptions &options) const {
  if (file.empty())
    return std::nullopt;
  json root = readFile(file);
  auto found = root.find(keyOf(target, shapes, options));
  if (found == root.end() || !found->is_string())
    return std::nullopt;
  std::string text = found->get<std::string>();
  TargetDescription tuned = target;
  if (llvm::Error error = applyTuning(tuned, text)) {
    llvm::consumeError(std::move(error));
    return std::nullopt;
  }
  return text;
}

llvm::Error TuneCache::store(const TargetDescription &target, const TuneShapes &shapes,
                             const TuneOptions &options, const TuneResult &result) const {
  if (file.empty())
    return llvm::Error::success();
  json root = readFile(file);
  root[keyOf(target, shapes, options)] = result.tuning;
  llvm::StringRef folder = llvm::sys::path::parent_path(file);
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError(folder + ": cannot create the folder: " + code.message());
  llvm::Expected<OutputFile> output = OutputFile::create(file);
  if (!output)
    return output.takeError();
  std::string text = root.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  if (llvm::Error error = output->write(llvm::StringRef(text)))
    return error;
  return output->commit(/*executable=*/false);
}
