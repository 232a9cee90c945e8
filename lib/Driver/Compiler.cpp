//===- Compiler.cpp - One compile, phase by phase -------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The order of work. Import to plan run once; kernels to object once per target,
// while the weights are packed in the background.
//===----------------------------------------------------------------------===//
#include "Compiler.h"
#include "CodeSizes.h"
#include "RecordedProfile.h"
#include "TuneTargets.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Conversion/Scratch.h"
#include "rlx/Driver/CompileMain.h"
#include "rlx/Payload/OutputFile.h"
#include "rlx/Target/Link.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <set>

using namespace mlir;
using namespace rlx;

// Where the module came from, for tokenizer and profile of a resumed compile.
static constexpr llvm::StringLiteral kCheckpointAttr = "rlx.checkpoint";
static constexpr llvm::StringLiteral kConfigFileAttr = "rlx.config_file";

//===----------------------------------------------------------------------===//
// Input and profile
//===----------------------------------------------------------------------===//

llvm::Error Compiler::openCheckpointOf(llvm::StringRef input, llvm::StringRef configFile) {
  CheckpointOptions checkpointOptions;
  checkpointOptions.configFile = configFile.str();
  llvm::Expected<Checkpoint> opened = openCheckpoint(input, checkpointOptions);
  if (!opened)
    return opened.takeError();
  checkpoint.emplace(std::move(*opened));
  for (const std::string &text : checkpoint->notes)
    console.note(text);
  return llvm::Error::success();
}

llvm::Error Compiler::openInput() {
  if (!options.resumeFrom)
    return openCheckpointOf(options.input, options.configFile);
  llvm::Expected<OwningOpRef<ModuleOp>> parsed = runner.parse(options.input);
  if (!parsed)
    return parsed.takeError();
  module = std::move(*parsed);
  auto from = (*module)->getAttrOfType<StringAttr>(kCheckpointAttr);
  auto config = (*module)->getAttrOfType<StringAttr>(kConfigFileAttr);
  if (!from) {
    console.note(options.input + " names no checkpoint (attribute '" + kCheckpointAttr +
                 "'): the output will have no tokenizer");
    return llvm::Error::success();
  }
  return openCheckpointOf(from.getValue(), config ? config.getValue() : "");
}

/// Refuses to write over what is read.
llvm::Error Compiler::checkOutput() const {
  if (options.output.empty() || options.output == "-")
    return llvm::Error::success();
  llvm::Expected<std::vector<std::string>> outputs = listOutputs(options);
  if (!outputs)
    return outputs.takeError();
  std::set<std::string> inputs = {options.input, options.profileFile};
  if (checkpoint) {
    for (size_t i = 0; i < checkpoint->weights->size(); ++i)
      inputs.insert((*checkpoint->weights)[i].file);
    inputs.insert(checkpoint->tokenizerFile);
    inputs.insert(checkpoint->otherFiles.begin(), checkpoint->otherFiles.end());
    inputs.insert(checkpoint->folder + "/" + kProfileName.str());
  }
  for (const std::string &output : *outputs) {
    if (llvm::Error error = checkOutputPath(output))
      return error;
    for (const std::string &input : inputs)
      if (llvm::sys::fs::equivalent(input, output))
        return llvm::createStringError(output +
                                       ": is an input of the compile; name another output with -o");
  }
  return llvm::Error::success();
}

