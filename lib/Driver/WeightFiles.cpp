//===- WeightFiles.cpp - The tensors that a module names ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Lookup of sources, and the writer of mtp.bin.
//===----------------------------------------------------------------------===//
#include "WeightFiles.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include <nlohmann/json.hpp>

using namespace rlx;

llvm::Expected<const Tensor *> WeightFiles::find(SourceAttr source) {
  llvm::StringRef file = source.getFile().getValue(), name = source.getTensor().getValue();
  if (checkpoint)
    if (const Tensor *tensor = checkpoint->find(name); tensor && tensor->file == file)
      return tensor;
  std::unique_ptr<WeightSource> &opened = files[file.str()];
  if (!opened) {
    llvm::Expected<std::unique_ptr<WeightSource>> source = openWeightFile(file);
    if (!source)
      return source.takeError();
    opened = std::move(*source);
  }
  if (const Tensor *tensor = opened->find(name))
    return tensor;
  return llvm::createStringError(file + ": tensor '" + name + "' is missing");
}

void WeightFiles::release(const Tensor &tensor) const {
  if (checkpoint && checkpoint->find(tensor.name) == &tensor)
    return checkpoint->release(tensor);
  if (auto it = files.find(tensor.file); it != files.end())
    it->second->release(tensor);
}

llvm::Error rlx::writeSafetensors(llvm::ArrayRef<const Tensor *> tensors,
                                  llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  uint64_t offset = 0;
  for (const Tensor *tensor : tensors) {
    header[tensor->name] = {
        {"dtype", llvm::StringRef(getDTypeInfo(tensor->type).name).upper()},
        {"shape", std::vector<int64_t>(tensor->shape.begin(), tensor->shape.end())},
        {"data_offsets", {offset, offset + tensor->bytes.size()}}};
    offset += tensor->bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  uint8_t size[8];
  llvm::support::endian::write64le(size, text.size());
  if (llvm::Error error = sink(size))
    return error;
  if (llvm::Error error = sink(llvm::arrayRefFromStringRef(text)))
    return error;
  for (const Tensor *tensor : tensors)
    if (llvm::Error error = sink(tensor->bytes))
      return error;
  return llvm::Error::success();
}
