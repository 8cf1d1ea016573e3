// libswscale, set up as ffmpeg's scale filter does it.
#include "video/picture_colours.h"

extern "C" {
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

#include <utility>

namespace imgmill {
namespace {

AVPixelFormat Wanted(const VideoColours& colours) {
  if (colours.bands == 4) return colours.deep ? AV_PIX_FMT_RGBA64 : AV_PIX_FMT_RGBA;
  return colours.deep ? AV_PIX_FMT_RGB48 : AV_PIX_FMT_RGB24;
}

/// Where the first colour sample lies, in 256ths of a pixel of brightness: right, down. Negative:
/// libswscale's own assumption, the middle of the pixels that share it.
std::pair<int, int> PlaceOf(const AVFrame& picture, bool as_sited) {
  constexpr int kUnsaid = -513;
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  const bool quarter = format->log2_chroma_w == 1 && format->log2_chroma_h == 1;
  constexpr int kMiddle = 128;
  std::pair<int, int> place = {kUnsaid, picture.format == AV_PIX_FMT_YUV420P ? kMiddle : kUnsaid};
  if (!as_sited || format->log2_chroma_w == 0) return place;
  const auto is = [&](AVChromaLocation where) { return picture.chroma_location == where; };
  const bool left = is(AVCHROMA_LOC_LEFT) || is(AVCHROMA_LOC_TOPLEFT) || is(AVCHROMA_LOC_BOTTOMLEFT);
  const bool top = is(AVCHROMA_LOC_TOP) || is(AVCHROMA_LOC_TOPLEFT);
  const bool bottom = is(AVCHROMA_LOC_BOTTOM) || is(AVCHROMA_LOC_BOTTOMLEFT);
  if (is(AVCHROMA_LOC_UNSPECIFIED)) return place;
  place.first = left ? 0 : kMiddle;
  if (quarter) place.second = top ? 0 : bottom ? 2 * kMiddle : kMiddle;
  return place;
}

}  // namespace

bool PictureColours::SetUp(const AVFrame& picture, const VideoColours& colours, std::string& why) {
  sws_freeContext(std::exchange(context_, sws_alloc_context()));
  if (context_ == nullptr) return why = "out of memory", false;
  const auto [right, down] = PlaceOf(picture, colours.as_sited);
  const auto set = [this](const char* name, int64_t value) { av_opt_set_int(context_, name, value, 0); };
  set("srcw", picture.width);
  set("srch", picture.height);
  set("src_format", picture.format);
  set("dstw", picture.width);
  set("dsth", picture.height);
  set("dst_format", Wanted(colours));
  set("sws_flags", SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT);
  set("src_h_chr_pos", right);
  set("src_v_chr_pos", down);
  if (picture.color_range != AVCOL_RANGE_UNSPECIFIED)
    set("src_range", picture.color_range == AVCOL_RANGE_JPEG);
  if (sws_init_context(context_, nullptr, nullptr) < 0) {
    const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(picture.format));
    return why = std::string("pictures of the form ") + (name != nullptr ? name : "?") + " are not supported",
           false;
  }
  int* from = nullptr;
  int* to = nullptr;
  int full_from = 0, full_to = 0, brightness = 0, contrast = 0, saturation = 0;
  if (sws_getColorspaceDetails(context_, &from, &full_from, &to, &full_to, &brightness, &contrast,
                               &saturation) < 0)
    return true;  // RGB: there is nothing to say
  const bool known = picture.colorspace >= 1 && picture.colorspace <= 10 && picture.colorspace != 2;
  if (picture.color_range != AVCOL_RANGE_UNSPECIFIED) full_from = picture.color_range == AVCOL_RANGE_JPEG;
  sws_setColorspaceDetails(context_, sws_getCoefficients(known ? picture.colorspace : SWS_CS_ITU601),
                           full_from, to, full_to, brightness, contrast, saturation);
  return true;
}

bool PictureColours::Convert(const AVFrame& picture, const VideoColours& colours, uint8_t* to, size_t stride,
                             std::string& why) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format));
  const bool rgb = format != nullptr && (format->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  const bool other = picture.colorspace == AVCOL_SPC_YCGCO || picture.colorspace > AVCOL_SPC_BT2020_CL;
  if (!rgb && other) {
    const char* name = av_color_space_name(picture.colorspace);
    return why = std::string("colours of the matrix ") + (name != nullptr ? name : "?") +
                 " are not supported (convert it to BT.709)",
           false;
  }
  const Form form = {picture.width,       picture.height,
                     picture.format,      picture.colorspace,
                     picture.color_range, picture.chroma_location * 2 + (colours.as_sited ? 1 : 0),
                     colours.bands,       colours.deep};
  if (context_ == nullptr || form != form_) {
    if (!SetUp(picture, colours, why)) {
      sws_freeContext(std::exchange(context_, nullptr));
      return false;
    }
    form_ = form;
  }
  uint8_t* planes[4] = {to, nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(stride), 0, 0, 0};
  if (sws_scale(context_, picture.data, picture.linesize, 0, picture.height, planes, strides) ==
      picture.height)
    return true;
  return why = "its colours cannot be converted", false;
}

}  // namespace imgmill
