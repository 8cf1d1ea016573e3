// Several operations over one decode: each image is opened once for all that read it alike, each operation is
// given what the one before it keeps, and its outcomes are those of a run of its own.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "imgmill/base/byte_size.h"
#include "imgmill/dataset/listing.h"
#include "imgmill/engine/engine.h"

using namespace imgmill;

namespace {

/// Notes the sum of all samples as a fact, counts the decodes that it asked for, and judges by the sum.
class SumOperation final : public Operation {
 public:
  SumOperation(std::string fact, ReadOptions reading, Catalog& catalog, bool after_reduce = false,
               bool only_facts = true)
      : Operation({"sum", fact, false, after_reduce, only_facts}),
        fact_(std::move(fact)),
        reading_(reading),
        catalog_(catalog) {}

  Result<ItemPlan> Plan(const Item& item) const override {
    if (refuses.contains(item.file.relative)) return Error{Stage::kAdmit, Code::kLimitExceeded, "refused"};
    ItemPlan plan(item.main.header, reading_, {32, overlap});
    plan.work = work;
    return plan;
  }
  Result<std::unique_ptr<RowReader>> Open(const Item& item, const ItemPlan& plan) const override {
    ++decodes;
    return Operation::Open(item, plan);
  }
  Result<bool> Recall(const Item& item, Outcome& outcome) override {
    const std::optional<std::string> known = catalog_.FindFact(item.main.content, fact_);
    if (!known) return false;
    outcome.notes = {*known};
    outcome.state = Outcome::State::kDone;
    return true;
  }
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan&) override {
    ++started;
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item));
  }
  /// Every other sum is dropped, where that is asked for.
  Verdict Judge(const Outcome& outcome) const override {
    if (traits().judges_after_reduce) return Verdict::kAfterReduce;
    return drops_odd && (outcome.notes.back().back() - '0') % 2 == 1 ? Verdict::kDrop : Verdict::kKeep;
  }
  void Collect(Outcome& outcome) override {
    CHECK(outcome.file.index == collected.size() + failed.size());
    if (outcome.state == Outcome::State::kFailed) {
      failed.push_back(outcome.file.relative);
      return;
    }
    collected.emplace_back(outcome.file.relative, outcome.notes.back());
  }

  std::set<std::string> refuses, fails;
  Footprint work;
  int64_t overlap = 0;
  bool drops_odd = false;
  mutable std::atomic<int> decodes = 0;
  std::atomic<int> started = 0;
  std::vector<std::pair<std::string, std::string>> collected;  ///< relative path and sum
  std::vector<std::string> failed;

 private:
  class Task final : public ItemTask {
   public:
    Task(SumOperation& operation, const Item& item) : operation_(operation), item_(item) {}
    Status Map(const Region& region) override {
      if (operation_.fails.contains(item_.file.relative))
        return Error{Stage::kCompute, Code::kModelError, "cannot"};
      for (int64_t y = 0; y < region.own_rows; ++y) {
        const uint8_t* row = region.own().row(y);
        for (size_t i = 0; i < region.view.layout.row_bytes(); ++i) sum_ += row[i];
      }
      return {};
    }
    Status Finish(Outcome& outcome) override {
      outcome.notes.push_back(std::to_string(sum_));
      return operation_.catalog_.PutFact(item_.main.content, operation_.fact_, std::to_string(sum_));
    }

   private:
    SumOperation& operation_;
    const Item& item_;
    uint64_t sum_ = 0;
  };

  std::string fact_;
  ReadOptions reading_;
  Catalog& catalog_;
};

/// Sums what it is shown of each image.
class SumObserver final : public RowObserver {
 public:
  Footprint Cost(const Item&, const ReadOptions&, const Layout&) const override { return cost; }
  std::unique_ptr<ItemTask> Watch(const Item& item, const ReadOptions&, const Layout&) override {
    return std::make_unique<Task>(*this, item.file.relative);
  }

