// One band of strips or tiles at a time, or single rows where strips hold all channels, made into the samples
// that libvips has a type for.
#include "tiff_samples.h"

#include <fcntl.h>
#include <tiffio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "image/full_range.h"
#include "imgmill/base/half.h"
#include "tiff_directory.h"

namespace imgmill {
namespace {

constexpr uint64_t kUnsigned = 1;
constexpr uint64_t kFloat = 3;
constexpr uint64_t kMostBlock = uint64_t{1} << 31;
constexpr uint64_t kMinIsBlack = 1;
constexpr uint64_t kRgb = 2;

/// Whether samples do not begin with a byte each, and libvips has no reader for them: it has one for those of
/// 1, 2 and 4 bits.
bool ArePacked(const TiffFacts& facts) {
  return facts.format == kUnsigned && facts.bits >= 3 && facts.bits <= 15 && facts.bits != 4 &&
         facts.bits != 8;
}

/// Number `i` of those that lie bit by bit behind each other, the highest bit first whatever the order of
/// bytes (TIFF 6.0, section 7; libtiff has undone FillOrder).
uint32_t PackedNumber(const uint8_t* from, size_t i, size_t bits) {
  uint32_t value = 0;
  size_t bit = i * bits;
  for (size_t left = bits; left > 0;) {
    const size_t there = 8 - bit % 8;
    const size_t now = std::min(left, there);
    const uint32_t part = from[bit / 8] >> (there - now) & ((1U << now) - 1);
    value = value << now | part;
    bit += now;
    left -= now;
  }
  return value;
}

/// The file as libtiff wants it, with its own place in it.
struct TiffInput {
  InputFile file;
  uint64_t at = 0;
};

tmsize_t OnRead(thandle_t handle, void* to, tmsize_t bytes) {
  auto* input = static_cast<TiffInput*>(handle);
  const ptrdiff_t got = input->file.ReadAt(static_cast<int64_t>(input->at), to, static_cast<size_t>(bytes));
  if (got > 0) input->at += static_cast<uint64_t>(got);
  return got;
}
tmsize_t OnWrite(thandle_t, void*, tmsize_t) {
  return 0;
}
toff_t OnSeek(thandle_t handle, toff_t offset, int whence) {
  auto* input = static_cast<TiffInput*>(handle);
  const uint64_t from = whence == SEEK_SET   ? 0
                        : whence == SEEK_CUR ? input->at
                                             : static_cast<uint64_t>(input->file.bytes());
  constexpr uint64_t kFarthest = uint64_t{1} << 62;
  if (from + offset > kFarthest) return static_cast<toff_t>(-1);
  return input->at = from + offset;
}
int OnClose(thandle_t) {
  return 0;
}
toff_t OnSize(thandle_t handle) {
  return static_cast<toff_t>(static_cast<TiffInput*>(handle)->file.bytes());
}
int OnError(TIFF*, void*, const char* module, const char* format, va_list values) {
  vips_verror(module, format, values);
  return 1;
}
int OnWarning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

/// Rows of the first directory.
class TiffSamples {
 public:
  TiffSamples(InputFile file, const TiffFacts& facts, bool lenient)
      : input_{std::move(file)}, facts_(facts), lenient_(lenient) {
    const std::optional<TiffRoles> roles = TiffRolesOf(facts);
    const auto first_extra = static_cast<size_t>(facts.samples - facts.extra.size());
    if (roles && roles->alpha >= 0 &&
        facts.extra[static_cast<size_t>(roles->alpha) - first_extra] == kTiffExtraAssociated) {
      multiplied_by_ = roles->alpha;
    }
    if (ArePacked(facts)) ScalePacked();
  }
  ~TiffSamples() {
    if (tiff_ != nullptr) TIFFClose(tiff_);
  }
  TiffSamples(const TiffSamples&) = delete;
  TiffSamples& operator=(const TiffSamples&) = delete;

