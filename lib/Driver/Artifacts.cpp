//===- Artifacts.cpp - The files that a compile writes --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// A model binary holds, behind the launcher: weights.bin (first, since they are
// packed while code is generated), mtp.bin, code/<target>.so, tokenizer.bin and
// manifest.json. --emit=object and shared write the same as files of their own.
//===----------------------------------------------------------------------===//
#include "Artifacts.h"
#include "rlx/Payload/PayloadWriter.h"
#include "rlx/Target/Link.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/TargetParser/Triple.h"

using namespace rlx;

ModelOutput::~ModelOutput() = default;

static llvm::ArrayRef<uint8_t> asBytes(llvm::ArrayRef<char> bytes) {
  return {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()};
}

static ManifestEntry describeEntry(std::string name, llvm::ArrayRef<uint8_t> bytes) {
  return {std::move(name), bytes.size(), sha256Text(bytes)};
}

static ManifestEntry describeWeights(std::string name, const PackedWeights &weights) {
  return {std::move(name), weights.bytes, llvm::toHex(weights.sha256, /*LowerCase=*/true)};
}

/// Gives the object its hash and describes it.
static llvm::Expected<ManifestCode> sealCode(std::string name, CodeObject &code,
                                             const PackedWeights &weights) {
  if (llvm::Error error = setWeightsHash(code.bytes, weights.sha256))
    return std::move(error);
  ManifestCode entry;
  static_cast<ManifestEntry &>(entry) = describeEntry(std::move(name), asBytes(code.bytes));
  entry.target = code.target.name;
  entry.cpuFeatures = code.target.requiredFeatures;
  return entry;
}

/// Writes MTP tensors through `sink` and describes what came out.
static llvm::Expected<ManifestEntry>
writeMtp(std::string name, llvm::ArrayRef<const Tensor *> tensors,
         llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink) {
  llvm::SHA256 hash;
  ManifestEntry entry{std::move(name), 0, ""};
  llvm::Error error = writeSafetensors(tensors, [&](llvm::ArrayRef<uint8_t> bytes) {
    hash.update(bytes);
    entry.bytes += bytes.size();
    return sink(bytes);
  });
  if (error)
    return std::move(error);
  entry.sha256 = llvm::toHex(hash.final(), /*LowerCase=*/true);
  return entry;
}

//===----------------------------------------------------------------------===//
// Model binaries
//===----------------------------------------------------------------------===//

namespace {

class BinaryOutput : public ModelOutput {
public:
  explicit BinaryOutput(OutputFile output) : file(std::move(output)) {}

  llvm::Error begin(llvm::ArrayRef<char> launcher) {
    if (llvm::Error error = file.write(asBytes(launcher)))
      return error;
    payload.emplace(file);
    return payload->begin("weights.bin", kPayloadAlignment);
  }
  llvm::Error writeWeights(llvm::ArrayRef<uint8_t> bytes) override { return payload->write(bytes); }
  llvm::Error finish(ModelContents contents) override;
  llvm::Error commit() override { return file.commit(/*executable=*/true); }
  llvm::StringRef temporaryPath() const override { return file.temporaryPath(); }
  uint64_t size() const override { return file.position(); }

private:
  llvm::Error addMtp(ModelContents &contents);

  OutputFile file;
  std::optional<PayloadWriter> payload;
};

} // namespace

llvm::Error BinaryOutput::addMtp(ModelContents &contents) {
  if (llvm::Error error = payload->begin("mtp.bin", kPayloadAlignment))
    return error;
  llvm::Expected<ManifestEntry> entry =
      writeMtp("mtp.bin", contents.mtp,
               [&](llvm::ArrayRef<uint8_t> bytes) { return payload->write(bytes); });
  if (!entry)
    return entry.takeError();
  contents.manifest.mtp = *entry;
  return payload->end();
}

