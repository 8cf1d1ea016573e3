// An image whose reading or mapping finds no memory half-way: what was mapped is kept where the task can go
// on, and begun anew where it cannot.
#include <doctest/doctest.h>

#include <functional>

#include "engine/engine_run.h"
#include "imgmill/image/writer.h"

using namespace imgmill;
using namespace imgmill::engine_test;

namespace {

constexpr int64_t kRows = 32;

/// Counts how often each region is mapped, and takes a buffer from the pool whenever rows are read or mapped.
class CountingOperation final : public Operation {
 public:
  explicit CountingOperation(bool goes_on) : Operation({"counting", "counting/1"}), goes_on_(goes_on) {}

  Result<ItemPlan> Plan(const Item& item) const override {
    return ItemPlan(item.main.header, {}, {kRows, 3});
  }
  Result<bool> Recall(const Item&, Outcome&) override { return false; }
  Result<std::unique_ptr<RowReader>> Open(const Item& item, const ItemPlan& plan) const override {
    Result<std::unique_ptr<RowReader>> rows = Operation::Open(item, plan);
    if (!rows) return rows;
    return std::unique_ptr<RowReader>(std::make_unique<Reader>(*this, *std::move(rows)));
  }
  Result<std::unique_ptr<ItemTask>> Start(const Item&, const ItemPlan& plan) override {
    ++started;
    mapped.resize(static_cast<size_t>((plan.input.height + kRows - 1) / kRows));
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this));
  }
  void Collect(Outcome& outcome) override { rung = outcome.rung; }

  std::function<void(int64_t row)> before_reading, before_mapping;  ///< where allocations may be refused
  int started = 0;
  std::vector<int> mapped;  ///< times that each region's Map came to its end
  Rung rung = Rung::kNone;

 private:
  class Reader final : public RowReader {
   public:
    Reader(const CountingOperation& operation, std::unique_ptr<RowReader> rows)
        : operation_(operation), rows_(std::move(rows)) {}
    const Layout& layout() const override { return rows_->layout(); }
    Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
      if (operation_.before_reading) operation_.before_reading(next_);
      const Buffer work(HostPool(), 4096);
      next_ += rows;
      return rows_->Read(rows, destination, stride);
    }
    const std::vector<std::string>& notes() const override { return rows_->notes(); }

   private:
    const CountingOperation& operation_;
    std::unique_ptr<RowReader> rows_;
    int64_t next_ = 0;
  };

  class Task final : public ItemTask {
   public:
    explicit Task(CountingOperation& operation) : operation_(operation) {}
    Status Map(const Region& region) override {
      CHECK(region.first_row == next_);
      if (operation_.before_mapping) operation_.before_mapping(region.first_row);
      const Buffer work(HostPool(), 4096);
      next_ += region.own_rows;
      ++operation_.mapped[static_cast<size_t>(region.first_row / kRows)];
      return {};
    }
    Status Finish(Outcome&) override { return {}; }
    bool Suspend() override { return operation_.goes_on_; }

   private:
    CountingOperation& operation_;
    int64_t next_ = 0;
  };

  const bool goes_on_;
};

/// One picture of 480x320 through the engine, alone.
void RunOver(CountingOperation& operation) {
  const EngineRun run = RunEngine(
      operation, {{0, IMGMILL_SOURCE_DIR "/sample_data/harbour.jpg", "harbour.jpg", NameClash::kNone}}, 1);
  CHECK(run.counts.done == 1);
}

/// Refuses the next allocation once `row` is reached for the first time.
std::function<void(int64_t)> RefuseOnceAt(int64_t row) {
  return [row, refused = false](int64_t now) mutable {
    if (refused || now < row) return;
    refused = true;
    HostPool().RefuseAllocation(1);
  };
}

}  // namespace

TEST_CASE("regions that were mapped before a refusal are not mapped again by a task that can go on") {
  for (const int64_t row : {0, 64, 160, 288}) {
    CAPTURE(row);
    CountingOperation reading(/*goes_on=*/true);
    reading.before_reading = RefuseOnceAt(row);
    RunOver(reading);
    CHECK(reading.started == 1);
    CHECK(reading.mapped == std::vector<int>(10, 1));
    CHECK(reading.rung == Rung::kSameSize);

    CountingOperation mapping(/*goes_on=*/true);
    mapping.before_mapping = RefuseOnceAt(row);
    RunOver(mapping);
    CHECK(mapping.started == 1);
    CHECK(mapping.mapped == std::vector<int>(10, 1));
    CHECK(mapping.rung == Rung::kSameSize);
  }
}

TEST_CASE("a task that cannot go on is begun anew, from the first region") {
  CountingOperation operation(/*goes_on=*/false);
  operation.before_mapping = RefuseOnceAt(4 * kRows);
  RunOver(operation);
  CHECK(operation.started == 2);
  CHECK(operation.mapped == std::vector<int>{2, 2, 2, 2, 1, 1, 1, 1, 1, 1});
}
