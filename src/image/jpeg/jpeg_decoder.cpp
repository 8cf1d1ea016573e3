// Drives libjpeg-turbo: a source over pread, errors by longjmp turned into values, and warnings (which
// libjpeg would print and forget) turned into a statement of where the data stops making sense.
#include "jpeg_decoder.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/try.h"
#include "image/exif.h"
#include "image/missing_end.h"
#include "jpeg_dc_plane.h"
#include "jpeg_markers.h"

namespace imgmill {
namespace {

// One read brings a header with its markers, or a good part of a scan. Small enough to probe quickly.
constexpr size_t kInputBytes = size_t{32} << 10;

// A progressive file of a few bytes may ask for thousands of passes over all coefficients. Encoders write
// some 10 to 20 scans; a hundred empty ones take as long as decoding does anyway.
constexpr int kMostScans = 100;

// Bytes behind the last row's data that say nothing: some encoders leave a few.
constexpr int64_t kStray = 64;

// Bytes that libjpeg-turbo has in its bit buffer at most when the last block is done; it counts them neither
// as used nor as left over.
constexpr int64_t kReadAhead = 8;

// Zeros that the last blocks' codes may end in.
constexpr int64_t kFewZeros = 16;

// Whether a warning leaves every sample as it was meant. All that libjpeg-turbo 2.1 has, and why:
bool Harmless(const jpeg_error_mgr& errors) {
  switch (errors.msg_code) {
    case JWRN_JFIF_MAJOR:     // a revision number, which changes nothing
    case JWRN_ADOBE_XFORM:    // an unknown transform: YCbCr and YCCK are assumed, as every reader does
    case JWRN_TOO_MUCH_DATA:  // more rows asked for than there are
    case JWRN_BOGUS_ICC:      // the profile's parts do not add up: it is left out, rows are not
      return true;
    // SOS of a sequential file names a part of the coefficients (phones write 0,0,0 for 0,63,0). Such a file
    // has no parts: the numbers mean nothing and all coefficients follow.
    case JWRN_NOT_SEQUENTIAL:
      return true;
    // Bytes left over before a marker. Behind the last scan NoteLeftOver judges them. Before a restart marker
    // or another scan they may be the only sign that the part before them was garbled.
    case JWRN_EXTRANEOUS_DATA:
      return errors.msg_parm.i[1] == JPEG_EOI;
    case JWRN_BOGUS_PROGRESSION:  // a scan that refines what has not come, or is missing: numbers are wrong
    case JWRN_ARITH_BAD_CODE:     // the rest of the scan, or of the part up to a restart, is lost
    case JWRN_HUFF_BAD_CODE:
    case JWRN_HIT_MARKER:   // the data of a scan ends early: zeros are put in
    case JWRN_MUST_RESYNC:  // parts between restart markers are missing
    case JWRN_JPEG_EOF:     // of libjpeg's own source, which is not used here
    default:
      return false;
  }
}

// Whether many zero bits can be the codes of real blocks. The first code of a Huffman table is all zeros
// (T.81, C.2): where that of the AC tables is "end of block", flat parts are written in zeros. Where it is a
// coefficient, zeros are the same negative one again and again, which no image has.
bool ZerosMayBeFlat(const jpeg_decompress_struct& info) {
  if (info.progressive_mode != 0) return true;
  for (int i = 0; i < info.comps_in_scan; ++i) {
    const JHUFF_TBL* table = info.ac_huff_tbl_ptrs[info.cur_comp_info[i]->ac_tbl_no];
    if (table == nullptr || table->huffval[0] != 0) return false;
  }
  return true;
}

// Whether a progressive file ended before every coefficient had all its bits.
bool LacksScans(const jpeg_decompress_struct& info) {
  if (info.progressive_mode == 0 || info.coef_bits == nullptr) return false;
  for (int i = 0; i < info.num_components; ++i) {
    if (std::any_of(info.coef_bits[i], info.coef_bits[i] + DCTSIZE2, [](int bits) { return bits != 0; }))
      return true;
  }
  return false;
}

}  // namespace

JpegDecoder::JpegDecoder(InputFile file, Stage stage) : file_(std::move(file)), stage_(stage) {
  input_.resize(kInputBytes);
  info_.err = jpeg_std_error(&errors_.base);
  errors_.owner = this;
  errors_.base.error_exit = &OnError;
  errors_.base.emit_message = &OnMessage;
  errors_.base.output_message = [](j_common_ptr) {};
  progress_.owner = this;
  progress_.base.progress_monitor = &OnProgress;
}

JpegDecoder::~JpegDecoder() {
  jpeg_destroy_decompress(&info_);
}

Result<std::unique_ptr<JpegDecoder>> JpegDecoder::Open(InputFile file, Stage stage) {
  std::unique_ptr<JpegDecoder> decoder(new JpegDecoder(std::move(file), stage));
  JpegDecoder& d = *decoder;
  const bool ok = d.Protected([&d] {
    jpeg_create_decompress(&d.info_);
    d.source_.owner = &d;
    d.source_.base.init_source = [](j_decompress_ptr) {};
    d.source_.base.fill_input_buffer = &Fill;
    d.source_.base.skip_input_data = &Skip;
    d.source_.base.resync_to_restart = &jpeg_resync_to_restart;
    d.source_.base.term_source = [](j_decompress_ptr) {};
    d.info_.src = &d.source_.base;
    d.info_.progress = &d.progress_.base;
    KeepUsedMarkers(d.info_);
    jpeg_read_header(&d.info_, TRUE);
  });
  if (!ok) return d.Failure();
  return decoder;
}

std::span<const uint8_t> JpegDecoder::exif() const {
  for (jpeg_saved_marker_ptr marker = info_.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->marker != JPEG_APP0 + 1) continue;
    if (marker->data_length > 6 && std::memcmp(marker->data, "Exif\0\0", 6) == 0) {
      return {marker->data + 6, marker->data_length - 6};
    }
  }
  return {};
}