  std::multimap<std::string, std::string> sums;  ///< relative path and sum
  Footprint cost;

 private:
  class Task final : public ItemTask {
   public:
    Task(SumObserver& observer, std::string name) : observer_(observer), name_(std::move(name)) {}
    Status Map(const Region& region) override {
      const ImageView rows = region.own();
      for (int64_t y = 0; y < rows.layout.height; ++y) {
        for (size_t i = 0; i < rows.layout.row_bytes(); ++i) sum_ += rows.row(y)[i];
      }
      return {};
    }
    Status Finish(Outcome&) override {
      const std::lock_guard lock(observer_.mutex_);
      observer_.sums.emplace(name_, std::to_string(sum_));
      return {};
    }

   private:
    SumObserver& observer_;
    std::string name_;
    uint64_t sum_ = 0;
  };
  std::mutex mutex_;
};

std::unique_ptr<Catalog> NewCatalog() {
  auto catalog = Catalog::Open("");
  REQUIRE(catalog.ok());
  return *std::move(catalog);
}

/// Over sample_data's sound pictures.
std::vector<RunCounts> RunOver(std::vector<Operation*> operations, Catalog& catalog, size_t budget = 0,
                               std::unique_ptr<ItemSource> files = nullptr, int workers = 2,
                               RowObserver* observer = nullptr) {
  MemoryOptions memory;
  memory.host_budget = budget;
  auto manager = MemoryManager::Create(memory);
  REQUIRE(manager.ok());
  StopFlag stop;
  Progress progress;
  ListOptions list;
  list.paths = {IMGMILL_SOURCE_DIR "/sample_data"};
  list.exclude = {"truncated.jpg", "not_an_image.jpg"};
  auto source = SourceFromListing(list, false);
  REQUIRE(source.ok());
  EngineOptions options;
  options.workers = workers;
  EngineServices services{manager->get(), &catalog, &stop, &progress};
  services.observer = observer;
  const auto counts = Engine(options, services).Run(files ? *files : **source, operations);
  REQUIRE(counts.ok());
  return *counts;
}

/// What `operation` collected, as the files that a next step is given.
std::unique_ptr<ItemSource> KeptOf(const SumOperation& operation) {
  std::vector<ListedFile> kept;
  for (const auto& [relative, sum] : operation.collected) {
    if (operation.drops_odd && (sum.back() - '0') % 2 == 1) continue;
    ListedFile& file = kept.emplace_back();
    file.relative = relative;
    file.path = IMGMILL_SOURCE_DIR "/sample_data/" + relative;
  }
  return SourceFromFiles(std::move(kept));
}

ReadOptions Reading(ReadOptions::Bands bands) {
  ReadOptions reading;
  reading.to_8bit = true;
  reading.alpha = ReadOptions::Alpha::kDrop;
  reading.bands = bands;
  return reading;
}

const ReadOptions kAsIs = Reading(ReadOptions::Bands::kAsIs);
const ReadOptions kRgb = Reading(ReadOptions::Bands::kRgb);
constexpr int kPictures = 30;
constexpr int kGrey = 1;  // newspaper_grey.png: one band as it is, three as RGB

}  // namespace

