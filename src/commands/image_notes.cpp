// Measures an image while its rows pass by.
#include "image_notes.h"

#include "base/try.h"
#include "imgmill/image/fidelity_scale.h"
#include "imgmill/image/shown_colour.h"

namespace imgmill {
namespace {

bool IsExact(const ImageHeader& header, const ReadOptions& reading, const Layout& input) {
  // Numbers that a profile gives a meaning are no colours yet.
  const bool colours = input.bands == 3 && !header.cmyk && !(reading.keep_profile && header.has_icc);
  return colours && header.sample == Sample::kU8 && input.width == header.upright_width() &&
         input.height == header.upright_height();
}

/// By how much a JPEG's sides were divided when it was read.
int ShrinkOf(const ImageHeader& header, const Layout& input) {
  for (const int shrink : {1, 2, 4}) {
    if ((header.upright_width() + shrink - 1) / shrink == input.width &&
        (header.upright_height() + shrink - 1) / shrink == input.height)
      return shrink;
  }
  return 8;
}

}  // namespace

ImageMeter::ImageMeter(const SourceFile& file, const ReadOptions& reading, const Layout& input)
    : file_(file),
      grey_of_colours_(input.bands == 1 && file.header.bands >= 3),
      sharpness_(input, SignalSet{Signal::kSharpness}),
      shapes_(input),
      colours_(input, ShrinkOf(file.header, input), IsLosslessFidelity(file.header.fidelity)) {
  const ImageHeader& header = file.header;
  if (!IsExact(header, reading, input)) return;
  pixels_.emplace();
  const int64_t size[] = {input.width, input.height};
  pixels_->Add(size, sizeof size);
}

void ImageMeter::Add(const ImageView& rows) {
  sharpness_.Add(rows);
  shapes_.Add(rows);
  colours_.Add(rows);
  if (!pixels_) return;
  for (int64_t y = 0; y < rows.layout.height; ++y) pixels_->Add(rows.row(y), rows.layout.row_bytes());
}

Result<ImageNotes> ImageMeter::Finish() {
  ImageNotes notes;
  notes.sharpness = sharpness_.Finish()[Signal::kSharpness].value_or(0);
  notes.shapes = static_cast<uint16_t>(shapes_.Finish());
  if (pixels_) notes.pixels = pixels_->Finish();
  ImageColours colours = colours_.Finish();
  if (grey_of_colours_) {
    const bool shown = TRY(JpegShowsColour(file_.path));
    colours.shown = shown;
  }
  notes.shows_colour = colours.shown ? 1 : 0;
  const uint32_t fidelity = file_.header.fidelity;
  notes.fidelity = colours.shown ? fidelity : FidelityWithoutColour(fidelity);
  if (colours.few > 0) notes.fidelity = FidelityOfFewColours(fidelity, colours.few, colours.shown);
  return notes;
}

size_t ImageMeter::PooledBytes(const Layout& input) {
  return SignalMeter::PooledBytes(input) + CoarseShapes::PooledBytes(input) + ColourMeter::PooledBytes(input);
}

}  // namespace imgmill
