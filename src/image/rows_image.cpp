// Feeds rows into libvips: a custom image whose generate function reads the next rows.
#include "rows_image.h"

#include <new>

namespace imgmill {
namespace {

int Generate(VipsRegion* region, void* /*sequence*/, void* client, void* /*unused*/, gboolean* /*stop*/) {
  RowsFeed& feed = **static_cast<std::shared_ptr<RowsFeed>*>(client);
  const VipsRect& area = region->valid;
  if (feed.error) return -1;
  if (area.top != feed.next_row || area.left != 0 || area.width != region->im->Xsize) {
    feed.error = Error{Stage::kDecode, Code::kInternal, "rows were asked for out of order"};
    return -1;
  }
  try {
    Status status = feed.rows->Read(area.height, VIPS_REGION_ADDR_TOPLEFT(region),
                                    static_cast<size_t>(VIPS_REGION_LSKIP(region)));
    if (!status) feed.error = status.error();
  } catch (const std::bad_alloc& refusal) {  // must not fly through libvips' C code
    feed.error = Error{Stage::kDecode, Code::kOutOfMemory, refusal.what()};
  }
  if (feed.error) return -1;
  feed.next_row += area.height;
  return 0;
}

void Forget(gpointer feed) {
  delete static_cast<std::shared_ptr<RowsFeed>*>(feed);
}

}  // namespace

VipsBandFormat BandFormat(Sample sample) {
  return sample == Sample::kU8    ? VIPS_FORMAT_UCHAR
         : sample == Sample::kU16 ? VIPS_FORMAT_USHORT
                                  : VIPS_FORMAT_FLOAT;
}

ImageRef ImageFromRows(const std::shared_ptr<RowsFeed>& feed, VipsInterpretation interpretation,
                       int window_rows) {
  const Layout& layout = feed->rows->layout();
  ImageRef image(vips_image_new());
  vips_image_init_fields(image.get(), static_cast<int>(layout.width), static_cast<int>(layout.height),
                         layout.bands, BandFormat(layout.sample), VIPS_CODING_NONE, interpretation, 1, 1);
  auto* client = new std::shared_ptr<RowsFeed>(feed);
  g_object_set_data_full(G_OBJECT(image.get()), "imgmill-rows", client, &Forget);
  if (vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
      vips_image_generate(image.get(), nullptr, &Generate, nullptr, client, nullptr) != 0) {
    return {};
  }
  VipsImage* ordered = nullptr;
  if (vips_sequential(image.get(), &ordered, "tile_height", window_rows, nullptr) != 0) return {};
  return ImageRef(ordered);
}

VipsInterpretation InterpretationOf(const Layout& layout) {
  const bool wide = layout.sample == Sample::kU16;
  if (layout.colour_bands() == 1) return wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W;
  return wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB;
}

}  // namespace imgmill
