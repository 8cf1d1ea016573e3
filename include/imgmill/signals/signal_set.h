// The quality signals: what there is to know of an image as a number, measured row by row from one decode.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"
#include "imgmill/image/image.h"
#include "imgmill/image/photo_facts.h"
#include "imgmill/image/reader.h"

namespace imgmill {

/// Pixel signals are of 8-bit sRGB, as it is seen on a white page where there is alpha. "Luma" is ITU-R
/// BT.601's 0.299 R + 0.587 G + 0.114 B, rounded to whole levels 0..255, as Pillow's convert("L") gives it.
/// Sums are whole numbers, so that no value depends on how the rows were cut into regions. An image that is
/// too small for a signal has no value for it.
enum class Signal : uint8_t {
  /// Pixels from left to right, as a person sees the image (EXIF orientation applied).
  kWidth,
  /// Pixels from top to bottom, likewise.
  kHeight,
  /// The smaller of the two, in pixels.
  kShortSide,
  /// Width over height: 1 for a square, above for landscape, below for portrait.
  kAspect,
  /// Width x height / 1,000,000.
  kMegapixels,
  /// Bytes of the file for each pixel. JPEG photos: 0.1 (heavily compressed) to 1; PNG 1 to 3. Only files
  /// have one.
  kBytesPerPixel,
  /// 1 if the file has an alpha band, whatever is in it, else 0.
  kHasAlpha,
  /// The quality on libjpeg's scale, 1 to 100, whose luminance table has the sum of the file's: for files of
  /// libjpeg, from 20 on, the number it was given. Only JPEG files have one.
  /// Source: ITU-T T.81, table K.1; libjpeg's jpeg_quality_scaling.
  kJpegQuality,

  /// Mean luma, 0 (black) to 255 (white).
  kBrightness,
  /// Standard deviation of luma (RMS contrast), 0 (flat) to 127.5 (half black, half white).
  /// Source: Peli, "Contrast in complex images", JOSA A 7(10), 1990, eq. 2, on levels 0..255.
  kContrast,
  /// Shannon entropy of the histogram of luma, in bits: 0 (one level only) to 8 (all levels alike).
  /// Source: Shannon, "A mathematical theory of communication", 1948, section 6.
  kEntropy,
  /// Variance of the 3x3 Laplacian (0 1 0; 1 -4 1; 0 1 0) of luma over all pixels with a full neighbourhood.
  /// 0 for flat images; blurred photos are under 100, crisp ones 500 to 5000; noise raises it, too. No value
  /// under 3x3.
  /// Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
  kSharpness,
  /// Standard deviation of the noise on luma, in levels: the sigma of added white noise, 0 under 1 and for
  /// clean photos. By Immerkaer's mask, in the flattest twentieth of blocks of 16x16 pixels, less what is
  /// texture
  /// there: that has more of slopes over two pixels than white noise has. Blocks that are black or white in
  /// more than one pixel of 50 do not count. No value under 3x3.
  /// Source: after Immerkaer, "Fast noise variance estimation", CVIU 64(2), 1996, eq. 6.
  kNoise,
  /// Strength of 8x8 block edges, at the grid phase where they are strongest, in percent: mean absolute step
  /// of
  /// luma across block borders over mean absolute step inside blocks, less 1, times 100. All 64 phases are
  /// tried, so that a crop cannot hide the grid. 0 (no blocks) to 10,000 (steps at borders only; capped);
  /// never negative. 0, too, where chance explains the grid: where its rows and columns of steps exceed those
  /// beside them by less than 4 standard errors more than those of any other phase. JPEG photos have about 7
  /// at quality 80, 32 at 50, 51 at 30. No value under 16x16.
  /// Source: after Wang, Sheikh and Bovik, "No-reference perceptual quality assessment of JPEG compressed
  /// images", ICIP 2002, eq. 1 and 2.
  kBlockiness,
  /// Spread and mean of the opponent colours R - G and (R + G) / 2 - B: 0 for grey, 15 slightly, 33
  /// moderately, 59 quite, 109 extremely colourful. The spread is less its noise, which is a sixth of the
  /// mean square of second differences along rows.
  /// Source: Hasler and Suesstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003, section 7.
  kColorfulness,
  /// 1 if R, G and B differ by at most 2 levels at every pixel (what rounding in colour conversions makes of
  /// grey), else 0.
  kGrayscale,

  // Noise, colorfulness's noise, spatial_information, blur, jpeg_visible's crossings and interlacing are of
  // every second row, the first included, where there are 512 and more, and saturation of four rows in eight:
  // the others say the same again.

