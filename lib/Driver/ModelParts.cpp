//===- ModelParts.cpp - What a model binary is put together from ----------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Everything is read from the module, so that a resumed compile gives the same
// binary; only the tokenizer comes from the checkpoint.
//===----------------------------------------------------------------------===//
#include "ModelParts.h"
#include "rlx/Tokenizer/ChatTemplate.h"
#include "rlx/Tokenizer/SentencePieceModel.h"
#include "rlx/Tokenizer/TokenizerTables.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace rlx;

//===----------------------------------------------------------------------===//
// Manifest
//===----------------------------------------------------------------------===//

static nlohmann::json toJson(const TurnFormat &format) {
  return {{"name", format.name},
          {"user_prefix", format.userPrefix},
          {"user_suffix", format.userSuffix},
          {"model_prefix", format.modelPrefix},
          {"model_suffix", format.modelSuffix},
          {"system", format.system == SystemRole::Prepend ? "prepend" : "error"},
          {"end_token", format.endToken}};
}

static nlohmann::json recognizeTurns(const nlohmann::json &model, Console &console) {
  auto found = model.find("chat_template");
  if (found == model.end() || !found->is_string())
    return nullptr;
  std::string jinja = found->get<std::string>();
  if (std::optional<TurnFormat> format = recognizeChatTemplate(jinja))
    return toJson(*format);
  console.note(unknownChatTemplateNote(jinja));
  return nullptr;
}

/// Reads the ranges of SEQ and PAST_SEQ of the module.
static void readSymbols(ModuleOp module, ModelManifest &manifest) {
  auto symbols = module->getAttrOfType<ArrayAttr>(RLXDialect::kSymbolsAttr);
  if (!symbols)
    return;
  for (auto symbol : symbols.getAsRange<SymbolAttr>()) {
    if (symbol.getName().getValue() == "SEQ")
      manifest.chunk = symbol.getMax();
    else if (symbol.getName().getValue() == "PAST_SEQ")
      manifest.maxContext = symbol.getMax() + 1;
  }
}

llvm::Expected<ModelManifest> rlx::beginManifest(ModuleOp module, const Profile &profile,
                                                 const Settings &settings, Console &console) {
  ModelManifest manifest;
  auto model = module->getAttrOfType<StringAttr>(kModelAttr);
  if (!model)
    return llvm::createStringError("expected the module to have the attribute '" + kModelAttr +
                                   "', which the phase import sets");
  manifest.model = nlohmann::json::parse(model.getValue(), nullptr, /*allow_exceptions=*/false);
  if (!manifest.model.is_object())
    return llvm::createStringError("expected the attribute '" + kModelAttr +
                                   "' to hold a JSON object");
  manifest.options = profile.toJson();
  manifest.options["overrides"] = settings.overrides;
  manifest.turnFormat = recognizeTurns(manifest.model, console);
  if (auto it = manifest.model.find("generation"); it != manifest.model.end() && it->is_object())
    manifest.generation = *it;
  readSymbols(module, manifest);
  for (auto slot : module.getOps<KVSlotOp>())
    manifest.kvType = stringifyKVType(slot.getKvType()).str();
  for (auto variant : module.getOps<VariantOp>())
    manifest.variants.push_back({variant.getSymName().str(), stringifyRole(variant.getRole()).str(),
                                 variant.getSeqMin(), variant.getSeqMax(), variant.getPastMin(),
                                 variant.getPastMax()});
  return manifest;
}

//===----------------------------------------------------------------------===//
// Tokenizer
//===----------------------------------------------------------------------===//

llvm::Expected<std::optional<std::string>>
rlx::buildTokenizer(const Checkpoint &checkpoint, int64_t vocabSize, Console &console) {
  std::optional<Vocabulary> vocabulary = checkpoint.vocabulary;
  std::string origin = checkpoint.input;
  if (!checkpoint.tokenizerFile.empty()) {
    origin = checkpoint.tokenizerFile;
    auto buffer = llvm::MemoryBuffer::getFile(origin, false, /*RequiresNullTerminator=*/false);
    if (!buffer)
      return llvm::createStringError(origin + ": cannot be read: " + buffer.getError().message());
    llvm::Expected<Vocabulary> read = readSentencePieceModel((*buffer)->getMemBufferRef());
    if (!read)
      return read.takeError();
    vocabulary = std::move(*read);
  }
  if (!vocabulary) {
    console.note("the checkpoint has no tokenizer: the binary takes --ids only");
    return std::nullopt;
  }
  if (static_cast<int64_t>(vocabulary->pieces.size()) > vocabSize)
    return llvm::createStringError(
        llvm::formatv("{0}: expected at most {1} pieces, the rows of the embedding, but got {2}",
                      origin, vocabSize, vocabulary->pieces.size())
            .str());
  llvm::Expected<std::string> tables = buildTokenizerTables(*vocabulary, origin);
  if (!tables)
    return tables.takeError();
  return std::optional<std::string>(std::move(*tables));
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

BackgroundPacking::BackgroundPacking(std::vector<WeightRecipe> weights, WeightFiles &files,
                                     unsigned threads, Console &console, Sink output)
    : recipes(std::move(weights)), sink(std::move(output)) {
  PackOptions options;
  options.threads = threads;
  options.progress = [&console](uint64_t done, uint64_t total) { console.setPacked(done, total); };
  options.quantized = [&console](const WeightRecipe &weight, double error) {
    console.detail(llvm::formatv("{0}: relative RMS error of {1} {2:e2}", weight.name,
                                 weightFormatName(weight.format), error));
  };
  options.release = [&files](const Tensor &tensor) { files.release(tensor); };
  task = std::async(std::launch::async, [this, options] {
    result.emplace(packWeights(recipes, options, [&](llvm::ArrayRef<uint8_t> bytes) {
      return cancelled ? llvm::createStringError("cancelled") : sink(bytes);
    }));
  });
}

BackgroundPacking::~BackgroundPacking() {
  cancelled = true;
  if (task.valid())
    task.wait();
  if (result && !*result)
    llvm::consumeError(result->takeError());
}

llvm::Expected<PackedWeights> BackgroundPacking::wait() {
  task.get();
  return std::move(*result);
}
