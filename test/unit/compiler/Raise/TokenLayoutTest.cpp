//===- TokenLayoutTest.cpp - Regrouping factors -----------------------------------------------===//
#include "TokenLayout.h"

#include <gtest/gtest.h>

using namespace qopt::qir::raise;

namespace {

const Sizing sizings[] = {{2, 5, 7}, {3, 11, 13}};
const Atom batch{AtomKind::Batch}, fresh{AtomKind::Fresh};

/// [B, S, F]
Layout rows(int64_t features) {
  Layout layout;
  layout.dims = {DimAtoms{batch}, DimAtoms{fresh}, DimAtoms{Atom::feature(features, 1)}};
  return layout;
}

std::optional<Layout> reshape(const Layout &layout, Shape a, Shape b) {
  return reshapeLayout(layout, sizings, {a, b});
}

TEST(TokenLayout, SplitsHeadsAndMergesThemBack) {
  auto heads = reshape(rows(24), {2, 5, 6, 4}, {3, 11, 6, 4});
  ASSERT_TRUE(heads);
  EXPECT_EQ(heads->dims[2][0], Atom::feature(6, 4));
  EXPECT_EQ(heads->dims[3][0], Atom::feature(4, 1));
  auto merged = reshape(*heads, {10, 24}, {33, 24});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->dims[0].size(), 2u); // batch times tokens
  ASSERT_EQ(merged->dims[1].size(), 1u);
  EXPECT_EQ(merged->dims[1][0], Atom::feature(24, 1));
}

TEST(TokenLayout, KeepsStridesOfTransposedHeads) {
  auto heads = reshape(rows(24), {2, 5, 6, 4}, {3, 11, 6, 4});
  ASSERT_TRUE(heads);
  std::swap(heads->dims[1], heads->dims[2]); // [B, H, S, D]
  auto flat = reshape(*heads, {12, 5, 4}, {18, 11, 4});
  ASSERT_TRUE(flat);
  EXPECT_TRUE(flat->hasShape({12, 5, 4}, sizings[0]));
  EXPECT_EQ(flat->offsets(0), (std::vector<int64_t>{0, 4, 8, 12, 16, 20}));
}

TEST(TokenLayout, RefusesToMixTokensAndFeatures) {
  // Halves of the tokens are not tokens; halves of the features after the tokens are.
  EXPECT_FALSE(reshape(rows(24), {2, 2, 60}, {3, 2, 132}).has_value());
  EXPECT_TRUE(reshape(rows(24), {2, 10, 12}, {3, 22, 12}).has_value());
  EXPECT_FALSE(reshape(rows(24), {2, 5, 25}, {3, 11, 25}).has_value());
  // The shapes of one sizing fit, those of the other do not.
  EXPECT_FALSE(reshape(rows(24), {10, 24}, {3, 264}).has_value());
}

TEST(TokenLayout, ExpandRepeatsConstantsOnly) {
  Layout layout = rows(4);
  layout.dims.insert(layout.dims.begin() + 2, DimAtoms{});
  auto repeated = expandLayout(layout, sizings, {Shape{2, 5, 3, 4}, Shape{3, 11, 3, 4}});
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->offsets(2), (std::vector<int64_t>{0, 0, 0}));
  EXPECT_FALSE(expandLayout(layout, sizings, {Shape{2, 5, 5, 4}, Shape{3, 11, 11, 4}}).has_value());
}

TEST(TokenLayout, RenumbersInRowMajorOrder) {
  auto heads = reshape(rows(24), {2, 5, 6, 4}, {3, 11, 6, 4});
  ASSERT_TRUE(heads);
  std::swap(heads->dims[2], heads->dims[3]); // [B, S, D, H]
  EXPECT_EQ(heads->offsets()[1], 4);
  heads->renumber();
  EXPECT_EQ(heads->offsets()[1], 1);
}

} // namespace
