//===- CommandLine.cpp - The flags of rlx-compile -------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// CLI11 rather than cl::opt: lld resets every cl::opt, and LLVM's own hundreds
// would be options of rlx-compile too.
//===----------------------------------------------------------------------===//
#include "CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>

using namespace rlx;

namespace {

/// Values as CLI11 reads them, before they are checked against each other.
struct RawFlags {
  std::string emit, stopAfter, resumeFrom;
  std::string quantize, dtype, maxContext, kvType, screenHead, fusion;
  std::vector<std::string> targets, settings;
  bool listPhases = false;
};

const std::map<std::string, EmitKind> kEmitKinds = {
    {"rlx", EmitKind::Rlx},       {"mlir", EmitKind::Mlir},     {"llvm", EmitKind::Llvm},
    {"asm", EmitKind::Asm},       {"object", EmitKind::Object}, {"shared", EmitKind::Shared},
    {"binary", EmitKind::Binary},
};

} // namespace

static int usageError(const llvm::Twine &message) {
  llvm::errs() << "error: " << message << "\nrlx-compile --help lists the options\n";
  return 2;
}

static void addInputOptions(CLI::App &app, CompileOptions &options) {
  app.add_option("INPUT", options.input,
                 "Hugging Face folder, .safetensors file or index, or GGUF file; with "
                 "--resume-from a module as text")
      ->type_name("");
  app.add_option("-o,--output", options.output, "file to write")->type_name("OUT");
  app.add_option("--config", options.configFile, "use this config.json")->type_name("FILE");
  app.add_flag("--include-mtp", options.includeMtp,
               "pack multi-token-prediction tensors as a section of their own");
}

static void addModelOptions(CLI::App &app, CompileOptions &options, RawFlags &raw) {
  app.add_option("--quantize", raw.quantize, "quantise matrices: q8_0, q4_0, q4_k or none")
      ->type_name("TYPE");
  app.add_option("--dtype", raw.dtype,
                 "type of unquantised matrices: f32, f16, bf16 or auto (as stored)")
      ->type_name("TYPE");
  app.add_option("--screen-head", raw.screenHead,
                 "type of a coarse copy of a quantised head, for decode to find the logits that "
                 "matter: none or q4_0")
      ->type_name("TYPE");
  app.add_option("--kv-type", raw.kvType, "type of cached keys and values: f32, f16, bf16 or q8_0")
      ->type_name("TYPE");
  app.add_option("--max-context", raw.maxContext, "positions that a sequence may have")
      ->type_name("N");
  app.add_option("--target-cpu", raw.targets,
                 "native (default), x86-64-v3, x86-64-v4, aarch64, with features as in "
                 "x86-64-v4+vnni+bf16 or native-amx (without AMX); several, separated by commas, "
                 "go into one binary")
      ->type_name("CPU")
      ->delimiter(',');
  app.add_option("--fusion", raw.fusion, "all, one, none or a list of fusions")->type_name("LIST");
  app.add_option("--set", raw.settings, "set any key of a profile")->type_name("KEY=VALUE");
  app.add_option("--profile", options.profileFile,
                 "read a profile; the one beside the weights is gemma.rlx.toml")
      ->type_name("FILE");
  app.add_flag("--print-profile", options.printProfile, "print the resolved profile and stop");
}

static void addPhaseOptions(CLI::App &app, CompileOptions &options, RawFlags &raw) {
  app.add_option("--emit", raw.emit, "rlx, mlir, llvm, asm, object, shared or binary (default)")
      ->type_name("KIND");
  app.add_option("--stop-after", raw.stopAfter, "write the module after this phase")
      ->type_name("PHASE");
  app.add_option("--resume-from", raw.resumeFrom,
                 "INPUT is what --stop-after=PHASE wrote; go on with the next phase")
      ->type_name("PHASE");
  app.add_flag("--list-phases", raw.listPhases, "print the phases and stop");
  app.add_option("--reproducer", options.reproducer,
                 "where a failing pass leaves what rlx-opt --run-reproducer replays")
      ->type_name("FILE");
  app.add_flag("--tune", options.tune,
               "choose tiles of the target 'native' by running candidates on this machine, once "
               "for each shape of model: results are kept in ~/.cache/rlx/tune.json");
  app.add_flag("--verify", options.verify,
               "compare the compiled code with the reference interpreter");
  app.add_option("--threads", options.threads, "threads of the compiler (0: one for each core)")
      ->type_name("N")
      ->check(CLI::Range(0u, 1024u));
  app.add_option("--launcher-dir", options.launcherFolder, "folder that holds launcher-<arch>")
      ->type_name("DIR");
  app.add_flag("-v,--verbose", options.verbose,
               "show phases and passes with their times, and the sizes of IR and code");
  app.set_version_flag("--version", "rlx-compile " RLX_VERSION);
}