  bool Open() {
    TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
    if (options == nullptr) return false;
    TIFFOpenOptionsSetErrorHandlerExtR(options, &OnError, nullptr);
    TIFFOpenOptionsSetWarningHandlerExtR(options, &OnWarning, nullptr);
    // Not mapped; a single uncompressed strip is cut ("C"), as libvips has it.
    tiff_ = TIFFClientOpenExt("tiff", "rmC", &input_, &OnRead, &OnWrite, &OnSeek, &OnClose, &OnSize, nullptr,
                              nullptr, options);
    TIFFOpenOptionsFree(options);
    if (tiff_ == nullptr) return false;
    if (TIFFIsCODECConfigured(static_cast<uint16_t>(facts_.compression)) == 0) {
      vips_error("tiff", "compression %d is not supported", static_cast<int>(facts_.compression));
      return false;
    }
    uint32_t width = 0;
    uint32_t height = 0;
    uint16_t samples = 1;
    uint16_t bits = 1;
    TIFFGetField(tiff_, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff_, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_BITSPERSAMPLE, &bits);
    const bool tiled = TIFFIsTiled(tiff_) != 0;
    by_rows_ = !tiled && !facts_.separate;
    if (tiled) {
      TIFFGetField(tiff_, TIFFTAG_TILEWIDTH, &block_width_);
      TIFFGetField(tiff_, TIFFTAG_TILELENGTH, &block_rows_);
    } else {
      block_width_ = width;
      TIFFGetFieldDefaulted(tiff_, TIFFTAG_ROWSPERSTRIP, &block_rows_);
      block_rows_ = std::min(block_rows_, height);
    }
    block_bytes_ = by_rows_ ? TIFFScanlineSize64(tiff_)
                   : tiled  ? TIFFTileSize64(tiff_)
                            : TIFFStripSize64(tiff_);
    const uint64_t expected = TiffBlockRowBytes(facts_) * (by_rows_ ? 1 : block_rows_);
    if (width != facts_.width || height != facts_.height || samples != facts_.samples ||
        bits != facts_.bits || tiled != facts_.tiled || block_rows_ == 0 || block_width_ == 0 ||
        block_bytes_ == 0 || block_bytes_ >= kMostBlock || block_bytes_ < expected) {
      vips_error("tiff", "%s", "its directory does not add up");
      return false;
    }
    return true;
  }

