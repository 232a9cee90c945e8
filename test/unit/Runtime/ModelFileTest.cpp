//===-- ModelFileTest.cpp - opening model files -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Model files: sound ones run, each kind of malformed one gets its own message.
//===----------------------------------------------------------------------===//
#include "FakeReference.h"
#include "PayloadBuilder.h"
#include "sha256.h"

#include <cstdio>

using namespace rlx;
using namespace rlx::test;

static std::string fakeCode() { return readFile(RLX_FAKE_CODE); }

namespace {
/// A file in the temporary directory for the time of one check.
struct TemporaryFile {
  explicit TemporaryFile(const std::string &bytes) : path(writeTemporary("model", bytes)) {}
  ~TemporaryFile() { std::remove(path.c_str()); }
  std::string path;
};
} // namespace

static Expected<Model> openBytes(const std::string &bytes, const ModelOptions &options = {}) {
  TemporaryFile file(bytes);
  return Model::open(file.path, options);
}

static void expectRuns(const Expected<Model> &model) {
  ASSERT_TRUE(model.ok()) << model.status().message();
  Session session = makeSession(*model);
  std::vector<int32_t> ids = fakeIds(50);
  EXPECT_OK(session.prefill(ids));
  EXPECT_EQ(logitsOf(session), fakeReference(ids).row(49));
}

TEST(ModelFile, Runs) {
  Expected<Model> model = openBytes(buildArchive("launcher", fakePayload(fakeCode())));
  expectRuns(model);
  EXPECT_STREQ(model->target(), "fake");
  EXPECT_EQ(model->eosIds().vec(), std::vector<int32_t>{1});
  EXPECT_EQ(model->layerCount(), 3u);
  EXPECT_NE(model->config().find("\"format\": 1"), std::string::npos);
  EXPECT_TRUE(model->hasSection("tokenizer.bin"));
  Span<const uint8_t> section = valueOf(model->section("tokenizer.bin"));
  EXPECT_EQ(std::string(section.begin(), section.end()), "tables");
  EXPECT_ERROR(model->section("mtp.bin").status(), InvalidArgument, "no payload entry 'mtp.bin'");
  EXPECT_OK(model->verify());
}

TEST(ModelFile, RunsWhateverKindOfArchive) {
  std::vector<TestEntry> entries = fakePayload(fakeCode());
  for (bool zip64 : {false, true})
    for (bool fromFile : {false, true}) {
      ArchiveOptions options;
      options.zip64 = zip64;
      options.offsetsFromFile = fromFile;
      options.comment = "a comment";
      expectRuns(openBytes(buildArchive(std::string(777, 'x'), entries, options)));
    }
  expectRuns(openBytes(buildArchive("", entries)));
}

TEST(ModelFile, RunsWithUnpackedRelocations) {
  expectRuns(openBytes(buildArchive("", fakePayload(readFile(RLX_FAKE_CODE_RELA)))));
}

TEST(ModelFile, TheMostSpecificCodeThatTheCpuRunsIsChosen) {
  std::vector<TestEntry> entries = fakePayload(fakeCode());
  std::string &manifest = entries[0].data;
  std::string plain = manifest.substr(manifest.find("{\"target\""));
  plain.resize(plain.find('}') + 1);
  auto variant = [&](const std::string &name, const std::string &features) {
    std::string text = plain;
    text.replace(text.find("fake\""), 4, name);
    text.replace(text.find("[]"), 2, "[" + features + "]");
    return text;
  };
#if defined(__x86_64__)
  const std::string present = "\"sse2\"";
#else
  const std::string present = "\"neon\"";
#endif
  manifest.replace(manifest.find(plain), plain.size(),
                   plain + ", " + variant("better", present) + ", " +
                       variant("alien", "\"warp\", \"sse9\""));
  std::string file = buildArchive("", entries);
  expectRuns(openBytes(file));
  ModelOptions options;
  options.target = "alien";
  EXPECT_ERROR(openBytes(file, options).status(), Unsupported, "alien needs warp, sse9");
  options.target = "other";
  EXPECT_ERROR(openBytes(file, options).status(), InvalidArgument, "it has fake, better, alien");
  options.target = "better";
  expectRuns(openBytes(file, options));
}