llvm::Error BinaryOutput::finish(ModelContents contents) {
  ModelManifest &manifest = contents.manifest;
  manifest.weights = describeWeights("weights.bin", contents.weights);
  if (llvm::Error error = payload->end())
    return error;
  if (!contents.mtp.empty())
    if (llvm::Error error = addMtp(contents))
      return error;
  for (CodeObject &code : contents.code) {
    llvm::Expected<ManifestCode> entry =
        sealCode("code/" + code.target.name + ".so", code, contents.weights);
    if (!entry)
      return entry.takeError();
    if (llvm::Error error = payload->add(entry->entry, asBytes(code.bytes), kPayloadAlignment))
      return error;
    manifest.code.push_back(std::move(*entry));
  }
  if (contents.tokenizer) {
    llvm::ArrayRef<uint8_t> tables = llvm::arrayRefFromStringRef(*contents.tokenizer);
    manifest.tokenizer = describeEntry("tokenizer.bin", tables);
    if (llvm::Error error = payload->add("tokenizer.bin", tables, kWeightAlignment))
      return error;
  }
  if (llvm::Error error =
          payload->add("manifest.json", llvm::arrayRefFromStringRef(writeManifest(manifest))))
    return error;
  if (llvm::Error error = payload->finish())
    return error;
  return file.flush();
}

static llvm::Expected<std::unique_ptr<ModelOutput>> createBinary(const CompileOptions &options,
                                                                 const TargetDescription &target) {
  std::string arch = llvm::Triple::getArchTypeName(llvm::Triple(target.triple).getArch()).str();
  llvm::SmallString<256> path(options.launcherFolder);
  llvm::sys::path::append(path, "launcher-" + arch);
  auto launcher = llvm::MemoryBuffer::getFile(path, false, /*RequiresNullTerminator=*/false);
  if (!launcher)
    return llvm::createStringError(
        path + ": the launcher for " + arch + " is missing (" + launcher.getError().message() +
        "); build or install RLX with support for " + arch + ", or use --emit=shared");
  llvm::Expected<OutputFile> file = OutputFile::create(options.output);
  if (!file)
    return file.takeError();
  auto output = std::make_unique<BinaryOutput>(std::move(*file));
  llvm::StringRef bytes = (*launcher)->getBuffer();
  if (llvm::Error error = output->begin({bytes.data(), bytes.size()}))
    return std::move(error);
  return output;
}

//===----------------------------------------------------------------------===//
// Objects with companions
//===----------------------------------------------------------------------===//

namespace {

/// OUT itself and, with its extension replaced, .weights, .json, .h, .tokenizer, .mtp.
class LooseOutput : public ModelOutput {
public:
  LooseOutput(llvm::StringRef output, OutputFile code, OutputFile weights)
      : output(output), code(std::move(code)), weights(std::move(weights)) {}

  static constexpr const char *extensions[] = {"weights", "json", "h", "tokenizer", "mtp"};

  static std::string companion(llvm::StringRef output, llvm::StringRef extension) {
    llvm::SmallString<256> path(output);
    llvm::sys::path::replace_extension(path, extension);
    return path.str().str();
  }
  llvm::Error writeWeights(llvm::ArrayRef<uint8_t> bytes) override { return weights.write(bytes); }
  llvm::Error finish(ModelContents contents) override;
  llvm::Error commit() override;
  llvm::StringRef temporaryPath() const override { return code.temporaryPath(); }
  uint64_t size() const override { return code.position() + weights.position(); }

private:
  llvm::Error addFile(llvm::StringRef extension, llvm::StringRef text);
  llvm::Error addMtp(ModelContents &contents);
  std::string nameOf(llvm::StringRef extension) const {
    return llvm::sys::path::filename(companion(output, extension)).str();
  }

  std::string output;
  OutputFile code, weights;
  std::vector<OutputFile> others;
};

} // namespace

llvm::Error LooseOutput::addFile(llvm::StringRef extension, llvm::StringRef text) {
  llvm::Expected<OutputFile> file = OutputFile::create(companion(output, extension));
  if (!file)
    return file.takeError();
  others.push_back(std::move(*file));
  return others.back().write(text);
}

llvm::Error LooseOutput::addMtp(ModelContents &contents) {
  if (llvm::Error error = addFile("mtp", ""))
    return error;
  llvm::Expected<ManifestEntry> entry =
      writeMtp(nameOf("mtp"), contents.mtp,
               [&](llvm::ArrayRef<uint8_t> bytes) { return others.back().write(bytes); });
  if (!entry)
    return entry.takeError();
  contents.manifest.mtp = *entry;
  return llvm::Error::success();
}

