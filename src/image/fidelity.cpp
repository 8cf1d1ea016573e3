// One number for all formats, so that "which is less compressed" has no cycles: lossless above lossy;
// lossless by the bits of a sample; lossy by JPEG's scale of quality, on which the formats without one have a
// fixed place.
#include "fidelity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "dds_header.h"
#include "image/heif/heif_image.h"
#include "image/tiff/tiff_directory.h"
#include "jxl_header.h"
#include "stored_number.h"

namespace imgmill {
namespace {

/// What encoders of lossy WebP, HEIC, AVIF, JPEG 2000 and JPEG XL do unless told otherwise looks about like a
/// JPEG of quality 75; their headers do not say more. Between two steps, so that they never tie with a JPEG.
constexpr double kOtherLossyQuality = 74.5;

/// ITU-T T.81, table K.1: the luminance table of quality 50 on libjpeg's scale; in all, in any order.
constexpr int kSumOfLuminance50 = 3688;

/// libjpeg's quality whose luminance table has the sum of this one: that very number from 20 on for files of
/// libjpeg and those who take its tables (below, steps that were cut off at 255 make it too high, in the
/// right order still), and near to what is seen for the tables of other encoders.
double QualityOf(const JQUANT_TBL& table) {
  int sum = 0;
  for (const UINT16 step : table.quantval) sum += step;
  if (sum <= DCTSIZE2) return 100;  // every step is 1, the least there is
  const double percent = 100.0 * sum / kSumOfLuminance50;
  return std::clamp(percent <= 100 ? (200 - percent) / 2 : 5000 / percent, 1.0, 100.0);
}

/// RIFF container of WebP (developers.google.com/speed/webp/docs/riff_container): is the first image a
/// "VP8L"?
bool IsLosslessWebp(const InputFile& file) {
  constexpr int kMostChunks = 64;  // an image comes after profile and frame headers at the latest
  uint64_t at = 12;
  for (int i = 0; i < kMostChunks; ++i) {
    unsigned char chunk[8];
    if (!file.ReadExactly(at, chunk, sizeof chunk)) return false;
    if (std::memcmp(chunk, "VP8L", 4) == 0) return true;
    if (std::memcmp(chunk, "VP8 ", 4) == 0) return false;
    const uint64_t length = LittleEndian(chunk + 4, 4);
    // The chunks of an animation's first frame lie inside "ANMF", behind 16 bytes of its own.
    at += 8 + (std::memcmp(chunk, "ANMF", 4) == 0 ? 16 : length + (length & 1));
  }
  return false;
}

/// Compression 6 and 7 are JPEG, the others that libtiff reads are lossless but for those that few files
/// have.
bool IsLosslessTiff(const InputFile& file) {
  const std::optional<TiffDirectory> directory = ReadTiffDirectory(file);
  if (!directory) return true;
  constexpr std::array<uint64_t, 7> kLossy = {6, 7, 33003, 33005, 34712, 34887, 50001};
  const uint64_t compression = directory->Value(kTiffCompression).value_or(1);
  return std::find(kLossy.begin(), kLossy.end(), compression) == kLossy.end();
}

/// The wavelet of a JPEG 2000's COD marker (ISO 15444-1, A.6.1): only the 5-3 one can be taken back.
bool IsReversibleJpeg2000(const InputFile& file) {
  std::vector<unsigned char> head(size_t{64} << 10);
  const ptrdiff_t got = file.ReadAt(0, head.data(), head.size());
  if (got <= 0) return false;
  const unsigned char start[] = {0xFF, 0x4F, 0xFF, 0x51};
  const auto end = head.begin() + got;
  auto at = std::search(head.begin(), end, std::begin(start), std::end(start));
  if (at == end) return false;
  at += 2;  // SOC has no length
  while (end - at >= 14 && at[0] == 0xFF) {
    if (at[1] == 0x52) return at[13] == 1;
    if (at[1] == 0x90) return false;  // tiles begin, and there was none
    const ptrdiff_t length = at[2] << 8 | at[3];
    if (length < 2 || end - at < length + 2) return false;
    at += length + 2;
  }
  return false;
}

bool IsLossless(ImageFormat format, const InputFile& file) {
  if (format == ImageFormat::kWebp) return IsLosslessWebp(file);
  if (format == ImageFormat::kTiff) return IsLosslessTiff(file);
  if (format == ImageFormat::kJp2k) return IsReversibleJpeg2000(file);
  if (format == ImageFormat::kHeif) return IsLosslessHeif(file);
  if (format == ImageFormat::kJxl) return IsLosslessJxl(file);
  if (format == ImageFormat::kDds) return IsUncompressedDds(file);
  return FactsOf(format).compression == Compression::kLossless;
}

}  // namespace

uint32_t FidelityOfJpeg(const ImageHeader& header, const jpeg_decompress_struct& info) {
  const int number = info.comp_info[0].quant_tbl_no;
  const bool has_table = number >= 0 && number < NUM_QUANT_TBLS && info.quant_tbl_ptrs[number] != nullptr;
  // Without one it cannot be decoded anyway.
  const double quality = has_table ? QualityOf(*info.quant_tbl_ptrs[number]) : 1;
  return LossyFidelity(std::round(quality), header.samples_per_pixel);
}

uint32_t FidelityOf(const ImageHeader& header, const InputFile& file) {
  if (!IsLossless(header.format, file)) return LossyFidelity(kOtherLossyQuality, 1);
  return LosslessFidelity(8 * static_cast<int>(BytesPerSample(header.sample)),
                          header.has_alpha || header.cmyk);
}

}  // namespace imgmill