TEST(ModelFile, VerifyFindsAFlippedBitInTheWeights) {
  std::string file = buildArchive("", fakePayload(fakeCode()));
  file[file.rfind("weights.bin", file.size() - 200) + 11 + 5] ^= 1;
  Expected<Model> model = openBytes(file);
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_ERROR(model->verify(), BadFile, "entry 'weights.bin': expected SHA-256");
  EXPECT_ERROR(openFake().verify(), InvalidState, "no hashes");
}

TEST(ModelFile, CodeForOtherWeightsIsRefused) {
  EXPECT_ERROR(openBytes(buildArchive("", fakePayload(readFile(RLX_FAKE_CODE_BOUND)))).status(),
               BadFile, "compiled for other weights");
}

TEST(ModelFile, FilesThatAreNoModels) {
  std::string sound = buildArchive("launcher", fakePayload(fakeCode()));
  EXPECT_ERROR(Model::open("/nonexistent/model").status(), BadFile, "cannot open the model");
  EXPECT_ERROR(Model::open("/").status(), BadFile, "not a regular file");
  EXPECT_ERROR(openBytes("").status(), BadFile, "but found none");
  EXPECT_ERROR(openBytes(std::string(100000, 'x')).status(), BadFile, "truncated or stripped");
  EXPECT_ERROR(openBytes(sound.substr(0, sound.size() - 1)).status(), BadFile, "found none");
  EXPECT_ERROR(openBytes(sound.substr(0, sound.size() / 2)).status(), BadFile, "found none");
  EXPECT_ERROR(openBytes(sound.substr(sound.size() - 22)).status(), BadFile, "does not fit");
  EXPECT_ERROR(openBytes(sound + "x").status(), BadFile, "found none");
}

/// The file with one entry's headers spoiled.
static std::string spoiled(const std::string &name,
                           const std::function<void(EntryFields &)> &change) {
  ArchiveOptions options;
  options.zip64 = true; // so that absurd sizes reach the reader
  options.spoil = [&](const std::string &entry, EntryFields &fields) {
    if (entry == name)
      change(fields);
  };
  return buildArchive("launcher", fakePayload(fakeCode()), options);
}

TEST(ModelFile, SpoiledEntries) {
  struct {
    const char *message;
    std::function<void(EntryFields &)> change;
  } rows[] = {
      {"is compressed", [](EntryFields &f) { f.method = 8; }},
      {"is encrypted", [](EntryFields &f) { f.flags = 1; }},
      {"stored bytes, expected its size", [](EntryFields &f) { f.size += 1; }},
      {"reaches beyond the archive", [](EntryFields &f) { f.size = f.stored = 1 << 30; }},
      {"reaches beyond the archive", [](EntryFields &f) { f.size = f.stored = ~uint64_t(0); }},
      {"starts outside the archive", [](EntryFields &f) { f.localOffset = 1 << 30; }},
      {"starts outside the archive", [](EntryFields &f) { f.localOffset = ~uint64_t(0); }},
      {"no local header where", [](EntryFields &f) { f.localOffset += 1; }},
      {"another name in its local header", [](EntryFields &f) { f.localName[0] = 'W'; }},
      {"another name in its local header", [](EntryFields &f) { f.localName += "x"; }},
  };
  for (auto &row : rows) {
    Status status = openBytes(spoiled("weights.bin", row.change)).status();
    EXPECT_ERROR(status, BadFile, row.message);
    EXPECT_ERROR(status, BadFile, "entry 'weights.bin'");
  }
  EXPECT_ERROR(openBytes(spoiled("tokenizer.bin",
                                 [](EntryFields &f) { f.size = f.stored = f.size + 70000; }))
                   .status(),
               BadFile, "overlap");
  EXPECT_ERROR(openBytes(spoiled("manifest.json", [](EntryFields &f) { f.crc32 ^= 1; })).status(),
               BadFile, "manifest.json: the checksum does not match");
}

