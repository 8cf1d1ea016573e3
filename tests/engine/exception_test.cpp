// An exception on any thread ends the run with an error: no hang, every outcome before it kept in order, and
// the catalog knows what was done. What is one image's own failure stays one.
#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "imgmill/engine/engine.h"

using namespace imgmill;

namespace {

constexpr char kFact[] = "seen/1";

/// Where the 10th of the images meets an exception, and which.
enum class Where {
  kNowhere,
  kSource,         // on the feeder's thread
  kFeeder,         // in what the feeder asks the operation
  kFeederMemory,   // there, for want of memory
  kWorker,         // in mapping: an ordinary exception
  kWorkerUnknown,  // one that is no std::exception
  kCollector,      // in Collect, on a worker's thread or the feeder's
};
constexpr uint64_t kTenth = 9;

class ThrowingOperation final : public Operation {
 public:
  ThrowingOperation(Where where, Catalog& catalog)
      : Operation({"throwing", "throwing/1"}), where_(where), catalog_(catalog) {}

  Result<bool> Recall(const Item&, Outcome&) override { return false; }
  Result<ItemPlan> Plan(const Item& item) const override {
    if (item.file.index == kTenth && where_ == Where::kFeeder) throw std::runtime_error("of the feeder");
    if (item.file.index == kTenth && where_ == Where::kFeederMemory) throw std::bad_alloc();
    return ItemPlan(item.main.header, {}, {32, 0});
  }
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan&) override {
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item));
  }
  void Collect(Outcome& outcome) override {
    if (outcome.file.index == kTenth && where_ == Where::kCollector)
      throw std::runtime_error("of the collector");
    collected.push_back(outcome.file.index);
    if (outcome.state == Outcome::State::kFailed) failed.push_back(*outcome.error);
  }

  std::vector<uint64_t> collected;
  std::vector<Error> failed;

 private:
  class Task final : public ItemTask {
   public:
    Task(ThrowingOperation& operation, const Item& item) : operation_(operation), item_(item) {}
    Status Map(const Region&) override {
      const bool tenth = item_.file.index == kTenth;
      if (tenth && operation_.where_ == Where::kWorker) throw std::runtime_error("of the worker");
      if (tenth && operation_.where_ == Where::kWorkerUnknown) throw 42;
      return {};
    }
    Status Finish(Outcome&) override { return operation_.catalog_.PutFact(item_.main.content, kFact, "yes"); }

   private:
    ThrowingOperation& operation_;
    const Item& item_;
  };

  const Where where_;
  Catalog& catalog_;
};

/// 40 copies of a picture, each of a content of its own.
class Pictures {
 public:
  Pictures() {
    std::string name = std::filesystem::temp_directory_path() / "imgmill-throw-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    for (uint64_t i = 0; i < 40; ++i) {
      const std::string path = folder_ + "/" + std::to_string(100 + i) + ".ppm";
      std::string bytes = "P6 16 16 255\n" + std::string(768, static_cast<char>(i));
      std::FILE* file = std::fopen(path.c_str(), "wb");
      REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size());
      REQUIRE(std::fclose(file) == 0);
      files.push_back({i, path, std::to_string(100 + i) + ".ppm", NameClash::kNone});
    }
  }
  ~Pictures() { std::filesystem::remove_all(folder_); }
  std::string operator/(const std::string& name) const { return folder_ + "/" + name; }

  std::vector<ListedFile> files;

 private:
  std::string folder_;
};

class ThrowingSource final : public ItemSource {
 public:
  ThrowingSource(std::vector<ListedFile> files, bool throws)
      : files_(SourceFromFiles(std::move(files))), throws_(throws) {}
  std::optional<ListedFile> Next() override {
    if (throws_ && next_ == kTenth) throw std::runtime_error("of the source");
    ++next_;
    return files_->Next();
  }

 private:
  std::unique_ptr<ItemSource> files_;
  const bool throws_;
  uint64_t next_ = 0;
};

struct Ended {
  Result<RunCounts> counts;
  std::vector<uint64_t> collected;
  std::vector<Error> failed;
};

Ended RunThrowing(Where where, int workers, const Pictures& pictures, const std::string& catalog_folder) {
  auto manager = MemoryManager::Create({});
  auto catalog = Catalog::Open(catalog_folder);
  REQUIRE(manager.ok());
  REQUIRE(catalog.ok());
  StopFlag stop;
  Progress progress;
  EngineOptions options;
  options.workers = workers;
  ThrowingSource source(pictures.files, where == Where::kSource);
  ThrowingOperation operation(where, **catalog);
  alarm(60);  // a hang must not look like slowness
  Result<RunCounts> counts =
      Engine(options, {manager->get(), catalog->get(), &stop, &progress}).Run(source, operation);
  alarm(0);
  return {std::move(counts), operation.collected, operation.failed};
}

bool InOrder(const std::vector<uint64_t>& indices) {
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] != i) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("an exception of source, feeder, worker or collector ends the run, and what was done is kept") {
  for (const int workers : {1, 4}) {
    for (const auto& [where, words] :
         {std::pair{Where::kSource, "of the source"}, std::pair{Where::kFeeder, "of the feeder"},
          std::pair{Where::kCollector, "of the collector"},
          std::pair{Where::kWorkerUnknown, "unknown kind"}}) {
      CAPTURE(workers);
      CAPTURE(words);
      const Pictures pictures;
      const std::string catalog = pictures / "catalog";
      const Ended ended = RunThrowing(where, workers, pictures, catalog);
      REQUIRE(!ended.counts.ok());
      CHECK(ended.counts.error().code == Code::kInternal);
      CHECK(ended.counts.error().message.find(words) != std::string::npos);
      CHECK(InOrder(ended.collected));
      CHECK(ended.collected.size() <= kTenth);
      // The nine before it are done where nothing but the tenth one's own work or end was in the way.
      if (where == Where::kCollector) CHECK(ended.collected.size() == kTenth);
      auto reopened = Catalog::Open(catalog);
      REQUIRE(reopened.ok());
      for (const uint64_t index : ended.collected) {
        const std::optional<KnownFile> known =
            (*reopened)->FindFile(std::filesystem::canonical(pictures.files[index].path).string());
        REQUIRE(known.has_value());
        CHECK((*reopened)->FindFact(known->content, kFact) == "yes");
      }
    }
  }
}

TEST_CASE("an exception that is one image's own is its failure, and the run continues") {
  for (const int workers : {1, 4}) {
    for (const auto& [where, code] :
         {std::pair{Where::kWorker, Code::kInternal}, std::pair{Where::kFeederMemory, Code::kOutOfMemory}}) {
      CAPTURE(workers);
      const Pictures pictures;
      const Ended ended = RunThrowing(where, workers, pictures, "");
      REQUIRE(ended.counts.ok());
      CHECK(ended.counts->done == 39);
      REQUIRE(ended.failed.size() == 1);
      CHECK(ended.failed[0].code == code);
      CHECK(ended.collected.size() == 40);
      CHECK(InOrder(ended.collected));
    }
  }
}

TEST_CASE("the same operation that throws nowhere does all") {
  const Pictures pictures;
  const Ended ended = RunThrowing(Where::kNowhere, 4, pictures, "");
  REQUIRE(ended.counts.ok());
  CHECK(ended.counts->done == 40);
}
