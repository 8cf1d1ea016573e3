// An operation that keeps 64 KiB of every image, in the real engine at work with all its threads: it is
// named. The same operation without the leak is not.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "engine/engine_run.h"
#include "imgmill/image/writer.h"
#include "imgmill/memory/system_memory.h"

using namespace imgmill;
using namespace imgmill::engine_test;

namespace {

constexpr size_t kLeak = size_t{64} << 10;

class ForgetfulOperation final : public Operation {
 public:
  explicit ForgetfulOperation(bool leaks) : Operation({"forgetful", "forgetful/1"}), leaks_(leaks) {}
  ~ForgetfulOperation() override {
    for (void* block : kept_) std::free(block);
  }

  Result<ItemPlan> Plan(const Item& item) const override { return ItemPlan(item.main.header, {}, {32, 0}); }
  Result<bool> Recall(const Item&, Outcome&) override { return false; }
  Result<std::unique_ptr<ItemTask>> Start(const Item&, const ItemPlan&) override {
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this));
  }
  void Collect(Outcome&) override {}

 private:
  class Task final : public ItemTask {
   public:
    explicit Task(ForgetfulOperation& operation) : operation_(operation) {}
    Status Map(const Region&) override { return {}; }
    Status Finish(Outcome&) override {
      if (operation_.leaks_) operation_.Keep();
      return {};
    }

   private:
    ForgetfulOperation& operation_;
  };

  void Keep() {
    void* block = std::malloc(kLeak);
    std::memset(block, 1, kLeak);
    const std::lock_guard lock(mutex_);
    kept_.push_back(block);
  }

  const bool leaks_;
  std::mutex mutex_;
  std::vector<void*> kept_;
};

/// Warnings of a run over `images` times a picture of sample_data, each time another.
std::vector<std::string> WarningsOf(bool leaks, size_t images) {
  const char* const pictures[] = {"forest.jpg", "balloons.png", "citrus.jpg",   "harbour.jpg",
                                  "poster.png", "marble.jpg",   "icon_tiny.png"};
  std::vector<ListedFile> files;
  for (size_t i = 0; i < images; ++i) {
    const std::string name = pictures[i % std::size(pictures)];
    files.push_back({i, IMGMILL_SOURCE_DIR "/sample_data/" + name, name, NameClash::kNone});
  }
  ForgetfulOperation operation(leaks);
  const EngineRun run = RunEngine(operation, std::move(files), 2);
  CHECK(run.counts.done == images);
  return run.warnings;
}

}  // namespace

TEST_CASE("an operation that leaks 64 KiB an image is named within 200 images") {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return;  // their own records grow by more than the leak
#endif
  const std::vector<std::string> warnings = WarningsOf(true, 200);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].starts_with("forgetful may leak"));
  CHECK(WarningsOf(false, 600).empty());
}