/// The C header of an object or shared object.
static std::string makeHeader(const ModelContents &contents, llvm::StringRef weightsName) {
  return llvm::formatv("/* Written by rlx-compile: the model in {0}. Open it with\n"
                       " * rlx::Model::openQuery (rlx/runtime/model.h), giving it the bytes of\n"
                       " * {1}, mapped or read to memory aligned to RLX_ALIGNMENT. */\n"
                       "#ifndef RLX_COMPILED_MODEL_H\n#define RLX_COMPILED_MODEL_H\n\n"
                       "#include \"rlx/runtime/abi.h\"\n\n"
                       "#define RLX_COMPILED_WEIGHTS \"{1}\"\n"
                       "#define RLX_COMPILED_WEIGHTS_BYTES {2}ull\n\n"
                       "#ifdef __cplusplus\nextern \"C\"\n#endif\n"
                       "const rlx_model_t *rlx_query(uint32_t abi_version);\n\n"
                       "#endif /* RLX_COMPILED_MODEL_H */\n",
                       contents.manifest.code.front().entry, weightsName, contents.weights.bytes);
}

llvm::Error LooseOutput::finish(ModelContents contents) {
  ModelManifest &manifest = contents.manifest;
  CodeObject &object = contents.code.front();
  manifest.weights = describeWeights(nameOf("weights"), contents.weights);
  llvm::Expected<ManifestCode> entry =
      sealCode(llvm::sys::path::filename(output).str(), object, contents.weights);
  if (!entry)
    return entry.takeError();
  manifest.code.push_back(std::move(*entry));
  if (llvm::Error error = code.write(asBytes(object.bytes)))
    return error;
  if (contents.tokenizer) {
    manifest.tokenizer =
        describeEntry(nameOf("tokenizer"), llvm::arrayRefFromStringRef(*contents.tokenizer));
    if (llvm::Error error = addFile("tokenizer", *contents.tokenizer))
      return error;
  }
  if (!contents.mtp.empty())
    if (llvm::Error error = addMtp(contents))
      return error;
  if (llvm::Error error = addFile("h", makeHeader(contents, nameOf("weights"))))
    return error;
  if (llvm::Error error = addFile("json", writeManifest(manifest)))
    return error;
  for (OutputFile &file : others)
    if (llvm::Error error = file.flush())
      return error;
  if (llvm::Error error = weights.flush())
    return error;
  return code.flush();
}

llvm::Error LooseOutput::commit() {
  for (OutputFile &file : others)
    if (llvm::Error error = file.commit(/*executable=*/false))
      return error;
  if (llvm::Error error = weights.commit(/*executable=*/false))
    return error;
  return code.commit(/*executable=*/false);
}

static llvm::Expected<std::unique_ptr<ModelOutput>> createLoose(const CompileOptions &options) {
  llvm::Expected<OutputFile> code = OutputFile::create(options.output);
  if (!code)
    return code.takeError();
  llvm::Expected<OutputFile> weights =
      OutputFile::create(LooseOutput::companion(options.output, "weights"));
  if (!weights)
    return weights.takeError();
  return std::make_unique<LooseOutput>(options.output, std::move(*code), std::move(*weights));
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

llvm::Expected<std::vector<std::string>> rlx::listOutputs(const CompileOptions &options) {
  std::vector<std::string> outputs = {options.output};
  if (options.stopAfter || (options.emit != EmitKind::Object && options.emit != EmitKind::Shared))
    return outputs;
  for (const char *extension : LooseOutput::extensions) {
    outputs.push_back(LooseOutput::companion(options.output, extension));
    if (outputs.back() == options.output)
      return llvm::createStringError(options.output + ": ." + extension +
                                     " is the name of a file beside the code; name another output "
                                     "with -o");
  }
  return outputs;
}

llvm::Expected<std::unique_ptr<ModelOutput>>
rlx::createModelOutput(const CompileOptions &options, const TargetDescription &target) {
  return options.emit == EmitKind::Binary ? createBinary(options, target) : createLoose(options);
}

llvm::Error rlx::writeText(llvm::StringRef output, llvm::StringRef text) {
  if (output.empty() || output == "-") {
    llvm::outs() << text;
    llvm::outs().flush();
    if (llvm::outs().has_error()) {
      std::error_code code = llvm::outs().error();
      llvm::outs().clear_error();
      return llvm::createStringError("cannot write to standard output: " + code.message());
    }
    return llvm::Error::success();
  }
  llvm::Expected<OutputFile> file = OutputFile::create(output);
  if (!file)
    return file.takeError();
  if (llvm::Error error = file->write(text))
    return error;
  return file->commit(/*executable=*/false);
}
