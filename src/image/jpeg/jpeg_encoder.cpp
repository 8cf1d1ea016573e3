// One call an image; libjpeg's errors leave by longjmp and become values here.
#include "jpeg_encoder.h"

#include <new>

namespace imgmill {
namespace {

void Name(std::vector<uint8_t>& block, std::string_view name) {
  if (!block.empty()) block.insert(block.begin(), name.begin(), name.end());
}

}  // namespace

JpegEncoder::JpegEncoder(const Layout& layout, int quality, bool full_chroma, CarriedMetadata metadata)
    : layout_(layout), quality_(quality), full_chroma_(full_chroma), metadata_(std::move(metadata)) {
  Name(metadata_.exif, kJpegExifName);
  Name(metadata_.xmp, kJpegXmpName);
  bytes_.resize(size_t{64} << 10);
  info_.err = jpeg_std_error(&errors_.base);
  errors_.base.error_exit = &OnError;
  errors_.owner = this;
  if (setjmp(jump_) != 0) return;  // no memory for libjpeg's first tables: Encode says so
  jpeg_create_compress(&info_);
  created_ = true;
  destination_.base.init_destination = &Begin;
  destination_.base.empty_output_buffer = &Grow;
  destination_.base.term_destination = &End;
  destination_.owner = this;
  info_.dest = &destination_.base;
}

JpegEncoder::~JpegEncoder() {
  jpeg_destroy_compress(&info_);
}

void JpegEncoder::OnError(j_common_ptr info) {
  JpegEncoder& self = *reinterpret_cast<Errors*>(info->err)->owner;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  self.message_ = text;
  std::longjmp(self.jump_, 1);
}

void JpegEncoder::Begin(j_compress_ptr info) {
  JpegEncoder& self = *reinterpret_cast<Destination*>(info->dest)->owner;
  info->dest->next_output_byte = self.bytes_.data();
  info->dest->free_in_buffer = self.bytes_.size();
}

boolean JpegEncoder::Grow(j_compress_ptr info) {
  JpegEncoder& self = *reinterpret_cast<Destination*>(info->dest)->owner;
  const size_t full = self.bytes_.size();  // libjpeg asks when no byte is left, whatever its counters say
  bool grown = true;
  try {
    self.bytes_.resize(full * 2);
  } catch (const std::bad_alloc&) {  // must not pass through libjpeg
    grown = false;
  }
  if (!grown) ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
  info->dest->next_output_byte = self.bytes_.data() + full;
  info->dest->free_in_buffer = full;
  return TRUE;
}

void JpegEncoder::End(j_compress_ptr info) {
  JpegEncoder& self = *reinterpret_cast<Destination*>(info->dest)->owner;
  self.used_ = self.bytes_.size() - info->dest->free_in_buffer;
}

void JpegEncoder::WriteMetadata() {
  const auto write = [this](int marker, const std::vector<uint8_t>& block) {
    if (!block.empty()) jpeg_write_marker(&info_, marker, block.data(), static_cast<unsigned>(block.size()));
  };
  write(JPEG_APP0 + 1, metadata_.exif);
  write(JPEG_APP0 + 1, metadata_.xmp);
  write(JPEG_APP0 + 13, metadata_.iptc);
  if (metadata_.profile.empty()) return;
  jpeg_write_icc_profile(&info_, metadata_.profile.data(), static_cast<unsigned>(metadata_.profile.size()));
}

void JpegEncoder::Compress(std::span<const uint8_t* const> rows) {
  info_.image_width = static_cast<JDIMENSION>(layout_.width);
  info_.image_height = static_cast<JDIMENSION>(layout_.height);
  info_.input_components = layout_.bands;
  info_.in_color_space = layout_.bands == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info_);
  jpeg_set_quality(&info_, quality_, TRUE);
  if (layout_.bands == 3 && full_chroma_) {
    info_.comp_info[0].h_samp_factor = 1;
    info_.comp_info[0].v_samp_factor = 1;
  }
  jpeg_start_compress(&info_, TRUE);
  WriteMetadata();
  while (info_.next_scanline < info_.image_height) {
    // libjpeg takes rows to change for historical reasons; it does not change them.
    auto** from = const_cast<JSAMPROW*>(reinterpret_cast<const JSAMPLE* const*>(rows.data()));
    jpeg_write_scanlines(&info_, from + info_.next_scanline, info_.image_height - info_.next_scanline);
  }
  jpeg_finish_compress(&info_);
}

Result<std::span<const uint8_t>> JpegEncoder::Encode(std::span<const uint8_t* const> rows) {
  if (!created_ || setjmp(jump_) != 0) {  // nothing on the stack in between needs destruction
    if (created_) jpeg_abort_compress(&info_);
    const bool memory = info_.err->msg_code == JERR_OUT_OF_MEMORY;
    return Error{Stage::kEncode, memory ? Code::kOutOfMemory : Code::kWriteError, "libjpeg: " + message_};
  }
  Compress(rows);
  return std::span<const uint8_t>(bytes_.data(), used_);
}

}  // namespace imgmill
