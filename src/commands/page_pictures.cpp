// The operation decodes at a fraction of the size where that is cheaper.
#include "page_pictures.h"

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "commands/dedup/small_jpeg.h"
#include "commands/pack/packed_fact.h"
#include "progress_phase.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerRegion = 64;

/// Pages of 10, 50 and 100 MB or so: photos of these sizes take 12, 6 and 3 KB, and a third more in a page.
int64_t LongSideFor(uint64_t count) {
  if (count <= 1000) return 320;
  return count <= 8000 ? 224 : 128;
}

/// What stands before the JPEG file.
struct Sides {
  int64_t width = 0, height = 0;
};

class PictureOperation final : public Operation {
 public:
  PictureOperation(const std::string& fact, int64_t long_side, Catalog& catalog)
      : Operation({.name = "page", .fingerprint = "page " + fact, .leaves_only_facts = true}),
        fact_(fact),
        long_side_(long_side),
        catalog_(catalog) {}

  Result<ItemPlan> Plan(const Item& item) const override {
    const ImageHeader& header = item.main.header;
    ItemPlan plan(header, SmallJpeg::Reading(header, long_side_), {kRowsPerRegion, 0});
    plan.work = SmallJpeg::Cost(plan.input, long_side_);
    return plan;
  }
  Result<bool> Recall(const Item& item, Outcome& outcome) override {
    if (!catalog_.FindFact(item.main.content, fact_)) return false;
    outcome.state = Outcome::State::kDone;
    return true;
  }
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override {
    return std::unique_ptr<ItemTask>(std::make_unique<Task>(*this, item, plan.input));
  }
  void Collect(Outcome&) override {}

 private:
  class Task final : public ItemTask {
   public:
    Task(PictureOperation& operation, const Item& item, const Layout& rows)
        : operation_(operation), item_(item), small_(rows, operation.long_side_) {}
    Status Map(const Region& region) override {
      small_.Add(region.own());
      return {};
    }
    Status Finish(Outcome&) override {
      const std::string jpeg = TRY(small_.Finish());
      const ImageHeader& header = item_.main.header;
      const Sides sides = {header.upright_width(), header.upright_height()};
      return operation_.catalog_.PutFact(item_.main.content, operation_.fact_, Packed(sides) + jpeg);
    }

   private:
    PictureOperation& operation_;
    const Item& item_;
    SmallJpeg small_;
  };

  const std::string& fact_;
  const int64_t long_side_;
  Catalog& catalog_;
};

}  // namespace

class PagePictures::Making final : public CommandRun {
 public:
  Making(const PagePictures& pictures, const CommandServices& services)
      : CommandRun(services), operation_(pictures.fact_, pictures.long_side_, *services.catalog) {
    options.force = false;
    options.mode = RunMode::kRun;  // a dry run touches no file, and a page shows what would be
  }
  Operation& operation() override { return operation_; }
  Result<CommandResult> Reduce(CommandResult result) override { return result; }

 private:
  PictureOperation operation_;
};

PagePictures::PagePictures(uint64_t count, const CommandServices& services)
    : services_(services),
      long_side_(LongSideFor(count)),
      fact_("page-picture/2 " + std::to_string(long_side_)) {}

Status PagePictures::Make(const FileTable& files, CommandResult& result) const {
  if (result.counts.interrupted) return {};
  CommandServices quietly = services_;  // images and failures were told of by the run over all of them
  quietly.put_line = nullptr;
  quietly.observer = nullptr;
  quietly.log = [](LogLevel, const std::string&) {};
  Making making(*this, quietly);
  const std::unique_ptr<ItemSource> source = SourceFromFiles(files);
  CommandRun* const one[] = {&making};
  BeginPhase(*making.engine.progress, "pictures");
  const std::vector<CommandResult> made = TRY(RunEngine(*source, one));
  result.counts.interrupted = made[0].counts.interrupted;
  result.counts.interruption = made[0].counts.interruption;
  return {};
}

PagePicture PagePictures::Of(const ContentDigest& content) const {
  const std::optional<std::string> fact = services_.catalog->FindFact(content, fact_);
  Sides sides;
  if (!fact || !Unpack(std::optional(fact->substr(0, sizeof sides)), sides)) return {};
  return {sides.width, sides.height, fact->substr(sizeof sides)};
}

PagePicture PagePictures::OfFile(const std::string& path) const {
  const std::optional<KnownFile> known = services_.catalog->FindFile(CanonicalOrSame(path));
  return known ? Of(known->content) : PagePicture();
}

void TellUnwrittenPage(const Error& error, const CommandServices& services, CommandResult& result) {
  if (result.refusal) return services.log(LogLevel::kError, error.message);
  result.refusal = error;
}

}  // namespace imgmill
