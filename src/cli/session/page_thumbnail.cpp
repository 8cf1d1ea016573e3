// Shrinking and encoding on the way of an image's rows, and the look-up when the page is written.
#include "page_thumbnail.h"

#include <algorithm>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "commands/dedup/small_jpeg.h"
#include "imgmill/report/data_uri.h"

namespace imgmill {
namespace {

constexpr char kFact[] = "thumbnail/1";
constexpr int64_t kLongSide = 96;
constexpr int64_t kRowsAtOnce = 16;

/// Whether the image gets a thumbnail, and the rows show it as people see it, at least as large.
bool Wants(const Item& item, const ReadOptions& reading, const Layout& rows) {
  const ImageHeader& header = item.main.header;
  if (item.file.index >= PageThumbnails::kImages) return false;
  if (rows.sample != Sample::kU8 || rows.has_alpha()) return false;
  if (rows.bands == 1 && header.bands > 2) return false;     // luma alone
  if (reading.keep_profile && header.has_icc) return false;  // numbers of other colours
  const bool flat = reading.alpha == ReadOptions::Alpha::kFlattenWhite;
  if (header.has_alpha && !flat) return false;  // nobody sees what lies under alpha
  return std::max(rows.width, rows.height) >= std::min(kLongSide, std::max(header.width, header.height));
}

Result<std::string> Decode(const std::string& path, MemoryManager& memory) {
  const ImageHeader header = TRY(Probe(path, {}));
  const ReadOptions reading = SmallJpeg::Reading(header, kLongSide);
  Layout strip = ReadLayout(header, reading);
  Footprint need = ReadFootprint(header, reading) + SmallJpeg::Cost(strip, kLongSide);
  strip.height = std::min(strip.height, kRowsAtOnce);
  need.pooled += strip.row_bytes() * static_cast<size_t>(strip.height);
  const Lease lease = TRY(memory.TryAcquire(need));
  if (!lease) return Error{Stage::kAdmit, Code::kOutOfMemory, "memory is short"};
  std::unique_ptr<RowReader> reader = TRY(OpenRows(path, header, reading));
  const Layout layout = reader->layout();
  SmallJpeg small(layout, kLongSide);
  Image rows(strip);
  for (int64_t y = 0; y < layout.height; y += strip.height) {
    ImageView view = rows.view();
    view.layout.height = std::min(strip.height, layout.height - y);
    TRY(reader->Read(view.layout.height, rows.row(0), view.stride));
    small.Add(view);
  }
  return small.Finish();
}

}  // namespace

class PageThumbnails::Task final : public ItemTask {
 public:
  Task(const Item& item, const Layout& rows, Catalog& catalog)
      : item_(item), catalog_(catalog), small_(rows, kLongSide) {}
  Status Map(const Region& region) override {
    small_.Add(region.own());
    return {};
  }
  Status Finish(Outcome&) override {
    const std::string jpeg = TRY(small_.Finish());
    return catalog_.PutFact(item_.main.content, kFact, jpeg);
  }

 private:
  const Item& item_;
  Catalog& catalog_;
  SmallJpeg small_;
};

Footprint PageThumbnails::Cost(const Item& item, const ReadOptions& reading, const Layout& rows) const {
  return Wants(item, reading, rows) ? SmallJpeg::Cost(rows, kLongSide) : Footprint{};
}

std::unique_ptr<ItemTask> PageThumbnails::Watch(const Item& item, const ReadOptions& reading,
                                                const Layout& rows) {
  if (!Wants(item, reading, rows)) return nullptr;
  return std::make_unique<Task>(item, rows, catalog_);
}

std::string PageThumbnails::Of(const std::string& path) {
  const Result<FileStamp> stamp = StampOf(path);
  if (!stamp) return {};
  const std::optional<KnownFile> known = catalog_.FindFile(CanonicalOrSame(path));
  const bool as_seen = known && known->stamp == *stamp;
  if (as_seen) {
    if (const std::optional<std::string> jpeg = catalog_.FindFact(known->content, kFact))
      return JpegUri(*jpeg);
  }
  const Result<std::string> jpeg = Decode(path, memory_);
  if (!jpeg) return {};
  if (as_seen) (void)catalog_.PutFact(known->content, kFact, *jpeg);
  return JpegUri(*jpeg);
}

}  // namespace imgmill