TEST(ModelFile, SpoiledDirectories) {
  std::vector<TestEntry> entries = fakePayload(fakeCode());
  ArchiveOptions options;
  options.zip64 = true;
  options.entryCountError = 1 << 20;
  EXPECT_ERROR(openBytes(buildArchive("", entries, options)).status(), BadFile, "cannot hold");
  options.entryCountError = 1;
  EXPECT_ERROR(openBytes(buildArchive("", entries, options)).status(), BadFile,
               "expected a directory entry");
  std::vector<TestEntry> twice = entries;
  twice.push_back(entries[1]);
  EXPECT_ERROR(openBytes(buildArchive("", twice)).status(), BadFile,
               "'tokenizer.bin' occurs twice");
  std::vector<TestEntry> unnamed = entries;
  unnamed[1].name = "";
  EXPECT_ERROR(openBytes(buildArchive("", unnamed)).status(), BadFile, "has no name");
}

TEST(ModelFile, MissingOrMisplacedEntries) {
  const std::vector<TestEntry> entries = fakePayload(fakeCode());
  for (const char *name : {"manifest.json", "code/fake.so", "weights.bin"}) {
    std::vector<TestEntry> without, misaligned;
    for (const TestEntry &entry : entries) {
      if (entry.name != name)
        without.push_back(entry);
      misaligned.push_back(entry);
      if (entry.name == name)
        misaligned.back().alignment = 1;
    }
    EXPECT_ERROR(openBytes(buildArchive("", without)).status(), BadFile,
                 "no entry '" + std::string(name) + "'");
    Status status = openBytes(buildArchive("", misaligned)).status();
    if (std::string(name) != "manifest.json")
      EXPECT_ERROR(status, BadFile, "multiple of 65536");
  }
}

TEST(ModelFile, CodeAndWeightsMustBeTheManifests) {
  std::vector<TestEntry> entries = fakePayload(fakeCode());
  entries[2].data.back() ^= 1;
  EXPECT_ERROR(openBytes(buildArchive("", entries)).status(), BadFile,
               "code/fake.so: the code differs");
  EXPECT_ERROR(openBytes(buildArchive("", fakePayload("not code"))).status(), BadFile,
               "code/fake.so: expected an ELF file");
  entries = fakePayload(fakeCode());
  entries[3].data += "more";
  EXPECT_ERROR(openBytes(buildArchive("", entries)).status(), BadFile,
               "expected the 64 bytes of the manifest but got 68");
  entries[0].data = fakeManifest(entries);
  EXPECT_ERROR(openBytes(buildArchive("", entries)).status(), BadFile,
               "expected the 64 bytes of the code but got 68");
}