llvm::Error Compiler::resolveProfile() {
  Profile layered;
  std::optional<Profile> recorded;
  if (module) {
    llvm::Expected<std::optional<Profile>> read = readRecordedProfile(*module, options.input);
    if (!read)
      return read.takeError();
    recorded = std::move(*read);
  }
  if (recorded) {
    layered = *recorded; // what lay beside the weights is in it
  } else if (checkpoint) {
    llvm::SmallString<256> beside(checkpoint->folder);
    llvm::sys::path::append(beside, kProfileName);
    if (llvm::sys::fs::exists(beside))
      if (llvm::Error error = layered.applyFile(beside))
        return error;
  }
  if (!options.profileFile.empty())
    if (llvm::Error error = layered.applyFile(options.profileFile))
      return error;
  for (const ProfileFlag &flag : options.profileFlags)
    if (llvm::Error error = layered.applyFlag(flag.key, flag.value, flag.flag))
      return error;
  if (recorded)
    if (llvm::Error error = checkPassedKeys(*recorded, layered, *options.resumeFrom))
      return error;
  if (llvm::Error error = checkLadders(layered))
    return error;
  profile = std::move(layered);
  settings = resolveSettings(profile);
  settings.import.includeMtp = options.includeMtp;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

llvm::Error Compiler::import() {
  console.startPhase(getPhaseInfo(Phase::Import).name);
  llvm::Expected<OwningOpRef<ModuleOp>> imported =
      importModel(runner.getContext(), *checkpoint->weights, checkpoint->config, settings.import);
  if (!imported)
    return imported.takeError();
  module = std::move(*imported);
  if (options.verbose)
    console.setOutcome(describeIR(*module));
  Builder builder(&runner.getContext());
  (*module)->setAttr(kCheckpointAttr, builder.getStringAttr(options.input));
  if (!options.configFile.empty())
    (*module)->setAttr(kConfigFileAttr, builder.getStringAttr(options.configFile));
  return reportSkipped();
}

/// Every tensor that the model does not use is named, each reason once.
llvm::Error Compiler::reportSkipped() {
  const WeightSource &weights = *checkpoint->weights;
  std::map<std::string, std::vector<std::string>> reasons;
  for (const Tensor *tensor : weights.withUse(TensorUse::Skipped))
    reasons[weights.skipReason(*tensor).str()].push_back(tensor->name);
  for (const auto &[reason, names] : reasons)
    console.note("skipped " + llvm::Twine(names.size()) + " tensors (" + names.front() +
                 (names.size() > 1 ? ", …" : "") + "): " + reason);
  std::vector<const Tensor *> mtp = weights.withUse(TensorUse::Mtp);
  if (!mtp.empty() && !options.includeMtp)
    console.note("skipped " + llvm::Twine(mtp.size()) + " tensors (" + mtp.front()->name +
                 ", …) for multi-token prediction; --include-mtp keeps them");
  std::vector<const Tensor *> unused = weights.withUse(TensorUse::Unused);
  if (!unused.empty())
    return llvm::createStringError(unused.front()->file + ": tensor '" + unused.front()->name +
                                   "' belongs to no part of the model");
  return llvm::Error::success();
}

llvm::Error Compiler::runModulePhase(Phase phase) {
  if (phase == Phase::Import)
    return import();
  return runner.run(*module, getPhaseInfo(phase).name, [&](OpPassManager &manager) {
    switch (phase) {
    case Phase::Fuse:
      return buildFusionPipeline(manager, settings.fusion);
    case Phase::Fold:
      return buildFoldPipeline(manager);
    case Phase::Specialize:
      return buildSpecializePipeline(manager, settings.specialize);
    default:
      buildPlanPipeline(manager,
                        {settings.weights, settings.screenHead, scratchBytes, settings.genericOps});
      manager.addPass(createAssignWeightLayout());
    }
  });
}

/// The targets of the profile, or the one that a module in kernels is for.
llvm::Error Compiler::resolveModuleTargets() {
  if (options.tune && isPending(Phase::Kernels)) {
    console.startPhase("tune");
    if (llvm::Error error = tuneTargets(settings.targets, *module, options.threads, console))
      return error;
    console.endPhase();
  }
  llvm::Expected<std::vector<NamedTarget>> named = resolveTargets(settings.targets);
  if (!named)
    return named.takeError();
  targets = std::move(*named);
  auto target = (*module)->getAttrOfType<StringAttr>(kTargetAttr);
  if (!isPending(Phase::Kernels)) {
    if (!target)
      return llvm::createStringError(options.input + ": expected the module attribute '" +
                                     kTargetAttr + "', which the phase kernels sets");
    llvm::erase_if(targets, [&](const NamedTarget &other) {
      return other.description.name != target.getValue();
    });
    if (targets.empty()) {
      llvm::Expected<TargetDescription> resolved = resolveTarget(target.getValue());
      if (!resolved)
        return resolved.takeError();
      targets.push_back({target.getValue().str(), std::move(*resolved)});
    }
  }
  bool single = options.stopAfter || options.emit != EmitKind::Binary;
  if (single && targets.size() > 1)
    return llvm::createStringError("--target-cpu: expected one target for this output but got " +
                                   llvm::Twine(targets.size()) +
                                   "; only model binaries hold code for several");
  return llvm::Error::success();
}

/// With -v, what the variants' code takes.
llvm::Error Compiler::reportCode(ModuleOp lowered, const CodeObject &object) {
  if (!options.verbose || options.emit == EmitKind::Llvm || options.emit == EmitKind::Asm)
    return llvm::Error::success();
  console.endPhase();
  llvm::Expected<std::string> sizes = describeCode(lowered, object.bytes);
  if (!sizes)
    return sizes.takeError();
  console.detail(llvm::StringRef(*sizes).rtrim());
  return llvm::Error::success();
}

/// Code for every target; linked, if the output is.
llvm::Expected<std::vector<CodeObject>> Compiler::generateAll() {
  std::vector<CodeObject> objects;
  for (const NamedTarget &target : targets) {
    OwningOpRef<ModuleOp> copy = module->clone();
    for (Phase phase : {Phase::Kernels, Phase::Llvm})
      if (isPending(phase))
        if (llvm::Error error = runTargetPhase(runner, *copy, phase, target))
          return std::move(error);
    console.startPhase(getPhaseInfo(Phase::Object).name);
    llvm::Expected<CodeObject> object =
        generateCode(*copy, target, options.emit, settings.optLevel);
    if (!object)
      return object.takeError();
    console.setOutcome(formatBytes(object->bytes.size()));
    if (llvm::Error error = reportCode(*copy, *object))
      return std::move(error);
    if (options.emit == EmitKind::Binary || options.emit == EmitKind::Shared) {
      console.startPhase("link");
      llvm::ArrayRef<char> bytes = object->bytes;
      llvm::Expected<llvm::SmallVector<char, 0>> linked = linkSharedObject({bytes});
      if (!linked)
        return linked.takeError();
      object->bytes = std::move(*linked);
      console.setOutcome(formatBytes(object->bytes.size()));
    }
    objects.push_back(std::move(*object));
  }
  return objects;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

llvm::Error Compiler::writeModule() {
  console.endPhase();
  recordProfile(*module, profile);
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  stream << "\n";
  return writeText(options.output, text);
}

llvm::Error Compiler::emitText() {
  llvm::Expected<std::vector<CodeObject>> objects = generateAll();
  if (!objects)
    return objects.takeError();
  console.endPhase();
  const auto &bytes = objects->front().bytes;
  return writeText(options.output, {bytes.data(), bytes.size()});
}

llvm::Error Compiler::emitModel() {
  WeightFiles files(checkpoint ? checkpoint->weights.get() : nullptr);
  llvm::Expected<std::vector<WeightRecipe>> recipes =
      readRecipes(*module, [&](SourceAttr source) { return files.find(source); });
  if (!recipes)
    return recipes.takeError();
  ModelContents contents;
  llvm::Expected<ModelManifest> manifest = beginManifest(*module, profile, settings, console);
  if (!manifest)
    return manifest.takeError();
  contents.manifest = std::move(*manifest);
  if (auto mtp = (*module)->getAttrOfType<ArrayAttr>(kMtpAttr))
    for (auto source : mtp.getAsRange<SourceAttr>()) {
      llvm::Expected<const Tensor *> tensor = files.find(source);
      if (!tensor)
        return tensor.takeError();
      contents.mtp.push_back(*tensor);
    }
  if (checkpoint) {
    llvm::Expected<std::optional<std::string>> tokenizer =
        buildTokenizer(*checkpoint, checkpoint->config.vocabSize, console);
    if (!tokenizer)
      return tokenizer.takeError();
    contents.tokenizer = std::move(*tokenizer);
  }

  llvm::Expected<std::unique_ptr<ModelOutput>> output =
      createModelOutput(options, targets.front().description);
  if (!output)
    return output.takeError();
  BackgroundPacking packing(
      std::move(*recipes), files, options.threads, console,
      [&](llvm::ArrayRef<uint8_t> bytes) { return (*output)->writeWeights(bytes); });
  llvm::Expected<std::vector<CodeObject>> code = generateAll();
  if (!code)
    return code.takeError();
  console.startPhase("pack");
  llvm::Expected<PackedWeights> weights = packing.wait();
  if (!weights)
    return weights.takeError();
  contents.weights = *weights;
  contents.code = std::move(*code);
  std::string codeText;
  for (const CodeObject &object : contents.code)
    codeText += (codeText.empty() ? "" : ", ") + object.target.name + " " +
                formatBytes(object.bytes.size());

  console.startPhase(getPhaseInfo(Phase::Binary).name);
  ModelManifest summary = contents.manifest;
  summary.weights.bytes = contents.weights.bytes;
  if (llvm::Error error = (*output)->finish(std::move(contents)))
    return error;
  if (options.verify)
    if (llvm::Error error = verify(**output))
      return error;
  if (llvm::Error error = (*output)->commit())
    return error;
  summarize(summary, (*output)->size(), codeText);
  return llvm::Error::success();
}

static std::string describeVariants(llvm::ArrayRef<ManifestVariant> variants) {
  std::string text;
  for (const ManifestVariant &variant : variants)
    text += (text.empty() ? "" : ", ") + variant.name;
  return text;
}

void Compiler::summarize(const ModelManifest &manifest, uint64_t size, llvm::StringRef code) {
  for (const std::string &text : settings.overrides)
    console.note(text);
  std::map<std::string, uint64_t> formats;
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto line = [&](llvm::StringRef key, const llvm::Twine &value) {
    stream << "  " << llvm::left_justify(key, 10) << value << "\n";
  };
  stream << "wrote " << options.output << ", " << formatBytes(size) << "\n";
  line("model", manifest.model.value("name", "") + " (" + manifest.model.value("architecture", "") +
                    "), context " + llvm::Twine(manifest.maxContext) + ", " + manifest.kvType +
                    " cache");
  line("weights", formatBytes(manifest.weights.bytes));
  line("code", code);
  line("variants", describeVariants(manifest.variants));
  line("time", llvm::formatv("{0:f1} s", console.seconds()).str());
  console.summarize(text);
}

llvm::Error Compiler::run() {
  if (llvm::Error error = openInput())
    return error;
  if (llvm::Error error = resolveProfile())
    return error;
  if (options.printProfile) {
    std::string text = profile.print();
    for (const std::string &override : settings.overrides)
      text += "# overridden: " + override + "\n";
    return writeText("", text);
  }
  if (llvm::Error error = checkOutput())
    return error;
  for (Phase phase : {Phase::Import, Phase::Fuse, Phase::Fold, Phase::Specialize, Phase::Plan}) {
    if (isPending(phase))
      if (llvm::Error error = runModulePhase(phase))
        return error;
    if (options.verify && !reference)
      reference = module->clone();
    if (options.stopAfter == phase)
      return writeModule();
  }
  if (llvm::Error error = resolveModuleTargets())
    return error;
  for (Phase phase : {Phase::Kernels, Phase::Llvm}) {
    if (!options.stopAfter)
      break;
    if (isPending(phase))
      if (llvm::Error error = runTargetPhase(runner, *module, phase, targets.front()))
        return error;
    if (options.stopAfter == phase)
      return writeModule();
  }
  bool text = options.emit == EmitKind::Llvm || options.emit == EmitKind::Asm;
  return text ? emitText() : emitModel();
}

llvm::Error rlx::compileModel(const CompileOptions &options) { return Compiler(options).run(); }