TEST_CASE("each operation collects what the one before keeps, as in runs one after the other") {
  const auto apart = NewCatalog();
  SumOperation first_alone("first", kAsIs, *apart);
  SumOperation second_alone("second", kRgb, *apart);
  SumOperation third_alone("third", kAsIs, *apart);
  first_alone.drops_odd = second_alone.drops_odd = true;
  RunOver({&first_alone}, *apart);
  RunOver({&second_alone}, *apart, 0, KeptOf(first_alone));
  RunOver({&third_alone}, *apart, 0, KeptOf(second_alone));
  REQUIRE(first_alone.collected.size() == kPictures);
  REQUIRE(second_alone.collected.size() > 5);
  REQUIRE(second_alone.collected.size() < kPictures - 5);
  REQUIRE(third_alone.collected.size() > 2);

  for (const int workers : {1, 4}) {
    const auto catalog = NewCatalog();
    SumOperation first("first", kAsIs, *catalog);
    SumOperation second("second", kRgb, *catalog);
    SumOperation third("third", kAsIs, *catalog);
    first.drops_odd = second.drops_odd = true;
    const auto counts = RunOver({&first, &second, &third}, *catalog, 0, nullptr, workers);
    CHECK(first.collected == first_alone.collected);
    CHECK(second.collected == second_alone.collected);
    CHECK(third.collected == third_alone.collected);
    CHECK(counts[1].listed == second_alone.collected.size());
    CHECK(counts[2].done == third_alone.collected.size());
    // Once for all three, but for the grey picture, which is another one as RGB. Equal bytes are recalled.
    CHECK(first.decodes + second.decodes + third.decodes <= kPictures + kGrey);
    CHECK(third.decodes == 0);
    // Again: the catalog answers for all of them.
    SumOperation again[] = {
        {"first", kAsIs, *catalog}, {"second", kRgb, *catalog}, {"third", kAsIs, *catalog}};
    again[0].drops_odd = again[1].drops_odd = true;
    const auto recalled = RunOver({&again[0], &again[1], &again[2]}, *catalog);
    CHECK(again[2].collected == third_alone.collected);
    CHECK(recalled[0].recalled == kPictures);
    CHECK(recalled[2].recalled == recalled[2].done);
    for (const SumOperation& operation : again) CHECK(operation.decodes == 0);
  }
}

TEST_CASE("an observer sees the rows of each decode that the operations ask for, and of no other") {
  for (const int64_t overlap : {0, 8}) {
    const auto catalog = NewCatalog();
    SumOperation first("first", kAsIs, *catalog);
    SumOperation second("second", kAsIs, *catalog);
    first.overlap = overlap;
    first.fails = {"poster.png"};
    SumObserver observer;
    RunOver({&first, &second}, *catalog, 0, nullptr, 2, &observer);
    REQUIRE(first.collected.size() == kPictures - 1);
    CHECK(static_cast<int>(observer.sums.size()) == first.decodes + second.decodes - 1);
    CHECK(!observer.sums.contains("poster.png"));
    const std::map<std::string, std::string> sums(first.collected.begin(), first.collected.end());
    for (const auto& [name, sum] : observer.sums) CHECK(sums.at(name) == sum);
    SumOperation again("first", kAsIs, *catalog);
    SumObserver sees_nothing;
    RunOver({&again}, *catalog, 0, KeptOf(first), 2, &sees_nothing);  // all are recalled
    CHECK(sees_nothing.sums.empty());
  }
}

TEST_CASE("an observer that does not fit the budget sees nothing, and the run is as without it") {
  const auto catalog = NewCatalog();
  SumOperation operation("first", kAsIs, *catalog);
  SumObserver observer;
  observer.cost = {0, 512 * kMiB};
  const auto counts = RunOver({&operation}, *catalog, 512 * kMiB, nullptr, 2, &observer);
  CHECK(counts[0].done == kPictures);
  CHECK(observer.sums.empty());
}

TEST_CASE("behind a reduce nobody is given an image: facts are noted of what is decoded anyway") {
  const auto apart = NewCatalog();
  SumOperation alone("later", kRgb, *apart);
  RunOver({&alone}, *apart);

  const auto catalog = NewCatalog();
  SumOperation first("first", kAsIs, *catalog, /*after_reduce=*/true);
  SumOperation later("later", kRgb, *catalog);
  SumOperation writer("writer", kRgb, *catalog, false, /*only_facts=*/false);
  const auto counts = RunOver({&first, &later, &writer}, *catalog);
  CHECK(counts[0].done == kPictures);
  CHECK(counts[1].listed == 0);
  CHECK(later.collected.empty());
  CHECK(later.decodes == 0);
  CHECK(later.started > 0);
  CHECK(writer.started == 0);
  // In its own turn it decodes the grey picture, of which it would have seen one band.
  RunOver({&later}, *catalog);
  CHECK(later.collected == alone.collected);
  CHECK(later.decodes == kGrey);
}

