// libjpeg-turbo used in the plainest way: what JPEG files are to be read like, and a writer of all their
// kinds.
#pragma once

#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/jpeg/jpeg_dc_plane.h"

namespace imgmill::image_test {

/// How libjpeg ends a call that fails: errors_of(info) leaves by longjmp.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  bool harm = false;  ///< a warning that means lost data

  JpegErrors() {
    jpeg_std_error(&base);
    base.error_exit = [](j_common_ptr info) {
      std::longjmp(reinterpret_cast<JpegErrors*>(info->err)->jump, 1);
    };
    base.emit_message = [](j_common_ptr info, int level) {
      auto& errors = *reinterpret_cast<JpegErrors*>(info->err);
      const int code = errors.base.msg_code;
      if (level < 0 && code != JWRN_NOT_SEQUENTIAL && code != JWRN_JFIF_MAJOR && code != JWRN_ADOBE_XFORM &&
          code != JWRN_BOGUS_ICC)
        errors.harm = true;
    };
  }
};

/// The file decoded to grey at 1/8, row after row; nothing where libjpeg fails, or warns of lost data.
inline std::optional<std::vector<uint8_t>> PlainGreyEighth(std::span<const uint8_t> file) {
  std::vector<uint8_t> rows;
  JpegErrors errors;
  jpeg_decompress_struct info{};
  info.err = &errors.base;
  if (setjmp(errors.jump) != 0) {
    jpeg_destroy_decompress(&info);
    return std::nullopt;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, file.data(), file.size());
  jpeg_read_header(&info, TRUE);
  errors.harm = false;  // before the data, bytes are passed over that are none of the picture's
  info.out_color_space = JCS_GRAYSCALE;
  info.scale_num = 1;
  info.scale_denom = 8;
  jpeg_start_decompress(&info);
  rows.resize(size_t{info.output_width} * info.output_height);
  while (info.output_scanline < info.output_height) {
    uint8_t* row = rows.data() + size_t{info.output_scanline} * info.output_width;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  if (errors.harm) return std::nullopt;
  return rows;
}

/// ReadJpegDcPlane of the file, whose headers are read as JpegDecoder does.
inline std::optional<PoolArray<uint8_t>> DcPlaneOf(const std::string& path, std::span<const uint8_t> bytes) {
  const Result<InputFile> file = InputFile::Open(path, Stage::kDecode);
  if (!file) return std::nullopt;
  std::optional<PoolArray<uint8_t>> plane;
  JpegErrors errors;
  jpeg_decompress_struct info{};
  info.err = &errors.base;
  if (setjmp(errors.jump) == 0) {
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes.data(), bytes.size());
    jpeg_read_header(&info, TRUE);
    // No more pixels than libjpeg is to be asked for.
    if (int64_t{info.image_width} * info.image_height <= (int64_t{1} << 28))
      plane = ReadJpegDcPlane(info, *file, static_cast<int64_t>(bytes.size() - info.src->bytes_in_buffer));
  }
  jpeg_destroy_decompress(&info);
  return plane;
}

/// How a JPEG is written.
struct JpegKind {
  int width = 0, height = 0;
  int bands = 3;
  int quality = 90;
  int luma_across = 2, luma_down = 2;
  int restart = 0;  ///< units
  bool optimal = false;
  bool progressive = false;
  bool scan_each = false;  ///< sequential, but with a scan for each band
};

/// A JPEG of these RGB or grey pixels.
inline std::string PlainJpeg(const JpegKind& kind, std::span<const uint8_t> pixels) {
  JpegErrors errors;
  jpeg_compress_struct info{};
  info.err = &errors.base;
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  if (setjmp(errors.jump) != 0) std::abort();
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(kind.width);
  info.image_height = static_cast<JDIMENSION>(kind.height);
  info.input_components = kind.bands;
  info.in_color_space = kind.bands == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, kind.quality, TRUE);
  info.comp_info[0].h_samp_factor = kind.luma_across;
  info.comp_info[0].v_samp_factor = kind.luma_down;
  info.restart_interval = static_cast<unsigned>(kind.restart);
  info.optimize_coding = kind.optimal ? TRUE : FALSE;
  if (kind.progressive) jpeg_simple_progression(&info);
  std::array<jpeg_scan_info, 3> scans{};
  if (kind.scan_each) {
    for (int band = 0; band < kind.bands; ++band) scans[static_cast<size_t>(band)] = {1, {band}, 0, 63, 0, 0};
    info.scan_info = scans.data();
    info.num_scans = kind.bands;
  }
  jpeg_start_compress(&info, TRUE);
  const size_t row_bytes = static_cast<size_t>(kind.width) * static_cast<size_t>(kind.bands);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<uint8_t*>(pixels.data() + info.next_scanline * row_bytes);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string file(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return file;
}

}  // namespace imgmill::image_test
