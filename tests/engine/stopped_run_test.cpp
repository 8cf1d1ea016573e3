// A run that is to stop leaves the images in work: to all that counts, they are as if they had not been
// begun.
#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/repeating_model.h"
#include "imgmill/engine/engine.h"
#include "imgmill/memory/stop_scope.h"

using namespace imgmill;
using namespace imgmill::engine_test;

namespace {

constexpr int64_t kRows = 100;

/// Tells what becomes of each image.
class Telling final : public Operation {
 public:
  explicit Telling(const std::string& name) : Operation({name, name + "/1"}) {}

  Result<ItemPlan> Plan(const Item& item) const override {
    return ItemPlan(item.main.header, {}, {kRows, 1});  // with context: each operation reads for itself
  }
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan&) override {
    started.insert(item.file.relative);
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item.file.relative));
  }
  void Collect(Outcome& outcome) override {
    collected.push_back(outcome.file.relative);
    CHECK(outcome.file.index + 1 == collected.size());
  }

  std::function<void(const std::string& name, int64_t row)> mapping;
  std::function<void(const std::string& name)> finishing;
  std::set<std::string> started;
  std::vector<std::string> collected;

 private:
  class Task final : public ItemTask {
   public:
    Task(Telling& operation, std::string name) : operation_(operation), name_(std::move(name)) {}
    Status Map(const Region& region) override {
      if (operation_.mapping) operation_.mapping(name_, region.first_row);
      return {};
    }
    Status Finish(Outcome&) override {
      if (operation_.finishing) operation_.finishing(name_);
      return {};
    }

   private:
    Telling& operation_;
    const std::string name_;
  };
};

std::vector<RunCounts> RunOver(const std::vector<std::string>& names, std::vector<Operation*> operations,
                               StopFlag& stop) {
  auto manager = MemoryManager::Create({});
  auto catalog = Catalog::Open("");
  REQUIRE(manager.ok());
  REQUIRE(catalog.ok());
  Progress progress;
  EngineOptions options;
  options.workers = 1;
  std::vector<ListedFile> files;
  for (const std::string& name : names)
    files.push_back({files.size(), IMGMILL_SOURCE_DIR "/sample_data/" + name, name, NameClash::kNone});
  auto source = SourceFromFiles(std::move(files));
  Result<std::vector<RunCounts>> counts =
      Engine(options, {manager->get(), catalog->get(), &stop, &progress}).Run(*source, operations);
  REQUIRE(counts.ok());
  return *std::move(counts);
}

const std::vector<std::string> kNames = {"clock.jpg", "harbour.jpg", "marble.jpg", "mountains.jpg"};

}  // namespace

TEST_CASE("an image is left between two regions, counts for nothing, and those behind it are not begun") {
  StopFlag stop;
  Telling operation("telling");
  std::vector<int64_t> seen;
  operation.mapping = [&](const std::string& name, int64_t row) {
    if (name != "harbour.jpg") return;
    seen.push_back(row);
    if (row == kRows) stop.RequestStop();
  };
  const RunCounts counts = RunOver(kNames, {&operation}, stop).front();
  CHECK(seen == std::vector<int64_t>{0, kRows});  // of 320 rows
  CHECK(counts.listed == 1);
  CHECK(counts.done == 1);
  CHECK(counts.failed == 0);
  CHECK(counts.interrupted);
  CHECK(operation.collected == std::vector<std::string>{"clock.jpg"});
  CHECK(operation.started == std::set<std::string>{"clock.jpg", "harbour.jpg"});
}

TEST_CASE("what one operation has done of an image stays, where the next one is stopped before it") {
  StopFlag stop;
  Telling first("first"), second("second");
  first.finishing = [&](const std::string& name) {
    if (name == "harbour.jpg") stop.RequestStop();
  };
  const std::vector<RunCounts> counts = RunOver(kNames, {&first, &second}, stop);
  CHECK(first.collected == std::vector<std::string>{"clock.jpg", "harbour.jpg"});
  CHECK(second.collected == std::vector<std::string>{"clock.jpg"});
  CHECK(second.started == std::set<std::string>{"clock.jpg"});
  for (const RunCounts& each : counts) {
    CHECK(each.interrupted);
    CHECK(each.failed == 0);
    CHECK(each.listed == each.done);
  }
}

TEST_CASE("an image whose last region is mapped when the signal comes is done") {
  StopFlag stop;
  Telling operation("telling");
  operation.mapping = [&](const std::string&, int64_t row) {
    if (row == 3 * kRows) stop.RequestStop();  // harbour.jpg has 320 rows
  };
  const RunCounts counts = RunOver({"harbour.jpg"}, {&operation}, stop).front();
  CHECK(counts.done == 1);
  CHECK(operation.collected.size() == 1);
}

TEST_CASE("tiles that wait are left once the run is to stop, and what a batch was at is no result") {
  auto manager = ManagerOf1GiB();
  manager->AddDevice(std::make_unique<HostBackedDevice>("cpu:0", 64 << 20), 64 << 20);
  RepeatingModel model(*manager, 16);
  StopFlag stop;
  auto scheduler = BatchScheduler::Open(model, PlanOf(64, 1), 64, *manager, stop);
  REQUIRE(scheduler.ok());
  int forwards = 0;
  model.during = [&](WorkPlace) {
    CHECK(StopScope::Current() == &stop);  // by which kernels know
    if (++forwards == 2) stop.RequestStop();
  };
  const BatchScheduler::Visit visit(**scheduler);
  std::vector<Picture> pictures;
  for (int i = 0; i < 6; ++i) pictures.emplace_back(32, 32, i);
  std::vector<TileJob> jobs;
  for (Picture& picture : pictures) jobs.push_back(picture.job);
  for (int time = 0; time < 2; ++time) {
    const Status ran = (*scheduler)->Run(jobs);
    REQUIRE_FALSE(ran.ok());
    CHECK(ran.error().code == Code::kInterrupted);
    CHECK(forwards == 2);
    for (size_t i = 1; i < jobs.size(); ++i) CHECK_FALSE(jobs[i].done);
  }
  CHECK(StopScope::Current() == nullptr);
}