TEST(ModelFile, SpoiledManifests) {
  const std::vector<TestEntry> entries = fakePayload(fakeCode());
  struct {
    const char *from, *to, *message;
  } rows[] = {
      {"{\"format\"", "[\"format\"", "is not valid JSON"},
      {"\"format\": 1", "\"format\": 2", "expected format 1 but got 2"},
      {"\"format\": 1", "\"format\": \"1\"", "format: expected an integer but got string"},
      {"\"format\"", "\"fromat\"", "format: expected an integer but got nothing"},
      {"\"code\": [", "\"code\": [3, ", "code[0]: expected an object but got number"},
      {"\"code\"", "\"node\"", "code: expected an array of at least one object but got nothing"},
      {"\"target\": \"fake\"", "\"target\": 5", "code[0].target: expected a string"},
      {"\"cpu_features\": []", "\"cpu_features\": [1]", "code[0].cpu_features: expected strings"},
      {"\"cpu_features\"", "\"gpu_features\"", "cpu_features: expected an array but got nothing"},
      {"\"sha256\": \"", "\"sha256\": \"X", "code[0].sha256: expected 64 lower-case"},
      {"\"weights\"", "\"heights\"", "weights: expected an object but got nothing"},
      {"\"bytes\": 64", "\"bytes\": -64", "weights.bytes: expected an unsigned integer"},
      {"[1]", "[-1]", "model.eos_token_ids: expected token ids but got -1"},
      {"[1]", "[40]", "token 40 is outside the vocabulary of 40"},
      {"[1]", "7", "model.eos_token_ids: expected an array but got number"},
      {"[{}, {}, {}]", "[{\"kv_slot\": 3}]", "KV slot 3 does not exist; there are 3"},
      {"[{}, {}, {}]", "[{\"kv_slot\": \"a\"}]", "model.layers[0].kv_slot: expected a slot"},
      {"\"model\": {", "\"model\": 1, \"x\": {", "model: expected an object but got number"},
  };
  for (auto &row : rows) {
    std::vector<TestEntry> changed = entries;
    std::string &manifest = changed[0].data;
    size_t at = manifest.find(row.from);
    ASSERT_NE(at, std::string::npos) << row.from;
    manifest.replace(at, std::string(row.from).size(), row.to);
    Status status = openBytes(buildArchive("", changed)).status();
    EXPECT_ERROR(status, BadFile, row.message);
  }
  std::vector<TestEntry> deep = entries;
  deep[0].data = std::string(100000, '[');
  EXPECT_ERROR(openBytes(buildArchive("", deep)).status(), BadFile, "nested deeper than 64");
  deep[0].data = "[1]";
  EXPECT_ERROR(openBytes(buildArchive("", deep)).status(), BadFile, "expected an object");
}

TEST(ModelInMemory, BadArgumentsAreErrors) {
  alignas(RLX_ALIGNMENT) static const uint8_t weights[FAKE_WEIGHTS + 1] = {};
  const rlx_model_t *table = rlx_query(RLX_ABI_VERSION);
  EXPECT_ERROR(Model::openTable(nullptr, {weights, 64}).status(), InvalidArgument, "null");
  EXPECT_ERROR(Model::openTable(table, {weights, 63}).status(), BadFile, "expected 64 bytes");
  EXPECT_ERROR(Model::openTable(table, {weights + 1, 64}).status(), InvalidArgument, "aligned");
  EXPECT_ERROR(Model::openTable(table, {weights, 64}, "{").status(), BadFile, "not valid JSON");
  ModelOptions options;
  options.target = "other";
  EXPECT_ERROR(Model::openTable(table, {weights, 64}, "", options).status(), InvalidArgument,
               "expected target 'fake'");
  auto stale = [](uint32_t) -> const rlx_model_t * { return nullptr; };
  EXPECT_ERROR(Model::openQuery(stale, {weights, 64}).status(), Unsupported, "ABI version 4");
  EXPECT_OK(Model::openQuery(rlx_query, {weights, 64}).status());
}

