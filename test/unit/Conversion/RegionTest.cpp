//===- RegionTest.cpp - Tests of barrier placement ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which accesses may share the interval between two barriers.
//
//===----------------------------------------------------------------------===//
#include "Region.h"
#include <gmock/gmock.h>

using namespace rlx;

/// Four rows of `columns` f32 at `begin`, of which [first, last) are meant.
static Region rows(int64_t begin, int64_t columns, int64_t first, int64_t last) {
  return {Region::Space::Workspace, begin, begin + 16 * columns, 4 * columns, 4 * first, 4 * last};
}

TEST(Region, ColumnsOfOneBufferAreApart) {
  Region query = rows(0, 64, 0, 32), key = rows(0, 64, 32, 64), all = rows(0, 64, 0, 64);
  EXPECT_FALSE(query.overlaps(key));
  EXPECT_TRUE(query.overlaps(all));
  EXPECT_TRUE(all.overlaps(key));
}

TEST(Region, RowsOfOtherLengthsOverlapWhereBuffersDo) {
  EXPECT_TRUE(rows(0, 64, 0, 16).overlaps(rows(0, 16, 0, 16)));
  EXPECT_TRUE(rows(0, 64, 0, 16).overlaps(rows(1008, 64, 32, 64)));
  EXPECT_FALSE(rows(0, 64, 0, 64).overlaps(rows(1024, 64, 0, 64)));
}

TEST(Region, SpacesAreApart) {
  Region logits = rows(0, 64, 0, 64);
  logits.space = Region::Space::Logits;
  EXPECT_FALSE(logits.overlaps(rows(0, 64, 0, 64)));
  EXPECT_FALSE(Region::cacheSlot(1).overlaps(Region::cacheSlot(2)));
  EXPECT_TRUE(Region::cacheSlot(2).overlaps(Region::cacheSlot(2)));
}

TEST(Region, SameViewIsInPlace) {
  EXPECT_TRUE(rows(64, 32, 0, 32).isSameView(rows(64, 32, 0, 32)));
  EXPECT_FALSE(rows(64, 32, 0, 32).isSameView(rows(64, 64, 0, 32)));
  EXPECT_FALSE(rows(64, 32, 0, 16).isSameView(rows(64, 32, 16, 32)));
}

TEST(AccessTracker, BarriersStandAtDependences) {
  Region a = rows(0, 16, 0, 16), b = rows(256, 16, 0, 16), c = rows(512, 16, 0, 16);
  AccessTracker tracker;
  EXPECT_FALSE(tracker.add({}, {a}));
  EXPECT_FALSE(tracker.add({c}, {b})) << "independent";
  EXPECT_TRUE(tracker.add({a}, {})) << "read after write";
  EXPECT_FALSE(tracker.add({b}, {})) << "the barrier before ordered this";
  EXPECT_TRUE(tracker.add({}, {b})) << "write after read";
  EXPECT_TRUE(tracker.add({}, {b})) << "write after write";
  EXPECT_FALSE(tracker.add({a}, {c})) << "reads do not conflict";
}
