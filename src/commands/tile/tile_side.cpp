// From rows to files: band, encoder, set.
#include "tile_side.h"

#include <algorithm>

#include "base/try.h"

namespace imgmill {

TileSide::TileSide(const Layout& rows, const PixelSize& shown, int64_t size, int scale, std::string prefix)
    : shown_(shown), size_(size), scale_(scale), prefix_(std::move(prefix)), band_(rows, shown, size) {}

Result<std::unique_ptr<TileSide>> TileSide::Open(const std::string& source, const ImageHeader& header,
                                                 const Layout& rows, const PixelSize& shown,
                                                 const WriteOptions& writing, int64_t size, int scale,
                                                 std::string prefix) {
  std::unique_ptr<TileSide> side(new TileSide(rows, shown, size, scale, std::move(prefix)));
  side->extension_ = Extension(writing.format);
  std::vector<uint8_t> profile;
  if (header.has_icc) profile = ReadProfileOf(source, rows, writing, side->notes_);
  std::unique_ptr<ImageEncoder> encoder =
      TRY(ImageEncoder::Create(side->band_.tile_layout(), writing, std::move(profile)));
  side->encoder_ = std::move(encoder);
  side->notes_.insert(side->notes_.end(), side->encoder_->notes().begin(), side->encoder_->notes().end());
  return side;
}

int64_t TileSide::RowsFor(int64_t y) const {
  return std::min(shown_.height, y / scale_ + size_);
}

Status TileSide::Write(const TilePlace& place, OutputSet& set) {
  std::span<const uint8_t> bytes = TRY(encoder_->Encode(Rows(place)));
  return set.Add(NameOf(place), bytes);
}

}  // namespace imgmill
