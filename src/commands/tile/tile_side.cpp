// From rows to a file's bytes: band, encoder.
#include "tile_side.h"

#include <algorithm>

#include "base/try.h"

namespace imgmill {

TileSide::TileSide(const Layout& rows, const PixelSize& shown, const TileCut& cut, std::string prefix)
    : shown_(shown),
      cut_(cut),
      prefix_(std::move(prefix)),
      extension_(Extension(cut.writing.format)),
      band_(rows, shown, cut.size, cut.spare) {}

Result<std::unique_ptr<TileSide>> TileSide::Open(const std::string& source, const ImageHeader& header,
                                                 const Layout& rows, const PixelSize& shown,
                                                 const TileCut& cut, std::string prefix) {
  std::unique_ptr<TileSide> side(new TileSide(rows, shown, cut, std::move(prefix)));
  if (cut.metadata) {
    side->carried_ = ReadPieceMetadata(source, side->band_.tile_layout(), cut.writing, side->notes_);
  } else if (header.has_icc) {
    side->carried_.profile = ReadProfileOf(source, rows, cut.writing, side->notes_);
  }
  TileTools tools = TRY(side->MakeTools());
  side->own_tools_ = std::move(tools);
  const std::vector<std::string>& notes = side->own_tools_.encoder->notes();
  side->notes_.insert(side->notes_.end(), notes.begin(), notes.end());
  return side;
}

int64_t TileSide::RowsFor(int64_t y) const {
  return std::min(shown_.height, y / cut_.scale + cut_.size);
}

Result<TileTools> TileSide::MakeTools() const {
  TileTools tools;
  std::unique_ptr<ImageEncoder> encoder =
      TRY(ImageEncoder::Create(band_.tile_layout(), cut_.writing, carried_));
  tools.encoder = std::move(encoder);
  return tools;
}

}  // namespace imgmill