  /// Percent of the pixels whose luma is 0 to 2: shadows without any drawing.
  kClippedDark,
  /// Percent of the pixels whose luma is 253 to 255.
  kClippedBright,
  /// 5th percentile of luma, in levels: over 150 there is hardly anything dark in the image.
  kDarkEnd,
  /// 99th percentile of luma, in levels: under 80 there is hardly anything bright in it.
  kBrightEnd,
  /// Mean of HSV's saturation, in percent, of the mean colours of 4x4 pixels.
  /// Source: Smith, "Color gamut transform pairs", SIGGRAPH 1978.
  kSaturation,
  /// How far the mean of the opponent colours (see kColorfulness) is from grey, in multiples of their spread
  /// (at least 1 level): 0 neutral; above 2 nearly everything in the image has the same tint.
  /// Source: after Gasparini and Schettini, "Color balancing of digital photos using simple image
  /// statistics",
  /// Pattern Recognition 37, 2004, section 2.
  kColorCast,
  /// Root of the mean squared gradient of luma, by Sobel's masks: 0 flat, 20 to 150 for photos. How busy an
  /// image
  /// is. No value under 3x3.
  /// Source: SI_rms of Yu and Winkler, "Image complexity and spatial information", QoMEX 2013, eq. 2.
  kSpatialInformation,
  /// How much of the steps of luma is left when the image is blurred once more, along the axis where that is
  /// most:
  /// 0 sharp to 1 blurred. As it is about those steps that there are, flat parts do not count: defocus is
  /// told
  /// from a clear sky. No value under 13x13, and where no pixel differs.
  /// Source: Crete et al., "The blur effect", SPIE 6492, 2007, with the masks of scikit-image's blur_effect.
  kBlur,
  /// Quality that the traces of JPEG leave, 1 (bad) to 10 (none), at the grid phase where they are strongest,
  /// whatever the file's format. 10 where there is no grid of blocks (see kBlockiness). No value under 16x16,
  /// and where no pixel differs.
  /// Source: Wang, Sheikh and Bovik, "No-reference perceptual quality assessment of JPEG compressed images",
  /// ICIP
  /// 2002, with the constants of the authors' program.
  kJpegVisible,
  /// Percent of the area in bars of one level of luma, give or take 2, at the edges: letterbox, pillarbox,
  /// frames.
  kLetterbox,
  /// Pixels of the narrowest of the four bars: above 0 only if the bar goes all around.
  kBorder,
  /// Percent of the pixels where luma goes up and down three times from row to row, by more than 8 levels
  /// each and
  /// by twice what rows of the same half differ, less the same along rows: the comb of two half images of a
  /// moving
  /// scene. Photos 0 to 0.6; 2 and more where much moves. No value under 4x4.
  kInterlacing,
  /// Different colours, counted up to 1024: photos have as many or more.
  kUniqueColors,
  /// Bits of each sample that are used: fewer than the file has where values were shifted or stretched up
  /// from
  /// fewer. 1 to 16; no value for float.
  kBitDepth,
  /// How many times wider the image is than it need be for the finest detail along its rows: 1 for sharp
  /// ones, about s
  /// for those that were enlarged s times, and for blurred ones, which need no more pixels either. 1 to 16;
  /// no value
  /// for images narrower than 256 pixels. The frequency above which the spectrum stays 8 dB under the
  /// straight line
  /// (in log-log) that fits its low end, or within the noise of rounding.
  /// Source: for the straight line Field, JOSA A 4(12), 1987; the cut is ours.
  kUpscaled,
  /// Percent of the area that text covers: of cells of 16x16 pixels, by a small network that is told each
  /// cell's strokes (how much darker or lighter pixels are than those 1, 2, 4 and 8 to both sides), steps and
  /// levels, and its neighbours'. Where both sides are 512 and more the pixels are means of 2x2. Photos
  /// without text 0, nearly all under 3; full of text 50 and more. No value where not one cell fits in.
  /// Source: ours, trained by training/text_share.py.
  kTextShare,

  // Of networks, whose weights the user gives. They see the image as `embed` shows it to its networks.

  /// How much people like to look at it, 0 to 10, by a linear head on CLIP's vector.
  /// Source: LAION-AI/aesthetic-predictor; christophschuhmann/improved-aesthetic-predictor.
  kAesthetic,
  /// Quality as people rate it, on the scale of the weights (the authors': 0 to 100; pyiqa's: 0 to 1).
  /// Source: Su et al., "Blindly assess image quality in the wild guided by a self-adaptive hyper network",
  /// CVPR 2020.
  kHyperIqa,
  /// How complex it is to people, 0 to 1.
  /// Source: Feng et al., "IC9600: a benchmark dataset for automatic image complexity assessment", TPAMI
  /// 2023.
  kComplexity,
  /// How likely it has a visible watermark, 0 to 1.
  /// Source: LAION-AI/LAION-5B-WatermarkDetection.
  kWatermark,
  /// How likely it is not safe for work (nudity and the like), 0 to 1.
  /// Source: LAION-AI/CLIP-based-NSFW-Detector; Falconsai/nsfw_image_detection;
  /// Marqo/nsfw-image-detection-384.
  kNsfw,