/// Turns flags that stand for profile keys into such, and checks their values.
static std::optional<int> collectProfileFlags(const RawFlags &raw, CompileOptions &options) {
  auto add = [&](const char *key, const std::string &value, const char *flag) {
    if (!value.empty())
      options.profileFlags.push_back({key, value, flag});
  };
  add("quantize", raw.quantize, "--quantize");
  add("precision", raw.dtype, "--dtype");
  add("screen_head", raw.screenHead, "--screen-head");
  add("kv_type", raw.kvType, "--kv-type");
  add("max_context", raw.maxContext, "--max-context");
  add("fusion", raw.fusion, "--fusion");
  add("target_cpu", CLI::detail::join(raw.targets, ","), "--target-cpu");
  for (const std::string &setting : raw.settings) {
    auto [key, value] = llvm::StringRef(setting).split('=');
    if (key.empty() || value.empty())
      return usageError("--set: expected KEY=VALUE but got '" + setting + "'");
    options.profileFlags.push_back({key.str(), value.str(), "--set " + key.str()});
  }
  Profile probe;
  for (const ProfileFlag &flag : options.profileFlags)
    if (llvm::Error error = probe.applyFlag(flag.key, flag.value, flag.flag))
      return usageError(llvm::toString(std::move(error)));
  return std::nullopt;
}

static std::optional<int> parsePhaseFlag(const std::string &name, const char *flag,
                                         std::optional<Phase> &phase) {
  if (name.empty())
    return std::nullopt;
  phase = parsePhase(name);
  if (phase)
    return std::nullopt;
  std::string known;
  for (const PhaseInfo &info : getPhases())
    known += (known.empty() ? "" : ", ") + info.name.str();
  return usageError(llvm::Twine(flag) + ": expected one of " + known + " but got '" + name + "'");
}

/// Brings --emit and --stop-after together: a phase whose module is text is written
/// as such, later ones are outputs.
static std::optional<int> reconcile(const RawFlags &raw, CompileOptions &options) {
  if (!raw.emit.empty()) {
    auto kind = kEmitKinds.find(raw.emit);
    if (kind == kEmitKinds.end())
      return usageError(
          "--emit: expected rlx, mlir, llvm, asm, object, shared or binary but got '" + raw.emit +
          "'");
    options.emit = kind->second;
  }
  bool isModule = options.emit == EmitKind::Rlx || options.emit == EmitKind::Mlir;
  if (options.stopAfter && isTextual(*options.stopAfter)) {
    bool fits = raw.emit.empty() || options.emit == EmitKind::Mlir ||
                (options.emit == EmitKind::Rlx && *options.stopAfter <= Phase::Plan);
    if (!fits)
      return usageError("--emit=" + raw.emit + " does not go with --stop-after=" + raw.stopAfter);
  } else if (options.stopAfter) {
    EmitKind kind = *options.stopAfter == Phase::Object ? EmitKind::Object : EmitKind::Binary;
    if (!raw.emit.empty() && options.emit != kind)
      return usageError("--emit=" + raw.emit + " does not go with --stop-after=" + raw.stopAfter);
    options.emit = kind;
    options.stopAfter.reset();
  } else if (isModule) {
    options.stopAfter = options.emit == EmitKind::Rlx ? Phase::Plan : Phase::Llvm;
  }
  if (options.resumeFrom && !isTextual(*options.resumeFrom))
    return usageError("--resume-from: the phase '" + raw.resumeFrom +
                      "' leaves no module to resume from");
  if (options.resumeFrom && options.stopAfter && *options.stopAfter < *options.resumeFrom)
    return usageError("--resume-from=" + raw.resumeFrom + " is later than the phase to stop after");
  if (options.resumeFrom && (options.includeMtp || !options.configFile.empty()))
    return usageError(llvm::Twine(options.includeMtp ? "--include-mtp" : "--config") +
                      " takes effect in the phase 'import', which --resume-from=" + raw.resumeFrom +
                      " has passed");
  if (options.tune && ((options.stopAfter && *options.stopAfter < Phase::Kernels) ||
                       (options.resumeFrom && *options.resumeFrom >= Phase::Kernels)))
    return usageError("--tune takes effect in the phase 'kernels', which would not run");
  bool isText =
      options.stopAfter || options.emit == EmitKind::Llvm || options.emit == EmitKind::Asm;
  if (options.verify && (isText || options.emit != EmitKind::Binary))
    return usageError("--verify runs the model binary: it goes with no other output");
  if (!isText && !options.printProfile && (options.output.empty() || options.output == "-"))
    return usageError("expected a file to write: give one with -o");
  return std::nullopt;
}

std::optional<int> rlx::parseCommandLine(int argc, char **argv, CompileOptions &options) {
  CLI::App app("Compiles a Gemma checkpoint into one executable that generates text.",
               "rlx-compile");
  RawFlags raw;
  addInputOptions(app, options);
  addModelOptions(app, options, raw);
  addPhaseOptions(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {
    return app.exit(success);
  } catch (const CLI::ParseError &error) {
    return usageError(error.what());
  }
  if (raw.listPhases) {
    for (const PhaseInfo &info : getPhases())
      llvm::outs() << llvm::formatv("{0,-12}{1}\n", info.name, info.summary);
    return 0;
  }
  if (options.input.empty())
    return usageError("expected an INPUT: a Hugging Face folder, a safetensors or a GGUF file");
  for (auto [name, flag, phase] :
       {std::tuple(&raw.stopAfter, "--stop-after", &options.stopAfter),
        std::tuple(&raw.resumeFrom, "--resume-from", &options.resumeFrom)})
    if (std::optional<int> status = parsePhaseFlag(*name, flag, *phase))
      return status;
  if (std::optional<int> status = collectProfileFlags(raw, options))
    return status;
  return reconcile(raw, options);
}
