// Measures a picture while its rows pass by.
#include "picture_notes.h"

namespace imgmill {
namespace {

bool IsExact(const ImageHeader& header, const ReadOptions& reading, const Layout& input) {
  // Numbers that a profile gives a meaning are no colours yet.
  const bool colours = input.bands == 3 && !header.cmyk && !(reading.keep_profile && header.has_icc);
  return colours && header.sample == Sample::kU8 && input.width == header.upright_width() &&
         input.height == header.upright_height();
}

}  // namespace

PictureMeter::PictureMeter(const ImageHeader& header, const ReadOptions& reading, const Layout& input)
    : fidelity_(header.fidelity), sharpness_(input, SignalSet{Signal::kSharpness}), shapes_(input) {
  if (!IsExact(header, reading, input)) return;
  pixels_.emplace();
  const int64_t size[] = {input.width, input.height};
  pixels_->Add(size, sizeof size);
}

void PictureMeter::Add(const ImageView& rows) {
  sharpness_.Add(rows);
  shapes_.Add(rows);
  if (!pixels_) return;
  for (int64_t y = 0; y < rows.layout.height; ++y) pixels_->Add(rows.row(y), rows.layout.row_bytes());
}

PictureNotes PictureMeter::Finish() {
  PictureNotes notes;
  notes.sharpness = sharpness_.Finish()[Signal::kSharpness].value_or(0);
  notes.fidelity = fidelity_;
  notes.shapes = static_cast<uint32_t>(shapes_.Finish());
  if (pixels_) notes.pixels = pixels_->Finish();
  return notes;
}

size_t PictureMeter::PooledBytes(const Layout& input) {
  return SignalMeter::PooledBytes(input) + CoarseShapes::PooledBytes(input);
}

}  // namespace imgmill