TEST_CASE("a failure is one of the operation that meets it, whatever the others read") {
  const auto catalog = NewCatalog();
  SumOperation first("first", kAsIs, *catalog);
  SumOperation second("second", kAsIs, *catalog);
  SumOperation third("third", kAsIs, *catalog);
  first.fails = {"poster.png"};
  second.fails = {"tartan.jpg", "poster.png"};
  third.refuses = {"marble.jpg", "tartan.jpg"};
  const auto counts = RunOver({&first, &second, &third}, *catalog);
  CHECK(first.failed == std::vector<std::string>{"poster.png"});
  CHECK(second.failed == std::vector<std::string>{"tartan.jpg"});
  CHECK(third.failed == std::vector<std::string>{"marble.jpg"});
  CHECK(counts[1].listed == kPictures - 1);
  CHECK(counts[2].listed == kPictures - 2);
  CHECK(counts[2].done == kPictures - 3);
}

TEST_CASE("operations that do not fit the budget together are done one after the other") {
  const auto plenty = NewCatalog();
  SumOperation first_alone("first", kAsIs, *plenty);
  SumOperation second_alone("second", kAsIs, *plenty);
  RunOver({&first_alone, &second_alone}, *plenty);

  const auto room = [] {
    MemoryOptions memory;
    memory.host_budget = 512 * kMiB;
    auto manager = MemoryManager::Create(memory);
    REQUIRE(manager.ok());
    return (*manager)->LargestLease();
  }();
  const auto catalog = NewCatalog();
  SumOperation first("first", kAsIs, *catalog);
  SumOperation second("second", kAsIs, *catalog);
  SumOperation third("third", kAsIs, *catalog);
  first.work = second.work = {0, room / 10 * 6};
  third.work = {0, 2 * room};  // fits nowhere
  const auto counts = RunOver({&first, &second, &third}, *catalog, 512 * kMiB);
  CHECK(first.collected == first_alone.collected);
  CHECK(second.collected == second_alone.collected);
  CHECK(counts[2].failed == kPictures);
  CHECK(first.decodes > 25);  // less the copies
  CHECK(second.decodes == first.decodes);
}

TEST_CASE("pixels are the same only where nothing in header or options makes a difference") {
  ImageHeader header;
  header.format = ImageFormat::kPng;
  header.width = header.height = 64;
  header.bands = 3;
  ReadOptions kept = kRgb;
  kept.keep_profile = true;
  ReadOptions lenient = kRgb;
  lenient.allow_truncated = true;
  ReadOptions shrunk = kRgb;
  shrunk.shrink_to_side = 16;
  CHECK(SamePixels(header, kRgb, kAsIs));
  CHECK(SamePixels(header, kRgb, kept));
  CHECK(SamePixels(header, kRgb, shrunk));  // no PNG is
  CHECK(!SamePixels(header, kRgb, lenient));
  CHECK(!SamePixels(header, kRgb, Reading(ReadOptions::Bands::kGrey)));
  header.format = ImageFormat::kJpeg;
  CHECK(!SamePixels(header, kRgb, shrunk));
  shrunk.shrink_to_side = 64;  // not shrunk either, but read with shortcuts
  CHECK(!SamePixels(header, kRgb, shrunk));
  header.has_icc = true;
  CHECK(!SamePixels(header, kRgb, kept));
  header.has_icc = false;
  header.bands = 1;
  CHECK(!SamePixels(header, kRgb, kAsIs));
  header.bands = 4;
  header.has_alpha = true;
  ReadOptions flat = kRgb;
  flat.alpha = ReadOptions::Alpha::kFlattenWhite;
  CHECK(!SamePixels(header, kRgb, flat));
}
