// Thumbnails of a run's own decodes, and of the images that a run does not decode.
#include "cli/session/page_thumbnail.h"

#include <doctest/doctest.h>

#include <atomic>

#include "imgmill/engine/engine.h"

using namespace imgmill;

namespace {

constexpr char kFact[] = "thumbnail/1";
const std::vector<std::string> kNames = {"marble.jpg", "poster.png", "tartan.jpg", "newspaper_grey.png"};

/// Reads every image, does nothing, and counts the decodes.
class ReadOperation final : public Operation {
 public:
  explicit ReadOperation(const ReadOptions& reading) : Operation({"read", "read"}), reading_(reading) {}
  Result<ItemPlan> Plan(const Item& item) const override {
    return ItemPlan(item.main.header, reading_, {32, 8});
  }
  Result<std::unique_ptr<RowReader>> Open(const Item& item, const ItemPlan& plan) const override {
    ++decodes;
    return Operation::Open(item, plan);
  }
  Result<bool> Recall(const Item&, Outcome&) override { return false; }
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan&) override {
    contents.push_back(item.main.content);
    return std::unique_ptr<ItemTask>(std::make_unique<Task>());
  }
  void Collect(Outcome& outcome) override { CHECK(outcome.state == Outcome::State::kDone); }

  mutable int decodes = 0;
  std::vector<ContentDigest> contents;

 private:
  struct Task final : ItemTask {
    Status Map(const Region&) override { return {}; }
    Status Finish(Outcome&) override { return {}; }
  };
  ReadOptions reading_;
};

struct House {
  House() {
    auto opened = Catalog::Open("");
    auto manager = MemoryManager::Create({});
    REQUIRE(opened.ok());
    REQUIRE(manager.ok());
    catalog = *std::move(opened);
    memory = *std::move(manager);
    thumbnails = std::make_unique<PageThumbnails>(*catalog, *memory);
  }
  /// On one thread, over `paths`. @return contents in that order
  std::vector<ContentDigest> Read(const std::vector<std::string>& paths, const ReadOptions& reading) {
    std::vector<ListedFile> files(paths.size());
    for (size_t i = 0; i < paths.size(); ++i) files[i].path = files[i].relative = paths[i];
    const auto source = SourceFromFiles(std::move(files));
    ReadOperation operation(reading);
    EngineServices services{memory.get(), catalog.get(), &stop, &progress};
    services.observer = thumbnails.get();
    EngineOptions options;
    options.workers = 1;
    const Result<RunCounts> counts = Engine(options, services).Run(*source, operation);
    REQUIRE(counts.ok());
    CHECK(operation.decodes == static_cast<int>(paths.size()));
    return operation.contents;
  }

  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<MemoryManager> memory;
  std::unique_ptr<PageThumbnails> thumbnails;
  StopFlag stop;
  Progress progress;
};

std::vector<std::string> Paths() {
  std::vector<std::string> paths;
  for (const std::string& name : kNames) paths.push_back(IMGMILL_SOURCE_DIR "/sample_data/" + name);
  return paths;
}

ReadOptions ReadingRgb() {
  ReadOptions reading;
  reading.to_8bit = true;
  reading.bands = ReadOptions::Bands::kRgb;
  reading.alpha = ReadOptions::Alpha::kFlattenWhite;
  return reading;
}

bool IsJpegUri(const std::string& uri) {
  return uri.starts_with("data:image/jpeg;base64,/9j/");  // FF D8 FF
}

}  // namespace

TEST_CASE("an image that a run decodes is not decoded again for its thumbnail") {
  House house;
  const std::vector<ContentDigest> contents = house.Read(Paths(), ReadingRgb());
  REQUIRE(contents.size() == kNames.size());
  for (size_t i = 0; i < contents.size(); ++i) {
    REQUIRE(house.catalog->FindFact(contents[i], kFact).has_value());  // made in the run
    CHECK(IsJpegUri(house.thumbnails->Of(Paths()[i])));
    REQUIRE(house.catalog->PutFact(contents[i], kFact, "M").ok());
    CHECK(house.thumbnails->Of(Paths()[i]) == "data:image/jpeg;base64,TQ==");  // from there, not the file
  }
}

TEST_CASE("of rows that do not show the colours, and of no rows, a thumbnail is made of the file and kept") {
  House house;
  ReadOptions luma = ReadingRgb();
  luma.bands = ReadOptions::Bands::kGrey;
  const std::vector<ContentDigest> contents = house.Read(Paths(), luma);
  for (size_t i = 0; i < contents.size(); ++i) {
    CAPTURE(kNames[i]);
    const bool grey = kNames[i] == "newspaper_grey.png";
    CHECK(house.catalog->FindFact(contents[i], kFact).has_value() == grey);
    const std::string uri = house.thumbnails->Of(Paths()[i]);
    CHECK(IsJpegUri(uri));
    CHECK(house.catalog->FindFact(contents[i], kFact).has_value());
    CHECK(house.thumbnails->Of(Paths()[i]) == uri);
  }
  House nothing_known;
  CHECK(IsJpegUri(nothing_known.thumbnails->Of(Paths()[0])));
  CHECK(nothing_known.thumbnails->Of(IMGMILL_SOURCE_DIR "/README.md").empty());
}

TEST_CASE("only the first images of a run have a thumbnail made") {
  House house;
  std::vector<std::string> paths(PageThumbnails::kImages, Paths()[1]);
  paths.push_back(Paths()[0]);
  const std::vector<ContentDigest> contents = house.Read(paths, ReadingRgb());
  CHECK(house.catalog->FindFact(contents.front(), kFact).has_value());
  CHECK(!house.catalog->FindFact(contents.back(), kFact).has_value());
}
