//===- Checkpoint.cpp - Opening whatever holds a model --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Tells apart the kinds of input by their content, and gathers what lies beside.
//===----------------------------------------------------------------------===//
#include "rlx/Import/Checkpoint.h"
#include "Error.h"
#include "MappedFile.h"
#include "rlx/Import/Gguf.h"
#include "rlx/Import/HfConfig.h"
#include "rlx/Import/Safetensors.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace rlx;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

//===----------------------------------------------------------------------===//
// Weight files
//===----------------------------------------------------------------------===//

static llvm::Expected<std::unique_ptr<WeightSource>> asSource(MappedFile file,
                                                              std::vector<Tensor> tensors) {
  auto source = std::make_unique<MappedWeightSource>(file.path().str());
  if (llvm::Error error = source->addFile(std::move(file), std::move(tensors)))
    return std::move(error);
  return std::unique_ptr<WeightSource>(std::move(source));
}

llvm::Expected<std::unique_ptr<WeightSource>> rlx::openWeightFile(llvm::StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  if (looksLikeGguf(file->bytes())) {
    llvm::Expected<GgufFile> gguf = parseGguf(path, file->bytes());
    if (!gguf)
      return gguf.takeError();
    return asSource(std::move(*file), std::move(gguf->tensors));
  }
  llvm::Expected<std::vector<Tensor>> tensors = parseSafetensors(path, file->bytes());
  if (!tensors)
    return tensors.takeError();
  return asSource(std::move(*file), std::move(*tensors));
}

//===----------------------------------------------------------------------===//
// Hugging Face
//===----------------------------------------------------------------------===//

/// Maps the file called `name` beside `weights` and hands its text to `use`; does
/// nothing where there is no such file.
static llvm::Error
withFileBeside(llvm::StringRef weights, llvm::StringRef name, Checkpoint &checkpoint,
               llvm::function_ref<llvm::Error(llvm::StringRef, llvm::StringRef)> use) {
  std::optional<std::string> found = findBeside(weights, name);
  if (!found)
    return llvm::Error::success();
  llvm::Expected<MappedFile> file = MappedFile::open(*found);
  if (!file)
    return file.takeError();
  checkpoint.otherFiles.push_back(*found);
  return use(file->path(), file->text());
}

static llvm::Error readChatTemplate(llvm::StringRef weights, Checkpoint &checkpoint) {
  std::string &result = checkpoint.config.chatTemplate;
  auto asJson = [&](llvm::StringRef path, llvm::StringRef text) -> llvm::Error {
    llvm::Expected<std::string> found = parseChatTemplate(path, text);
    if (!found)
      return found.takeError();
    result = std::move(*found);
    return llvm::Error::success();
  };
  auto asIs = [&](llvm::StringRef path, llvm::StringRef text) {
    result = text.str();
    return isUtf8(text) ? llvm::Error::success() : importError("{0}: expected text in UTF-8", path);
  };
  if (llvm::Error error = withFileBeside(weights, "chat_template.jinja", checkpoint, asIs))
    return error;
  for (const char *name : {"chat_template.json", "tokenizer_config.json"})
    if (result.empty())
      if (llvm::Error error = withFileBeside(weights, name, checkpoint, asJson))
        return error;
  return llvm::Error::success();
}