int JpegDecoder::orientation() const {
  const std::span<const uint8_t> block = exif();
  return ExifOrientation(block.data(), block.size());
}

std::vector<uint8_t> JpegDecoder::IccProfile() {
  JOCTET* data = nullptr;
  unsigned bytes = 0;
  if (!Protected([&] { jpeg_read_icc_profile(&info_, &data, &bytes); }) || data == nullptr) return {};
  std::vector<uint8_t> profile(data, data + bytes);
  std::free(data);
  return profile;
}

Status JpegDecoder::Start(J_COLOR_SPACE space, int shrink, bool lenient) {
  lenient_ = lenient;
  info_.out_color_space = space;
  info_.scale_num = 1;
  info_.scale_denom = static_cast<unsigned>(shrink);
  info_.dct_method = JDCT_ISLOW;
  info_.do_fancy_upsampling = TRUE;
  if (space == JCS_GRAYSCALE && shrink == DCTSIZE && info_.buffered_image == 0) {
    dc_plane_ = ReadJpegDcPlane(info_, file_, offset());
    if (dc_plane_) return Protected([this] { jpeg_calc_output_dimensions(&info_); }) ? Status() : Failure();
  }
  in_scan_ = true;
  // A progressive file is read to its end here, so its damage shows here.
  if (!Protected([this] { jpeg_start_decompress(&info_); })) return Failure();
  if (info_.buffered_image == 0 && jpeg_has_multiple_scans(&info_) != 0 && reached_end_ && damage_.empty()) {
    damage_code_ = Code::kTruncated;
    damage_ = "JPEG data ends before the last of its scans";
  }
  if (jpeg_has_multiple_scans(&info_) != 0) NoteLeftOver(ZerosMayBeFlat(info_));
  if (!damage_.empty() && !lenient_) return Damaged();
  return {};
}

Status JpegDecoder::StartFirstScan(J_COLOR_SPACE space, int shrink) {
  info_.buffered_image = TRUE;
  info_.do_block_smoothing = FALSE;
  TRY(Start(space, shrink, /*lenient=*/true));
  if (!Protected([this] { jpeg_start_output(&info_, 1); })) return Failure();
  return {};
}

void JpegDecoder::Copy(int64_t rows, uint8_t* destination, size_t stride) {
  const auto width = static_cast<size_t>(info_.output_width);
  for (int64_t i = 0; i < rows; ++i, ++copied_rows_) {
    const uint8_t* row = dc_plane_->data() + static_cast<size_t>(copied_rows_) * width;
    std::memcpy(destination + static_cast<size_t>(i) * stride, row, width);
  }
}

