// libjpeg-turbo behind an interface of values: header, markers and rows of one JPEG file, and where exactly
// its data stops making sense.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/open_file.h"
#include "imgmill/base/result.h"
#include "imgmill/memory/pool_array.h"
#include "jpeg_api.h"

namespace imgmill {

/// One JPEG file being decoded. Not thread-safe, but may move between threads.
class JpegDecoder {
 public:
  /// Reads up to the first scan's header, and keeps what is used of the markers before it.
  /// Errors: kTruncated, kMalformed, kUnsupported, kReadError.
  static Result<std::unique_ptr<JpegDecoder>> Open(InputFile file, Stage stage);
  ~JpegDecoder();
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  const jpeg_decompress_struct& info() const { return info_; }
  /// Where the next byte that is read lies in the file: behind Open, where the first scan's data begin.
  int64_t offset() const { return offset_ - static_cast<int64_t>(source_.base.bytes_in_buffer); }
  bool progressive() const { return info_.progressive_mode != 0; }
  /// The first EXIF block, without "Exif" before it; empty without one.
  std::span<const uint8_t> exif() const;
  /// EXIF orientation, 1 to 8.
  int orientation() const;
  /// The embedded ICC profile, or nothing.
  std::vector<uint8_t> IccProfile();

  /// Starts decoding to `space` at 1/`shrink` of the size (1, 2, 4 or 8, in the DCT domain). Accurate integer
  /// DCT and smooth chroma upsampling, as Pillow decodes. Grey at 1/8 is read here, without libjpeg where the
  /// file is an ordinary one (ReadJpegDcPlane). With `lenient`, what cannot be read is left grey
  /// and `damage()` says so; without, it is an error.
  Status Start(J_COLOR_SPACE space, int shrink, bool lenient);
  /// Starts decoding a progressive file's first scan only, read no further than the rows that are asked for.
  /// What cannot be read is left grey.
  Status StartFirstScan(J_COLOR_SPACE space, int shrink);
  /// The next rows, `stride` bytes apart.
  Status Read(int64_t rows, uint8_t* destination, size_t stride);
  /// After the last row: looks at what follows it.
  void Finish();
  /// What was wrong with the data read so far, in words; empty when all is well.
  const std::string& damage() const { return damage_; }
  /// Rows from the top, of the image at its full size, that came before the file's end; nothing where that is
  /// not what is wrong, or a later scan was cut, which makes all rows coarse.
  std::optional<int64_t> rows_before_end() const { return rows_before_end_; }
  /// The damage as an error.
  Error Damaged() const;

 private:
  struct Source {
    jpeg_source_mgr base;  // first: libjpeg hands a pointer to it back
    JpegDecoder* owner;
  };
  struct Errors {
    jpeg_error_mgr base;
    JpegDecoder* owner;
  };
  struct Progress {
    jpeg_progress_mgr base;
    JpegDecoder* owner;
  };

  JpegDecoder(InputFile file, Stage stage);
  // Runs a call of libjpeg. False: it gave up, and error_ says why. The call must own nothing that needs
  // destruction, since libjpeg leaves it by longjmp.
  template <typename Call>
  bool Protected(Call&& call) {
    if (setjmp(jump_) != 0) return false;
    call();
    return true;
  }
  // Rows from `dc_plane_`.
  void Copy(int64_t rows, uint8_t* destination, size_t stride);
  Error Failure() const;
  void NoteDamage(int message_code);
  // After the end marker was read. `flat_zeros`: whether the last scan's tables allow flat parts in zeros.
  void NoteLeftOver(bool flat_zeros);
  // Bytes that are not zero.
  int64_t TellingBytes(int64_t from, int64_t end) const;
  int64_t RowReached() const;
  [[noreturn]] static void OnError(j_common_ptr info);
  static void OnMessage(j_common_ptr info, int level);
  static void OnProgress(j_common_ptr info);
  static boolean Fill(j_decompress_ptr info);
  static void Skip(j_decompress_ptr info, long bytes);

  InputFile file_;
  Stage stage_;
  jpeg_decompress_struct info_{};
  Source source_{};
  Errors errors_{};
  Progress progress_{};
  std::jmp_buf jump_{};
  std::vector<uint8_t> input_;
  int64_t offset_ = 0;  // of the next byte to read
  std::optional<int64_t> rows_before_end_;
  bool in_scan_ = false;      // rows are being decoded: damage counts
  int64_t left_over_ = 0;     // bytes between the last row's data and the end marker
  bool reached_end_ = false;  // bytes were wanted beyond the end of the file
  int read_errno_ = 0;
  bool too_many_scans_ = false;
  bool lenient_ = false;
  std::optional<PoolArray<uint8_t>> dc_plane_;  // all rows, where libjpeg does not read them
  int64_t copied_rows_ = 0;
  std::string message_;  // of the last libjpeg error
  int message_code_ = 0;
  std::string damage_;
  Code damage_code_ = Code::kMalformed;
};

}  // namespace imgmill
