//===- Tuning.cpp - Choices that only speed depends on --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads and writes the text behind the name of a target.
//
//===----------------------------------------------------------------------===//
#include "rlx/Target/Tuning.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace rlx;

static constexpr unsigned kMostStreams = 8, kMostPrefetch = 65536;
static constexpr unsigned kMostTokens = 16, kMostPanels = 4;

/// Whether `text` is a number in the range.
static bool parseNumber(StringRef text, unsigned least, unsigned most, unsigned &number) {
  return !text.getAsInteger(10, number) && number >= least && number <= most;
}

static bool parseTile(StringRef text, TileShape &shape) {
  auto [tokens, panels] = text.split('x');
  return parseNumber(tokens, 1, kMostTokens, shape.tokens) &&
         parseNumber(panels, 1, kMostPanels, shape.panels);
}

static void setTiles(TargetDescription &target, bool quantized, TileShape shape) {
  for (unsigned i = 0; i < kWeightFormatCount; ++i)
    if (isQuantized(static_cast<WeightFormat>(i)) == quantized)
      target.gemmTile[i] = shape;
}

static bool applyChoice(TargetDescription &target, StringRef key, StringRef value) {
  if (key == "streams")
    return parseNumber(value, 1, kMostStreams, target.rowStreams);
  if (key == "prefetch")
    return parseNumber(value, 0, kMostPrefetch, target.prefetchBytes);
  TileShape shape;
  if ((key != "tile" && key != "dense") || !parseTile(value, shape))
    return false;
  setTiles(target, key == "tile", shape);
  return true;
}

Error rlx::applyTuning(TargetDescription &target, StringRef text) {
  SmallVector<StringRef> choices;
  text.split(choices, ':');
  for (StringRef choice : choices) {
    auto [key, value] = choice.split('=');
    if (key == "tile" && target.tiles)
      return createStringError(
          formatv("the matrix unit of {0} multiplies quantised weights in tiles of its own: leave "
                  "out '{1}', or the feature amx",
                  target.name, choice));
    if (!applyChoice(target, key, value))
      return createStringError(
          formatv("expected 'streams=1' to '={0}', 'prefetch=0' to '={1}', 'tile=1x1' to "
                  "'={2}x{3}' or 'dense=' like it behind a target but got '{4}'",
                  kMostStreams, kMostPrefetch, kMostTokens, kMostPanels, choice));
  }
  return Error::success();
}

std::string rlx::describeTuning(const TargetDescription &target) {
  auto text = [&](StringRef key, WeightFormat format) -> std::string {
    TileShape shape = target.gemmTileFor(format);
    return formatv(":{0}={1}x{2}", key, shape.tokens, shape.panels);
  };
  std::string tile = target.tiles ? "" : text("tile", WeightFormat::Q8_0);
  return formatv("streams={0}:prefetch={1}{2}{3}", target.rowStreams, target.prefetchBytes, tile,
                 text("dense", WeightFormat::BF16));
}
