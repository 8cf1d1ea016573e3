// Regions cover every row once, with the context that the plan asks for: checked by arithmetic on the row
// number.
#include "stream/region_loop.h"

#include <doctest/doctest.h>

#include "stream/ordered_outcomes.h"

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
      CHECK(MapRegions(reader, plan, task, progress).ok());
      CHECK(task.rows_seen() == height);
    }
  }
}

TEST_CASE("outcomes leave in the order of the listing, whatever the order of completion") {
  std::vector<uint64_t> seen;
  OrderedOutcomes ordered([&](Outcome& outcome) { seen.push_back(outcome.file.index); });
  for (uint64_t index : {2u, 0u, 3u, 1u, 5u, 4u}) {
    Outcome outcome;
    outcome.file.index = index;
    ordered.Put(index, std::move(outcome));
  }
  CHECK(seen == std::vector<uint64_t>{0, 1, 2, 3, 4, 5});
}