  // Of EXIF, as the camera wrote it (PhotoFacts); no value where it did not.

  /// When it was taken, in seconds from 1970-01-01T00:00:00 on, both by the camera's clock.
  kDate,
  /// Sensitivity.
  kIso,
  /// In seconds.
  kExposureTime,
  /// Focal length over the diameter of the aperture.
  kFNumber,
  /// Of the lens itself, in millimetres.
  kFocalLength,
  /// 1 to 8: how the stored image is to be turned. It is, for all other signals.
  kOrientation,
};
inline constexpr size_t kSignalCount = 43;

/// A row of the table of signals.
struct SignalInfo {
  Signal signal;
  std::string_view name;
  std::string_view unit;     ///< "pixels", "levels", "percent"; empty for plain numbers
  std::string_view meaning;  ///< one line for --help and tables
  /// Raised when the formula changes, so that stored values of the old one are not taken for it.
  int version;
  /// Whether a SignalMeter measures it; the others are known from the header or come from a network.
  bool from_pixels;
  /// Whether a network gives it, so that it is only there where its weights are.
  bool by_network = false;
  /// Whether it is one of EXIF's fields.
  bool from_exif = false;
};

/// All signals, in the order of Signal.
std::span<const SignalInfo> AllSignals();
const SignalInfo& InfoOf(Signal signal);
/// kUsage with a "did you mean" if there is none of that name.
Result<Signal> SignalFromName(std::string_view name);
/// "sharpness/1": the name under which a value is stored.
std::string VersionedName(Signal signal);

class SignalSet {
 public:
  constexpr SignalSet() = default;
  constexpr SignalSet(std::initializer_list<Signal> signals) {
    for (const Signal signal : signals) Insert(signal);
  }
  /// Those of header and pixels: there are none of networks or of EXIF.
  static SignalSet All();
  static SignalSet OfHeader();
  static SignalSet OfExif();
  /// Those that need a decode.
  static SignalSet OfPixels();
  constexpr void Insert(Signal signal) { bits_ |= uint64_t{1} << static_cast<unsigned>(signal); }
  constexpr bool Contains(Signal signal) const { return (bits_ >> static_cast<unsigned>(signal) & 1) != 0; }
  bool NeedsPixels() const { return (bits_ & OfPixels().bits_) != 0; }
  bool operator==(const SignalSet&) const = default;

 private:
  uint64_t bits_ = 0;
};

/// The values of one image: nothing where a signal was not asked for, or has no value.
class SignalValues {
 public:
  std::optional<double>& operator[](Signal signal) { return values_[static_cast<size_t>(signal)]; }
  const std::optional<double>& operator[](Signal signal) const {
    return values_[static_cast<size_t>(signal)];
  }
  bool operator==(const SignalValues&) const = default;

 private:
  std::array<std::optional<double>, kSignalCount> values_;
};

/// What is known of a file before any pixel is: width, height, short_side, aspect, megapixels,
/// bytes_per_pixel, has_alpha, jpeg_quality.
SignalValues HeaderSignals(const ImageHeader& header);

/// What EXIF tells: date, iso, exposure_time, f_number, focal_length, orientation.
SignalValues ExifSignals(const PhotoFacts& facts);

/// Feeds on rows, top to bottom; holds 51 rows of luma at most, and running sums, not the image.
class SignalMeter {
 public:
  /// @param layout  of the whole image: any sample type, 1 to 4 bands, at least 1x1. 16-bit and float rows
  ///   are rounded to 8 bits as ReadOptions::to_8bit does it, and alpha is flattened as kFlattenWhite does
  ///   it.
  /// @throws OutOfMemory
  SignalMeter(const Layout& layout, SignalSet wanted);
  ~SignalMeter();
  void Add(const ImageView& rows);
  /// After the last row: the wanted signals. Width, height and has_alpha are the layout's; bytes_per_pixel
  /// has no value (pixels have no file).
  SignalValues Finish();
  /// Bytes it takes from the current pool, at most: about 96 a column, and a row where rows must be rounded
  /// to 8 bits.
  static size_t PooledBytes(const Layout& layout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Measures the signals of an image that is whole in memory.
SignalValues MeasureSignals(const ImageView& image, SignalSet wanted);

/// Values as bytes for a catalog, each under its versioned name; those of `wanted` that have no value are
/// stored as such.
std::string PackSignals(const SignalValues& values, SignalSet wanted);
/// Takes the wanted signals out of such bytes. False, and `values` unchanged, if one is missing or of another
/// version.
bool UnpackSignals(std::string_view bytes, SignalSet wanted, SignalValues& values);

}  // namespace imgmill
