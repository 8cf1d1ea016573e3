// Regions cover every row once, with the context that the plan asks for: checked by arithmetic on the row
// number.
#include "engine/region_loop.h"

#include <doctest/doctest.h>

#include <new>

#include "engine/ordered_outcomes.h"

using namespace imgmill;

namespace {

/// Rows whose every byte is the row's number modulo 251.
class NumberedRows final : public RowReader {
 public:
  explicit NumberedRows(int64_t height) { layout_ = {7, height, 1, Sample::kU8}; }
  const Layout& layout() const override { return layout_; }
  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    REQUIRE(next_ + rows <= layout_.height);
    for (int64_t i = 0; i < rows; ++i, ++next_) {
      std::fill_n(destination + static_cast<size_t>(i) * stride, layout_.row_bytes(),
                  static_cast<uint8_t>(next_ % 251));
    }
    return {};
  }
  const std::vector<std::string>& notes() const override { return notes_; }

 private:
  Layout layout_;
  int64_t next_ = 0;
  std::vector<std::string> notes_;
};

class CheckRegions final : public ItemTask {
 public:
  CheckRegions(int64_t height, RegionPlan plan) : height_(height), plan_(plan) {}
  Status Map(const Region& region) override {
    CHECK(region.first_row == expected_first_);
    if (region.first_row == fails_at) throw std::bad_alloc();
    CHECK(region.context_above == std::min(region.first_row, plan_.overlap));
    const int64_t below = std::min(plan_.overlap, height_ - region.first_row - region.own_rows);
    CHECK(region.view.layout.height == region.context_above + region.own_rows + below);
    for (int64_t y = 0; y < region.view.layout.height; ++y) {
      REQUIRE(int{region.view.row(y)[3]} == (region.first_row - region.context_above + y) % 251);
    }
    expected_first_ += region.own_rows;
    CHECK(region.last == (expected_first_ == height_));
    return {};
  }
  Status Finish(Outcome&) override { return {}; }
  int64_t rows_seen() const { return expected_first_; }

  int64_t fails_at = -1;  ///< first row of the region for which there is no memory

 private:
  int64_t height_;
  RegionPlan plan_;
  int64_t expected_first_ = 0;
};

}  // namespace

TEST_CASE("every row is mapped once, with its context, for every height and plan") {
  Progress progress;
  for (int64_t height = 1; height <= 70; ++height) {
    for (const RegionPlan plan : {RegionPlan{1, 0}, RegionPlan{16, 0}, RegionPlan{16, 5}, RegionPlan{8, 20},
                                  RegionPlan{1, 3}, RegionPlan{1000, 10}}) {
      CAPTURE(height);
      CAPTURE(plan.rows);
      CAPTURE(plan.overlap);
      NumberedRows reader(height);
      CheckRegions task(height, plan);
      int64_t mapped = 0;
      CHECK(MapRegions(reader, plan, task, progress, mapped).ok());
      CHECK(mapped == height);
      CHECK(task.rows_seen() == height);
    }
  }
}

TEST_CASE("a task that ran out of memory sees the regions that it finished no second time, and all others") {
  constexpr int64_t kHeight = 61;
  Progress progress;
  for (const RegionPlan plan : {RegionPlan{16, 0}, RegionPlan{16, 5}, RegionPlan{8, 20}, RegionPlan{1, 3}}) {
    for (int64_t fails_at = 0; fails_at < kHeight; fails_at += plan.rows) {
      CAPTURE(plan.rows);
      CAPTURE(plan.overlap);
      CAPTURE(fails_at);
      CheckRegions task(kHeight, plan);
      task.fails_at = fails_at;
      int64_t mapped = 0;
      NumberedRows first(kHeight);
      CHECK_THROWS_AS((void)MapRegions(first, plan, task, progress, mapped), std::bad_alloc);
      CHECK(mapped == fails_at);
      task.fails_at = -1;
      NumberedRows second(kHeight);  // a decoder cannot be wound back
      CHECK(MapRegions(second, plan, task, progress, mapped).ok());
      CHECK(task.rows_seen() == kHeight);
      CHECK(mapped == kHeight);
    }
  }
}

TEST_CASE("outcomes leave in the order of the listing, whatever the order of completion") {
  std::vector<uint64_t> seen;
  OrderedOutcomes<Outcome> ordered([&](Outcome& outcome) { seen.push_back(outcome.file.index); });
  for (uint64_t index : {2u, 0u, 3u, 1u, 5u, 4u}) {
    Outcome outcome;
    outcome.file.index = index;
    ordered.Put(index, std::move(outcome));
  }
  CHECK(seen == std::vector<uint64_t>{0, 1, 2, 3, 4, 5});
}
