// Known images overtake one in work: how far, and that this ends well.
#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "dataset/test_folder.h"
#include "imgmill/engine/engine.h"

using namespace imgmill;

namespace {

constexpr uint64_t kKnown = 30'000;
constexpr uint64_t kOvertaking = 5'000;

/// One new image, and then a known one over and over again.
class OneNewSource final : public ItemSource {
 public:
  explicit OneNewSource(const TestFolder& folder) : folder_(folder) {}
  std::optional<ListedFile> Next() override {
    if (given > kKnown) return std::nullopt;
    const std::string name = given == 0 ? "new.ppm" : "known.ppm";
    ++given;
    return ListedFile{0, folder_ / name, name, NameClash::kNone};
  }
  std::atomic<uint64_t> given{0};

 private:
  const TestFolder& folder_;
};

/// Is in work on what is not known until the source gives no more.
class WaitingOperation final : public Operation {
 public:
  WaitingOperation(const OneNewSource* source, bool throws)
      : Operation({"waiting", "waiting/1"}), source_(source), throws_(throws) {}
  Result<ItemPlan> Plan(const Item& item) const override { return ItemPlan(item.main.header, {}, {32, 0}); }
  Result<bool> Recall(const Item&, Outcome& outcome) override {
    outcome.state = Outcome::State::kDone;
    return source_ != nullptr;
  }
  Result<std::unique_ptr<ItemTask>> Start(const Item&, const ItemPlan&) override {
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this));
  }
  void Collect(Outcome& outcome) override {
    if (throws_ && outcome.file.index == 5) throw std::runtime_error("of the collector");
    in_order = in_order && outcome.file.index == collected;
    ++collected;
  }

  uint64_t overtaking = 0;  ///< given by the source while the new one was in work
  uint64_t collected = 0;
  bool in_order = true;

 private:
  class Task final : public ItemTask {
   public:
    explicit Task(WaitingOperation& operation) : operation_(operation) {}
    Status Map(const Region&) override {
      if (operation_.source_ == nullptr) return {};
      // The feeder may be kept waiting by other programs: that it stands still counts from where it must come
      // to.
      for (int i = 0; operation_.source_->given <= kOvertaking && i < 60'000; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      for (uint64_t before = 0; before != operation_.source_->given;) {
        before = operation_.source_->given;
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
      }
      operation_.overtaking = operation_.source_->given;
      return {};
    }
    Status Finish(Outcome&) override { return {}; }

   private:
    WaitingOperation& operation_;
  };

  const OneNewSource* source_;
  const bool throws_;
};

Result<RunCounts> Run(ItemSource& source, Operation& operation, const std::string& catalog_folder) {
  auto manager = MemoryManager::Create({});
  auto catalog = Catalog::Open(catalog_folder);
  REQUIRE(manager.ok());
  REQUIRE(catalog.ok());
  StopFlag stop;
  Progress progress;
  EngineOptions options;
  options.workers = 2;
  ::alarm(120);  // a hang must not look like slowness
  Result<RunCounts> counts =
      Engine(options, {manager->get(), catalog->get(), &stop, &progress}).Run(source, operation);
  ::alarm(0);
  return counts;
}

/// Knows one image; another one is there.
void Prepare(const TestFolder& folder) {
  folder.Write("known.ppm", "P6 16 16 255\n" + std::string(768, 'k'));
  folder.Write("new.ppm", "P6 16 16 255\n" + std::string(768, 'n'));
  std::vector<ListedFile> files = {{0, folder / "known.ppm", "known.ppm", NameClash::kNone}};
  WaitingOperation operation(nullptr, false);
  REQUIRE(Run(*SourceFromFiles(std::move(files)), operation, folder / "catalog").ok());
}

}  // namespace

TEST_CASE("known images overtake one in work by thousands, and not by all that there are") {
  const TestFolder folder;
  Prepare(folder);
  OneNewSource source(folder);
  WaitingOperation operation(&source, false);
  const Result<RunCounts> counts = Run(source, operation, folder / "catalog");
  REQUIRE(counts.ok());
  CHECK(counts->done == kKnown + 1);
  CHECK(counts->recalled == kKnown);
  CHECK(operation.collected == kKnown + 1);
  CHECK(operation.in_order);
  CHECK(operation.overtaking > kOvertaking);
  CHECK(operation.overtaking < 10'000);
}

TEST_CASE("a run whose known images wait ends with what the collector throws") {
  const TestFolder folder;
  Prepare(folder);
  OneNewSource source(folder);
  WaitingOperation operation(&source, true);
  const Result<RunCounts> counts = Run(source, operation, folder / "catalog");
  REQUIRE(!counts.ok());
  CHECK(counts.error().message.find("of the collector") != std::string::npos);
  CHECK(operation.collected == 5);
  CHECK(source.given < 10'000);
}