TEST(ModelInMemory, UnsoundTablesAreRefused) {
  alignas(RLX_ALIGNMENT) static const uint8_t weights[FAKE_WEIGHTS] = {};
  struct Parts {
    rlx_model_t table;
    std::vector<rlx_variant_t> variants;
    std::vector<rlx_kv_slot_info_t> slots;
    rlx_weight_t weight;
    std::vector<rlx_stage_t> stages;
    rlx_probe_t probe;
  };
  struct {
    const char *message;
    void (*spoil)(Parts &);
  } rows[] = {
      {"expected ABI version 4 but got 7", [](Parts &p) { p.table.abi_version = 7; }},
      {"out of range", [](Parts &p) { p.table.vocab_size = 0; }},
      {"out of range", [](Parts &p) { p.table.max_context = ~uint64_t(0); }},
      {"a table is missing", [](Parts &p) { p.table.variant_count = 0; }},
      {"a table is missing", [](Parts &p) { p.table.kv_slots = nullptr; }},
      {"KV slot 1 has sizes", [](Parts &p) { p.slots[1].kv_heads = 0; }},
      {"KV slot 2 has sizes", [](Parts &p) { p.slots[2].kv_type = 4; }},
      {"KV slot 2 has sizes",
       [](Parts &p) {
         p.slots[2].kv_type = RLX_KV_Q8_0;
         p.slots[2].head_dim = 48;
       }},
      {"distinct names", [](Parts &p) { p.variants[1].name = "decode"; }},
      {"'decode' has no code", [](Parts &p) { p.variants[0].step = nullptr; }},
      {"'wide' has an empty range", [](Parts &p) { p.variants[2].seq_min = 17; }},
      {"'wide' has an empty range", [](Parts &p) { p.variants[2].seq_max = 1000; }},
      {"'short' has an empty range", [](Parts &p) { p.variants[3].out_max = 0; }},
      {"'wide': expected role", [](Parts &p) { p.variants[2].role = RLX_ROLE_DECODE; }},
      {"absurd workspace", [](Parts &p) { p.variants[4].workspace_bytes = ~uint64_t(0); }},
      {"no variant takes one token at PAST_SEQ 50",
       [](Parts &p) {
         for (rlx_variant_t &variant : p.variants)
           variant.past_max = 49;
       }},
      {"weight 'offset' lies outside", [](Parts &p) { p.weight.offset = 64; }},
      {"weight 'offset' lies outside", [](Parts &p) { p.weight.size = ~uint64_t(0); }},
      {"weight 0 has no name", [](Parts &p) { p.weight.dtype = nullptr; }},
      {"'decode' has no table of stages", [](Parts &p) { p.variants[0].stages = nullptr; }},
      {"absurd one", [](Parts &p) { p.variants[0].stage_count = uint64_t(1) << 40; }},
      {"'decode': stage 2 has no name", [](Parts &p) { p.stages[2].name = nullptr; }},
      {"stage 2 has no name, or odd fields", [](Parts &p) { p.stages[2].kv_slot = FAKE_SLOTS; }},
      {"stage 3 has no name, or odd fields", [](Parts &p) { p.stages[3].rows = 3; }},
      {"stage 3 has no name, or odd fields", [](Parts &p) { p.stages[3].probe = 1; }},
      {"table of probes", [](Parts &p) { p.table.probes = nullptr; }},
      {"probe 0 has no name", [](Parts &p) { p.probe.run = nullptr; }},
  };
  for (auto &row : rows) {
    const rlx_model_t &sound = *rlx_query(RLX_ABI_VERSION);
    Parts parts{sound,
                {sound.variants, sound.variants + sound.variant_count},
                {sound.kv_slots, sound.kv_slots + sound.kv_slot_count},
                sound.weights[0],
                {sound.variants[0].stages, sound.variants[0].stages + FAKE_STAGES},
                sound.probes[0]};
    parts.variants[0].stages = parts.stages.data();
    parts.table.probes = &parts.probe;
    parts.table.variants = parts.variants.data();
    parts.table.kv_slots = parts.slots.data();
    parts.table.weights = &parts.weight;
    row.spoil(parts);
    Status status = Model::openTable(&parts.table, {weights, sizeof(weights)}).status();
    EXPECT_FALSE(status.ok()) << row.message;
    EXPECT_NE(status.message().find(row.message), std::string::npos) << status.message();
  }
}

TEST(Sha256, KnownAnswers) {
  auto hash = [](const std::string &text) {
    return hexDigits(sha256({reinterpret_cast<const uint8_t *>(text.data()), text.size()}));
  };
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