Status JpegDecoder::Read(int64_t rows, uint8_t* destination, size_t stride) {
  const Error beyond = {stage_, Code::kInternal, "rows beyond the end of a JPEG were asked for"};
  if (dc_plane_) {
    if (rows > info_.output_height - copied_rows_) return beyond;
    Copy(rows, destination, stride);
    return {};
  }
  constexpr int kAtOnce = 16;
  JSAMPROW pointers[kAtOnce];
  int64_t done = 0;
  while (done < rows) {
    const int64_t now = std::min<int64_t>(kAtOnce, rows - done);
    for (int64_t i = 0; i < now; ++i) pointers[i] = destination + static_cast<size_t>(done + i) * stride;
    JDIMENSION got = 0;
    if (!Protected([&] { got = jpeg_read_scanlines(&info_, pointers, static_cast<JDIMENSION>(now)); })) {
      return Failure();
    }
    if (got == 0) return beyond;
    if (info_.output_scanline == info_.output_height) {
      in_scan_ = false;  // no marker behind the last row takes anything away
      const bool single = jpeg_has_multiple_scans(&info_) == 0;  // else it was asked at the start
      const bool flat_zeros = single && ZerosMayBeFlat(info_);
      if (Protected([&] { jpeg_finish_decompress(&info_); }) && single) NoteLeftOver(flat_zeros);
    }
    if (!damage_.empty() && !lenient_) return Damaged();
    done += got;
  }
  return {};
}

void JpegDecoder::Finish() {
  (void)Protected([this] { jpeg_abort_decompress(&info_); });
}

int64_t JpegDecoder::RowReached() const {
  const int64_t row = static_cast<int64_t>(info_.input_iMCU_row) * info_.max_v_samp_factor * DCTSIZE;
  return std::min<int64_t>(row, info_.image_height);
}

void JpegDecoder::NoteDamage(int message_code) {
  if (!damage_.empty()) return;
  const std::string where =
      progressive() ? "in scan " + std::to_string(info_.input_scan_number)
                    : "at row " + std::to_string(RowReached()) + " of " + std::to_string(info_.image_height);
  if (reached_end_ || message_code == JWRN_JPEG_EOF) {
    damage_code_ = Code::kTruncated;
    damage_ = "JPEG data ends " + where;
    if (info_.input_scan_number <= 1) rows_before_end_ = RowReached();
    return;
  }
  char text[JMSG_LENGTH_MAX] = {};
  errors_.base.format_message(reinterpret_cast<j_common_ptr>(&info_), text);
  damage_code_ = Code::kMalformed;
  damage_ = "JPEG data is garbled " + where + ": " + text;
}

// Where a part of the data was lost, or is zeros that were never written, the rest may decode as whole blocks
// all the same: then data is left over when the last row is done. Zeros that come before an end marker are
// padding, if all rows were done before them.
void JpegDecoder::NoteLeftOver(bool flat_zeros) {
  if (!damage_.empty()) return;
  const std::string bytes = std::to_string(left_over_) + " bytes of it are left over after the last row";
  if (reached_end_) {
    if (left_over_ <= kStray) return;
    damage_code_ = Code::kTruncated;
    damage_ = "JPEG data has no end: " + bytes;
    return;
  }
  constexpr int64_t kMarker = 2;
  const int64_t end = offset() - kMarker;
  unsigned char marker[kMarker] = {};
  if (end < 0 || !file_.ReadExactly(static_cast<uint64_t>(end), marker, kMarker) || marker[0] != 0xFF ||
      marker[1] != JPEG_EOI) {
    return;
  }
  const auto zeros =
      static_cast<int64_t>(ZerosAtEnd(file_, 0, static_cast<uint64_t>(end), static_cast<uint64_t>(end)));
  if (left_over_ > zeros + kStray && TellingBytes(end - left_over_, end) > kStray) {
    damage_code_ = Code::kMalformed;
    damage_ = "JPEG data is garbled: " + bytes;
    return;
  }
  // An arithmetic coder leaves zeros at the end out, and its decoder puts them in.
  const int64_t taken = zeros - left_over_ - kReadAhead;
  const bool taken_for_rows = taken > kFewZeros && left_over_ > kStray;
  const bool no_such_rows = taken > kStray && !flat_zeros;
  const bool instead_of_scans = left_over_ > kStray && LacksScans(info_);
  if (!instead_of_scans && (info_.arith_code != 0 || (!taken_for_rows && !no_such_rows))) return;
  damage_code_ = Code::kTruncated;
  damage_ = "JPEG data ends in " + std::to_string(zeros) + " zeros, where " +
            (instead_of_scans ? "scans" : "rows") + " are missing";
}

