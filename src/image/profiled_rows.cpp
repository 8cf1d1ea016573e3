// Rows as a libvips image that carries the profile, and what follows for an image of any loader.
#include "profiled_rows.h"

#include "colour.h"

namespace imgmill {

MadePipeline ThroughProfile(std::unique_ptr<RowReader> rows, VipsInterpretation meaning,
                            const std::vector<uint8_t>& profile, bool keep_profile) {
  constexpr int kWindowRows = 16;
  MadePipeline made;
  VipsPipeline pipeline;
  pipeline.feed = std::make_shared<RowsFeed>();
  pipeline.feed->rows = std::move(rows);
  ImageRef image = ImageFromRows(pipeline.feed, meaning, kWindowRows);
  if (!image) return made;
  if (!profile.empty()) {
    VipsImage* own = nullptr;
    if (vips_copy(image.get(), &own, nullptr) != 0) return made;
    image = ImageRef(own);
    vips_image_set_blob_copy(own, VIPS_META_ICC_NAME, profile.data(), profile.size());
  }
  pipeline.notes = pipeline.feed->rows->notes();
  pipeline.image = ConvertColour(image.get(), PlanColour(image.get()), keep_profile, pipeline.notes);
  if (pipeline.image) made.pipeline = std::move(pipeline);
  return made;
}

}  // namespace imgmill
