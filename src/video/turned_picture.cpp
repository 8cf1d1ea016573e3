// Plane by plane, sample by sample.
#include "video/turned_picture.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <cstddef>

namespace imgmill {
namespace {

template <typename T>
void TurnPlane(const uint8_t* from, ptrdiff_t from_stride, int width, int height, int orientation,
               uint8_t* to, ptrdiff_t to_stride) {
  const bool across = orientation >= 5;
  // Where the first sample of the turned picture lies in the stored one: at its right, at its bottom.
  const bool right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int rows = across ? width : height;
  const int columns = across ? height : width;
  for (int y = 0; y < rows; ++y) {
    auto* out = reinterpret_cast<T*>(to + y * to_stride);
    for (int x = 0; x < columns; ++x) {
      const int own_x = across ? y : x;
      const int own_y = across ? x : y;
      const auto* row =
          reinterpret_cast<const T*>(from + (bottom ? height - 1 - own_y : own_y) * from_stride);
      out[x] = row[right ? width - 1 - own_x : own_x];
    }
  }
}

}  // namespace

bool CanTurn(const AVFrame& picture) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  if (format == nullptr || (format->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM)) != 0)
    return false;
  if (format->log2_chroma_w != format->log2_chroma_h) return false;
  for (int i = 0; i < format->nb_components; ++i) {
    const AVComponentDescriptor& component = format->comp[i];
    const int bytes = component.depth > 8 ? 2 : 1;
    if (component.step != bytes || component.offset != 0 || component.depth > 16 || component.depth < 8)
      return false;
  }
  return true;
}

DecodedFrame Turn(const AVFrame& picture, int orientation) {
  DecodedFrame turned(av_frame_alloc());
  if (!turned) return turned;
  const bool across = orientation >= 5;
  turned->format = picture.format;
  turned->width = across ? picture.height : picture.width;
  turned->height = across ? picture.width : picture.height;
  if (av_frame_get_buffer(turned.get(), 0) < 0) return nullptr;
  turned->color_range = picture.color_range;
  turned->colorspace = picture.colorspace;
  turned->chroma_location = picture.chroma_location;
  const AVPixFmtDescriptor& format = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  const bool rgb = (format.flags & AV_PIX_FMT_FLAG_RGB) != 0;
  for (int i = 0; i < format.nb_components; ++i) {
    const AVComponentDescriptor& component = format.comp[i];
    const int shift = !rgb && (i == 1 || i == 2) ? format.log2_chroma_w : 0;
    const auto shared = [shift](int side) { return -((-side) >> shift); };
    const int plane = component.plane;
    const auto turn = component.depth > 8 ? &TurnPlane<uint16_t> : &TurnPlane<uint8_t>;
    turn(picture.data[plane], picture.linesize[plane], shared(picture.width), shared(picture.height),
         orientation, turned->data[plane], turned->linesize[plane]);
  }
  return turned;
}

}  // namespace imgmill