int64_t JpegDecoder::TellingBytes(int64_t from, int64_t end) const {
  int64_t telling = 0;
  std::vector<uint8_t> piece(kInputBytes);
  for (int64_t at = std::max<int64_t>(0, from); at < end;) {
    const auto wanted = static_cast<size_t>(std::min<int64_t>(end - at, kInputBytes));
    const ptrdiff_t got = file_.ReadAt(at, piece.data(), wanted);
    if (got <= 0) break;
    telling += got - std::count(piece.begin(), piece.begin() + got, 0);
    at += got;
  }
  return telling;
}

Error JpegDecoder::Damaged() const {
  return {stage_, damage_code_, damage_ + kAllowTruncated};
}

Error JpegDecoder::Failure() const {
  if (read_errno_ != 0) return ReadErrorFromErrno(stage_, read_errno_);
  if (too_many_scans_) {
    return {stage_, Code::kLimitExceeded,
            "more than " + std::to_string(kMostScans) + " scans: such a file is made to waste time"};
  }
  if (message_code_ == JERR_OUT_OF_MEMORY) return {stage_, Code::kOutOfMemory, "JPEG decoder: " + message_};
  if (reached_end_) {
    if (in_scan_) return {stage_, Code::kTruncated, damage_.empty() ? "JPEG data ends early" : damage_};
    return {stage_, Code::kTruncated, "the file ends inside the JPEG header"};
  }
  switch (message_code_) {
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
      return {stage_, Code::kUnsupported, "this kind of JPEG: " + message_};
    default:
      return {stage_, Code::kMalformed, "broken JPEG: " + message_};
  }
}

void JpegDecoder::OnError(j_common_ptr info) {
  JpegDecoder& d = *reinterpret_cast<Errors*>(info->err)->owner;
  char text[JMSG_LENGTH_MAX] = {};
  d.errors_.base.format_message(info, text);
  d.message_.assign(text);
  d.message_code_ = d.errors_.base.msg_code;
  std::longjmp(d.jump_, 1);
}

void JpegDecoder::OnMessage(j_common_ptr info, int level) {
  JpegDecoder& d = *reinterpret_cast<Errors*>(info->err)->owner;
  if (d.errors_.base.msg_code == JWRN_EXTRANEOUS_DATA && d.errors_.base.msg_parm.i[1] == JPEG_EOI)
    d.left_over_ = d.errors_.base.msg_parm.i[0];
  if (level < 0 && d.in_scan_ && !Harmless(d.errors_.base)) d.NoteDamage(d.errors_.base.msg_code);
}

void JpegDecoder::OnProgress(j_common_ptr info) {
  JpegDecoder& d = *reinterpret_cast<Progress*>(info->progress)->owner;
  if (d.info_.input_scan_number <= kMostScans) return;
  d.too_many_scans_ = true;
  d.message_.assign("too many scans");
  std::longjmp(d.jump_, 1);
}

boolean JpegDecoder::Fill(j_decompress_ptr info) {
  JpegDecoder& d = *reinterpret_cast<Source*>(info->src)->owner;
  const ptrdiff_t got = d.file_.ReadAt(d.offset_, d.input_.data(), d.input_.size());
  if (got < 0) {
    d.read_errno_ = errno;
    std::longjmp(d.jump_, 1);
  }
  d.source_.base.next_input_byte = d.input_.data();
  d.source_.base.bytes_in_buffer = static_cast<size_t>(got);
  d.offset_ += got;
  if (got > 0) return TRUE;
  // libjpeg then fills up what it has begun; whether anything is missing, its warnings tell.
  d.reached_end_ = true;
  d.input_[0] = 0xFF;
  d.input_[1] = JPEG_EOI;
  d.source_.base.bytes_in_buffer = 2;
  return TRUE;
}

void JpegDecoder::Skip(j_decompress_ptr info, long bytes) {
  if (bytes <= 0) return;
  JpegDecoder& d = *reinterpret_cast<Source*>(info->src)->owner;
  const size_t wanted = static_cast<size_t>(bytes);
  const size_t here = std::min(wanted, d.source_.base.bytes_in_buffer);
  d.source_.base.next_input_byte += here;
  d.source_.base.bytes_in_buffer -= here;
  d.offset_ += static_cast<int64_t>(wanted - here);
}

}  // namespace imgmill