/// Reads the configuration and all else that lies beside `weights`.
static llvm::Error readBeside(llvm::StringRef weights, const CheckpointOptions &options,
                              Checkpoint &checkpoint) {
  std::string config = options.configFile;
  if (config.empty())
    config = findBeside(weights, "config.json").value_or("");
  if (config.empty())
    return importError("{0}: there is no config.json beside it; name one with --config", weights);
  llvm::Expected<MappedFile> file = MappedFile::open(config);
  if (!file)
    return file.takeError();
  llvm::Expected<ModelConfig> parsed = parseHfConfig(config, file->text());
  if (!parsed)
    return parsed.takeError();
  checkpoint.config = std::move(*parsed);
  checkpoint.otherFiles.push_back(config);

  auto addGeneration = [&](llvm::StringRef path, llvm::StringRef text) {
    return addGenerationConfig(path, text, checkpoint.config);
  };
  if (llvm::Error error =
          withFileBeside(weights, "generation_config.json", checkpoint, addGeneration))
    return error;
  if (llvm::Error error = readChatTemplate(weights, checkpoint))
    return error;
  checkpoint.tokenizerFile = findBeside(weights, "tokenizer.model").value_or("");
  if (checkpoint.tokenizerFile.empty() && findBeside(weights, "tokenizer.json"))
    checkpoint.notes.push_back("tokenizer.json is not read: a tokenizer.model is needed to "
                               "encode text");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// GGUF
//===----------------------------------------------------------------------===//

static llvm::Error openGguf(MappedFile file, const CheckpointOptions &options,
                            Checkpoint &checkpoint) {
  if (!options.configFile.empty())
    return importError("{0}: a GGUF file holds its own configuration: --config cannot replace it",
                       file.path());
  llvm::Expected<GgufFile> gguf = parseGguf(file.path(), file.bytes());
  if (!gguf)
    return gguf.takeError();
  llvm::Expected<ModelConfig> config = readGgufConfig(file.path(), *gguf, checkpoint.notes);
  if (!config)
    return config.takeError();
  checkpoint.config = std::move(*config);
  llvm::Expected<std::optional<Vocabulary>> vocabulary =
      readGgufVocabulary(file.path(), *gguf, checkpoint.config.vocabSize);
  if (!vocabulary)
    return vocabulary.takeError();
  checkpoint.vocabulary = std::move(*vocabulary);
  checkpoint.kind = InputKind::Gguf;
  llvm::Expected<std::unique_ptr<WeightSource>> source =
      asSource(std::move(file), std::move(gguf->tensors));
  if (!source)
    return source.takeError();
  checkpoint.weights = std::move(*source);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Kinds of input
//===----------------------------------------------------------------------===//

static llvm::Error openFile(llvm::StringRef input, const CheckpointOptions &options,
                            Checkpoint &checkpoint) {
  llvm::Expected<MappedFile> file = MappedFile::open(input);
  if (!file)
    return file.takeError();
  if (looksLikeGguf(file->bytes()))
    return openGguf(std::move(*file), options, checkpoint);
  bool safetensors = looksLikeSafetensors(file->bytes());
  if (!safetensors && !file->text().ltrim().starts_with("{"))
    return importError("{0}: expected a Hugging Face folder, a safetensors file or index, or a "
                       "GGUF file, but the content is none of them",
                       input);
  if (!safetensors && !file->text().contains("\"weight_map\""))
    return importError("{0}: this JSON file is not an index of weights (it has no 'weight_map'); "
                       "give the folder that holds the weights",
                       input);
  checkpoint.kind = safetensors ? InputKind::Safetensors : InputKind::SafetensorsIndex;
  if (!safetensors)
    checkpoint.otherFiles.push_back(input.str());
  llvm::Expected<std::unique_ptr<WeightSource>> source =
      safetensors ? openWeightFile(input) : openWeightIndex(input);
  if (!source)
    return source.takeError();
  checkpoint.weights = std::move(*source);
  return readBeside(input, options, checkpoint);
}

/// The file of `folder` that holds or lists the weights.
static llvm::Expected<std::string> findWeights(llvm::StringRef folder) {
  for (const char *name : {"model.safetensors", "model.safetensors.index.json"}) {
    llvm::SmallString<256> candidate(folder);
    path::append(candidate, name);
    if (fs::exists(candidate))
      return candidate.str().str();
  }
  // Files under other names, if there is just one.
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (path::extension(it->path()) == ".safetensors" || path::extension(it->path()) == ".gguf")
      found.push_back(it->path());
  if (error)
    return importError("{0}: cannot be read: {1}", folder, error.message());
  if (found.size() == 1)
    return found.front();
  if (found.empty())
    return importError("{0}: expected model.safetensors, model.safetensors.index.json or a .gguf "
                       "file in the folder but there is none",
                       folder);
  return importError("{0}: there are {1} weight files and no index in the folder; name one of them",
                     folder, found.size());
}

/// A name for a model whose file gives none.
static std::string nameFromPath(llvm::StringRef input, bool folder) {
  llvm::SmallString<256> absolute(input);
  fs::make_absolute(absolute);
  path::remove_dots(absolute, /*remove_dot_dot=*/true);
  llvm::StringRef name = folder ? path::filename(absolute) : path::stem(absolute);
  return isUtf8(name) ? name.str() : "model";
}

llvm::Expected<Checkpoint> rlx::openCheckpoint(llvm::StringRef input,
                                               const CheckpointOptions &options) {
  Checkpoint checkpoint;
  checkpoint.input = input.str();
  std::string weights = input.str();
  bool folder = fs::is_directory(input);
  if (folder) {
    llvm::Expected<std::string> found = findWeights(input);
    if (!found)
      return found.takeError();
    weights = *found;
  }
  if (llvm::Error error = openFile(weights, options, checkpoint))
    return std::move(error);
  if (folder && checkpoint.kind != InputKind::Gguf)
    checkpoint.kind = InputKind::HuggingFaceFolder;
  checkpoint.folder = path::parent_path(weights).str();
  if (checkpoint.folder.empty())
    checkpoint.folder = ".";
  // An index speaks for its folder.
  bool byFolder = folder || checkpoint.kind == InputKind::SafetensorsIndex;
  if (checkpoint.config.name.empty())
    checkpoint.config.name = nameFromPath(byFolder ? checkpoint.folder : weights, byFolder);
  return std::move(checkpoint);
}