  ImageRef Describe() const {
    ImageRef image(vips_image_new());
    const bool grey = facts_.samples - facts_.extra.size() < 3;
    const bool wide = OutBytes() == 2;
    const VipsInterpretation meaning = facts_.format == kFloat
                                           ? (grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_scRGB)
                                       : grey ? (wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W)
                                              : (wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
    vips_image_init_fields(image.get(), static_cast<int>(facts_.width), static_cast<int>(facts_.height),
                           static_cast<int>(facts_.samples),
                           facts_.format == kFloat ? VIPS_FORMAT_FLOAT
                           : wide                  ? VIPS_FORMAT_USHORT
                                                   : VIPS_FORMAT_UCHAR,
                           VIPS_CODING_NONE, meaning, 1, 1);
    vips_image_set_string(image.get(), VIPS_META_LOADER, "tiffload_source");
    uint16_t orientation = 1;
    TIFFGetFieldDefaulted(tiff_, TIFFTAG_ORIENTATION, &orientation);
    vips_image_set_int(image.get(), VIPS_META_ORIENTATION, orientation);
    if (TIFFLastDirectory(tiff_) == 0) vips_image_set_int(image.get(), VIPS_META_N_PAGES, 2);  // or more
    for (const auto& [tag, name] : {std::pair{TIFFTAG_ICCPROFILE, VIPS_META_ICC_NAME},
                                    std::pair{TIFFTAG_XMLPACKET, VIPS_META_XMP_NAME}}) {
      uint32_t bytes = 0;
      void* data = nullptr;
      if (TIFFGetField(tiff_, static_cast<uint32_t>(tag), &bytes, &data) != 0 && bytes > 0)
        vips_image_set_blob_copy(image.get(), name, data, bytes);
    }
    return image;
  }

  bool Row(uint64_t y, uint8_t* to) {
    if (band_rows_ == 0 || y < band_first_ || y >= band_first_ + band_rows_) {
      if (!ReadBand(y)) return false;
    }
    std::memcpy(to, &band_[(y - band_first_) * RowBytes()], RowBytes());
    if (multiplied_by_ >= 0) Divide(to);
    return true;
  }

 private:
  size_t OutBytes() const { return facts_.format == kFloat ? 4 : (facts_.bits + 7) / 8; }
  size_t RowBytes() const { return static_cast<size_t>(facts_.width * facts_.samples) * OutBytes(); }

  /// What each number of few bits becomes: white is white.
  void ScalePacked() {
    const uint32_t white = (1U << facts_.bits) - 1;
    const uint32_t full = facts_.bits < 8 ? 255 : 65535;
    for (uint32_t v = 0; v <= white; ++v) scaled_.push_back(OnFullRange(v, white, full));
  }

  void Convert(const uint8_t* from, size_t stored, uint8_t* to) const {
    if (!scaled_.empty()) {
      const uint16_t value = scaled_[PackedNumber(from, stored, static_cast<size_t>(facts_.bits))];
      if (OutBytes() == 2) std::memcpy(to, &value, sizeof value);
      if (OutBytes() == 1) *to = static_cast<uint8_t>(value);
      return;
    }
    if (facts_.format != kFloat || facts_.bits == 32) {
      std::memcpy(to, from + stored * OutBytes(), OutBytes());
      return;
    }
    float value = 0;
    if (facts_.bits == 16) {
      uint16_t half = 0;
      std::memcpy(&half, from + 2 * stored, sizeof half);
      value = FloatFromHalf(half);
    } else {
      double wide = 0;
      std::memcpy(&wide, from + 8 * stored, sizeof wide);
      value = static_cast<float>(wide);
    }
    std::memcpy(to, &value, sizeof value);
  }

  bool ReadBand(uint64_t y) {
    band_rows_ = 0;
    const uint64_t rows = by_rows_ ? 1 : block_rows_;
    band_first_ = y / rows * rows;
    const uint64_t here = std::min(rows, facts_.height - band_first_);
    raw_.resize(static_cast<size_t>(block_bytes_));
    band_.assign(static_cast<size_t>(std::min(rows, facts_.height)) * RowBytes(), 0);
    const uint64_t planes = facts_.separate ? facts_.samples : 1;
    for (uint64_t plane = 0; plane < planes; ++plane) {
      for (uint64_t x = 0; x < facts_.width; x += block_width_) {
        std::fill(raw_.begin(), raw_.end(), uint8_t{0});
        if (!ReadBlock(x, plane)) {
          if (!lenient_) return false;
          continue;
        }
        PutBlock(x, plane, here);
      }
    }
    band_rows_ = here;
    return true;
  }

  bool ReadBlock(uint64_t x, uint64_t plane) {
    const auto row = static_cast<uint32_t>(band_first_);
    const auto sample = static_cast<uint16_t>(plane);
    const auto bytes = static_cast<tmsize_t>(block_bytes_);
    if (by_rows_) return TIFFReadScanline(tiff_, raw_.data(), row, 0) == 1;
    if (facts_.tiled) {
      const uint32_t tile = TIFFComputeTile(tiff_, static_cast<uint32_t>(x), row, 0, sample);
      return TIFFReadEncodedTile(tiff_, tile, raw_.data(), bytes) >= 0;
    }
    return TIFFReadEncodedStrip(tiff_, TIFFComputeStrip(tiff_, row, sample), raw_.data(), bytes) >= 0;
  }

  void PutBlock(uint64_t x, uint64_t plane, uint64_t rows) {
    const uint64_t columns = std::min<uint64_t>(block_width_, facts_.width - x);
    const uint64_t samples = facts_.separate ? 1 : facts_.samples;
    for (uint64_t y = 0; y < rows; ++y) {
      const uint8_t* from = raw_.data() + y * TiffBlockRowBytes(facts_);
      for (uint64_t i = 0; i < columns; ++i) {
        for (uint64_t s = 0; s < samples; ++s) {
          const uint64_t to = (y * facts_.width + x + i) * facts_.samples + (facts_.separate ? plane : s);
          Convert(from, static_cast<size_t>(i * samples + s), &band_[static_cast<size_t>(to) * OutBytes()]);
        }
      }
    }
  }

  /// Takes alpha out of the colours.
  void Divide(uint8_t* row) const {
    if (facts_.format == kFloat) return DivideSamples<float>(row, 1);
    return OutBytes() == 2 ? DivideSamples<uint16_t>(row, 65535) : DivideSamples<uint8_t>(row, 255);
  }
  template <typename T>
  void DivideSamples(uint8_t* row, double full) const {
    auto* samples = reinterpret_cast<T*>(row);
    for (uint64_t x = 0; x < facts_.width; ++x, samples += facts_.samples) {
      const double alpha = static_cast<double>(samples[multiplied_by_]) / full;
      for (int i = 0; i < multiplied_by_; ++i) {
        const double colour = alpha > 0 ? static_cast<double>(samples[i]) / alpha : 0;
        samples[i] = static_cast<T>(std::is_same_v<T, float> ? colour : std::min(colour + 0.5, full));
      }
    }
  }

  TiffInput input_;
  const TiffFacts facts_;
  const bool lenient_;
  TIFF* tiff_ = nullptr;
  int multiplied_by_ = -1;
  bool by_rows_ = false;
  uint32_t block_width_ = 0;
  uint32_t block_rows_ = 0;
  uint64_t block_bytes_ = 0;
  std::vector<uint16_t> scaled_;  // packed samples only
  std::vector<uint8_t> raw_;
  std::vector<uint8_t> band_;
  uint64_t band_first_ = 0;
  uint64_t band_rows_ = 0;
};

int Generate(VipsRegion* region, void* /*sequence*/, void* client, void* /*unused*/, gboolean* /*stop*/) {
  auto& samples = *static_cast<TiffSamples*>(client);
  const VipsRect& area = region->valid;
  if (area.left != 0 || area.width != region->im->Xsize) {
    vips_error("tiff", "%s", "parts of rows were asked for");
    return -1;
  }
  try {
    for (int y = area.top; y < area.top + area.height; ++y) {
      if (!samples.Row(static_cast<uint64_t>(y), VIPS_REGION_ADDR(region, 0, y))) return -1;
    }
  } catch (const std::bad_alloc&) {  // must not fly through libvips' C code
    vips_error("tiff", "%s", "out of memory");
    return -1;
  }
  return 0;
}

void Forget(gpointer samples) {
  delete static_cast<TiffSamples*>(samples);
}

}  // namespace

bool IsForTiffSamples(const TiffFacts& facts) {
  const bool odd_float = facts.format == kFloat && (facts.bits == 16 || facts.bits == 64);
  const bool planes = facts.separate && (facts.tiled || facts.photometric == kMinIsBlack) &&
                      (facts.format == kUnsigned ? facts.bits == 8 || facts.bits == 16
                                                 : facts.format == kFloat && facts.bits == 32);
  const bool multiplied_float =
      facts.format == kFloat && facts.bits == 32 &&
      std::find(facts.extra.begin(), facts.extra.end(), kTiffExtraAssociated) != facts.extra.end();
  return (odd_float || planes || multiplied_float || ArePacked(facts)) &&
         (facts.photometric == kMinIsBlack || facts.photometric == kRgb) && facts.samples >= 1 &&
         facts.samples <= 8;
}

ImageRef LoadTiffSamples(const InputFile& file, const TiffFacts& facts, bool lenient) {
  Result<InputFile> own = file.Duplicate();
  if (!own) {
    vips_error("tiff", "%s", own.error().message.c_str());
    return {};
  }
  auto samples = std::make_unique<TiffSamples>(*std::move(own), facts, lenient);
  if (!samples->Open()) return {};
  ImageRef image = samples->Describe();
  TiffSamples* client = samples.get();
  g_object_set_data_full(G_OBJECT(image.get()), "imgmill-tiff-samples", samples.release(), &Forget);
  if (vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
      vips_image_generate(image.get(), nullptr, &Generate, nullptr, client, nullptr) != 0) {
    return {};
  }
  VipsImage* ordered = nullptr;
  if (vips_sequential(image.get(), &ordered, "tile_height", 16, nullptr) != 0) return {};
  return ImageRef(ordered);
}

}  // namespace imgmill
