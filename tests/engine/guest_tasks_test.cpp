// One decode for two operations: the guest's facts are those of a run of its own, and where it would read the
// image otherwise it is not invited.
#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>

#include "imgmill/dataset/listing.h"
#include "imgmill/engine/engine.h"

using namespace imgmill;

namespace {

/// Notes the sum of all samples as a fact, and counts the decodes that it asked for.
class SumOperation final : public Operation {
 public:
  SumOperation(std::string fact, ReadOptions reading, Catalog& catalog)
      : fact_(std::move(fact)), reading_(reading), catalog_(catalog) {}

  std::string name() const override { return "sum"; }
  std::string Fingerprint() const override { return fact_; }
  Result<ItemPlan> Plan(const Item& item) const override {
    return ItemPlan(item.main.header, reading_, {32, 0});
  }
  Result<std::unique_ptr<RowReader>> Open(const Item& item, const ItemPlan& plan) const override {
    ++decodes;
    return Operation::Open(item, plan);
  }
  Result<bool> Recall(const Item& item, Outcome& outcome) override {
    const std::optional<std::string> known = catalog_.FindFact(item.main.content, fact_);
    if (known) Keep(item, *known);
    outcome.state = Outcome::State::kDone;
    return known.has_value();
  }
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan&) override {
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item));
  }
  void Collect(Outcome&) override {}

  mutable std::atomic<int> decodes = 0;
  std::map<std::string, std::string> sums;

 private:
  /// From the feeder and the workers.
  void Keep(const Item& item, const std::string& sum) {
    const std::lock_guard lock(mutex_);
    sums[item.file.relative] = sum;
  }

  class Task final : public ItemTask {
   public:
    Task(SumOperation& operation, const Item& item) : operation_(operation), item_(item) {}
    Status Map(const Region& region) override {
      for (int64_t y = 0; y < region.own_rows; ++y) {
        const uint8_t* row = region.view.row(y);
        for (size_t i = 0; i < region.view.layout.row_bytes(); ++i) sum_ += row[i];
      }
      return {};
    }
    Status Finish(Outcome&) override {
      operation_.Keep(item_, std::to_string(sum_));
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
  std::mutex mutex_;
};

struct Run {
  RunCounts counts;
  std::map<std::string, std::string> sums;
  int decodes = 0;
};

/// Over sample_data's sound pictures, on one thread.
Run RunOver(SumOperation& operation, Catalog& catalog, const std::vector<Operation*>& guests) {
  auto manager = MemoryManager::Create({});
  REQUIRE(manager.ok());
  StopFlag stop;
  Progress progress;
  ListOptions list;
  list.paths = {IMGMILL_SOURCE_DIR "/sample_data"};
  list.exclude = {"truncated.jpg", "not_an_image.jpg"};
  auto source = SourceFromListing(list, false);
  REQUIRE(source.ok());
  EngineOptions options;
  options.workers = 1;
  Engine engine(options, {manager->get(), &catalog, &stop, &progress, guests});
  const Result<RunCounts> counts = engine.Run(**source, operation);
  REQUIRE(counts.ok());
  CHECK(counts->failed == 0);
  return {*counts, operation.sums, operation.decodes};
}

ReadOptions Reading(ReadOptions::Bands bands) {
  ReadOptions reading;
  reading.to_8bit = true;
  reading.alpha = ReadOptions::Alpha::kDrop;
  reading.bands = bands;
  return reading;
}

}  // namespace

TEST_CASE("a guest's facts come from the host's decode, and equal those of a run of its own") {
  const ReadOptions as_is = Reading(ReadOptions::Bands::kAsIs);
  const ReadOptions rgb = Reading(ReadOptions::Bands::kRgb);
  auto alone_catalog = Catalog::Open("");
  REQUIRE(alone_catalog.ok());
  SumOperation alone("guest/1", rgb, **alone_catalog);
  const Run expected = RunOver(alone, **alone_catalog, {});
  REQUIRE(expected.counts.done > 20);

  auto catalog = Catalog::Open("");
  REQUIRE(catalog.ok());
  SumOperation host("host/1", as_is, **catalog);
  SumOperation looking_on("guest/1", rgb, **catalog);
  const Run hosted = RunOver(host, **catalog, {&looking_on});
  CHECK(hosted.counts.done == expected.counts.done);
  CHECK(looking_on.decodes == 0);

  SumOperation later("guest/1", rgb, **catalog);
  const Run after = RunOver(later, **catalog, {});
  CHECK(after.sums == expected.sums);
  // Grey pictures are one band to the host and three to the guest: those alone are decoded again.
  CHECK(after.decodes > 0);
  CHECK(after.decodes < 5);
  CHECK(after.counts.recalled == expected.counts.done - static_cast<uint64_t>(after.decodes));
}

TEST_CASE("pixels are the same only where nothing in header or options makes a difference") {
  ImageHeader header;
  header.format = "png";
  header.width = header.height = 64;
  header.bands = 3;
  const ReadOptions rgb = Reading(ReadOptions::Bands::kRgb);
  const ReadOptions as_is = Reading(ReadOptions::Bands::kAsIs);
  ReadOptions kept = rgb;
  kept.keep_profile = true;
  ReadOptions lenient = rgb;
  lenient.allow_truncated = true;
  ReadOptions shrunk = rgb;
  shrunk.shrink_to_side = 16;
  CHECK(SamePixels(header, rgb, as_is));
  CHECK(SamePixels(header, rgb, kept));
  CHECK(!SamePixels(header, rgb, lenient));
  CHECK(!SamePixels(header, rgb, shrunk));
  CHECK(!SamePixels(header, rgb, Reading(ReadOptions::Bands::kGrey)));
  header.has_icc = true;
  CHECK(!SamePixels(header, rgb, kept));
  header.has_icc = false;
  header.bands = 1;
  CHECK(!SamePixels(header, rgb, as_is));
  header.bands = 4;
  header.has_alpha = true;
  ReadOptions flat = rgb;
  flat.alpha = ReadOptions::Alpha::kFlattenWhite;
  CHECK(!SamePixels(header, rgb, flat));
}
