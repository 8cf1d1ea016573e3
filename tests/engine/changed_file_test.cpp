// A file that changes while it is worked on, whenever that is: what was read of it is not published.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "dataset/test_folder.h"
#include "engine/engine_run.h"

using namespace imgmill;
using namespace imgmill::engine_test;

namespace {

/// Calls the test at each step of its one task.
class WatchedOperation final : public Operation {
 public:
  WatchedOperation() : Operation({"watched", "watched/1"}) {}
  Result<ItemPlan> Plan(const Item& item) const override { return ItemPlan(item.main.header, {}, {64, 0}); }
  Result<std::unique_ptr<ItemTask>> Start(const Item&, const ItemPlan&) override {
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this));
  }
  void Collect(Outcome& outcome) override { error = outcome.error; }

  std::function<void()> mapping, reading_rest;
  bool finished = false;
  std::optional<Error> error;

 private:
  class Task final : public ItemTask {
   public:
    explicit Task(WatchedOperation& operation) : operation_(operation) {}
    Status Map(const Region&) override {
      if (operation_.mapping) operation_.mapping();
      return {};
    }
    Status ReadRest() override {
      if (operation_.reading_rest) operation_.reading_rest();
      return {};
    }
    Status Finish(Outcome&) override {
      operation_.finished = true;
      return {};
    }

   private:
    WatchedOperation& operation_;
  };
};

}  // namespace

TEST_CASE("nothing is published of a file that changed before it was read to its end") {
  const TestFolder where;
  const std::string path = where.Write("a.pgm", "P5 4 4 255\n0123456789abcdef");
  const auto change = [&] { std::ofstream(path, std::ios::app) << "more"; };
  WatchedOperation operation;
  bool changes = true;
  SUBCASE("it stays as it is") {
    changes = false;
  }
  SUBCASE("while its rows are read") {
    operation.mapping = change;
  }
  SUBCASE("while it is read once more") {
    operation.reading_rest = change;
  }
  ListedFile file;
  file.path = path;
  file.relative = "a.pgm";
  const EngineRun run = RunEngine(operation, {file}, 1);
  CHECK(run.counts.failed == (changes ? 1 : 0));
  CHECK(operation.finished == !changes);
  CHECK(operation.error.has_value() == changes);
  if (operation.error) CHECK(operation.error->message.find("changed while it was read") != std::string::npos);
}
