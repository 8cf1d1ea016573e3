// The table of signals, looked up by name, and what the header alone tells.
#include <algorithm>
#include <vector>

#include "base/usage_error.h"
#include "imgmill/base/spelling.h"
#include "imgmill/image/fidelity_scale.h"
#include "imgmill/signals/signal_set.h"

namespace imgmill {
namespace {

constexpr std::array<SignalInfo, kSignalCount> kSignals = {{
    {Signal::kWidth, "width", "pixels", "as a person sees the image, EXIF orientation applied", 1, false},
    {Signal::kHeight, "height", "pixels", "as a person sees the image, EXIF orientation applied", 1, false},
    {Signal::kShortSide, "short_side", "pixels", "the smaller of width and height", 1, false},
    {Signal::kAspect, "aspect", "", "width / height: above 1 for landscape", 1, false},
    {Signal::kMegapixels, "megapixels", "megapixels", "width x height / 1,000,000", 1, false},
    {Signal::kBytesPerPixel, "bytes_per_pixel", "bytes", "file size per pixel", 1, false},
    {Signal::kHasAlpha, "has_alpha", "", "1 if the file has an alpha band, else 0", 1, false},
    {Signal::kJpegQuality, "jpeg_quality", "", "as encoded, 1 to 100; JPEG files only", 1, false},
    {Signal::kBrightness, "brightness", "levels", "mean luma, 0 black to 255 white", 1, true},
    {Signal::kContrast, "contrast", "levels", "standard deviation of luma, 0 to 127.5", 1, true},
    {Signal::kEntropy, "entropy", "bits", "of the histogram of luma, 0 to 8", 1, true},
    {Signal::kSharpness, "sharpness", "", "variance of the Laplacian of luma; blur is low", 1, true},
    {Signal::kNoise, "noise", "levels", "standard deviation of noise on luma; 0 under 1", 2, true},
    {Signal::kBlockiness, "blockiness", "percent",
     "how much steps at 8x8 block borders exceed those inside; 0 for none", 2, true},
    {Signal::kColorfulness, "colorfulness", "", "0 grey, 33 moderate, 109 extreme", 2, true},
    {Signal::kGrayscale, "grayscale", "", "1 if no pixel has a colour, else 0", 1, true},
    {Signal::kClippedDark, "clipped_dark", "percent", "of the pixels that are black", 1, true},
    {Signal::kClippedBright, "clipped_bright", "percent", "of the pixels that are white", 1, true},
    {Signal::kDarkEnd, "dark_end", "levels", "5th percentile of luma; high where all is light", 1, true},
    {Signal::kBrightEnd, "bright_end", "levels", "99th percentile of luma; low where all is dark", 1, true},
    {Signal::kSaturation, "saturation", "percent", "mean saturation, 0 grey to 100", 2, true},
    {Signal::kColorCast, "color_cast", "", "0 neutral; above 2 one tint lies over all", 1, true},
    {Signal::kSpatialInformation, "spatial_information", "", "strength of gradients: how busy it is", 1,
     true},
    {Signal::kBlur, "blur", "", "0 sharp to 1 blurred; flat parts do not count", 1, true},
    {Signal::kJpegVisible, "jpeg_visible", "", "JPEG's visible traces: 1 bad to 10 none", 2, true},
    {Signal::kLetterbox, "letterbox", "percent", "of the area in bars of one colour at the edges", 1, true},
    {Signal::kBorder, "border", "pixels", "width of a border of one colour all around", 1, true},
    {Signal::kInterlacing, "interlacing", "percent", "of the pixels that are part of a comb", 1, true},
    {Signal::kUniqueColors, "unique_colors", "", "different colours, 1024 for that many or more", 1, true},
    {Signal::kBitDepth, "bit_depth", "bits", "of a sample that are used", 2, true},
    {Signal::kUpscaled, "upscaled", "", "how much larger it is than its detail needs; 1 for none", 1, true},
    {Signal::kTextShare, "text_share", "percent", "of the area that text covers", 1, true},
    {Signal::kAesthetic, "aesthetic", "", "how pleasing, 0 to 10, by --scorer", 1, false, true},
    {Signal::kHyperIqa, "hyperiqa", "", "quality by --scorer, on its weights' scale", 1, false, true},
    {Signal::kComplexity, "complexity", "", "how complex, 0 to 1, by --scorer", 1, false, true},
    {Signal::kWatermark, "watermark", "", "0 clear to 1 watermarked, by --scorer", 1, false, true},
    {Signal::kNsfw, "nsfw", "", "0 safe for work to 1 not, by --scorer", 1, false, true},
    {Signal::kDate, "date", "", "EXIF: when it was taken, by the camera's clock", 1, false, false, true},
    {Signal::kIso, "iso", "", "EXIF: sensitivity", 1, false, false, true},
    {Signal::kExposureTime, "exposure_time", "seconds", "EXIF: exposure time", 1, false, false, true},
    {Signal::kFNumber, "f_number", "", "EXIF: f-number", 1, false, false, true},
    {Signal::kFocalLength, "focal_length", "mm", "EXIF: focal length of the lens itself", 1, false, false,
     true},
    {Signal::kOrientation, "orientation", "", "EXIF: 1 to 8, as stored", 1, false, false, true},
}};

constexpr bool InOrder() {
  for (size_t i = 0; i < kSignals.size(); ++i) {
    if (static_cast<size_t>(kSignals[i].signal) != i) return false;
  }
  return true;
}
static_assert(InOrder());

}  // namespace

std::span<const SignalInfo> AllSignals() {
  return kSignals;
}

const SignalInfo& InfoOf(Signal signal) {
  return kSignals[static_cast<size_t>(signal)];
}

Result<Signal> SignalFromName(std::string_view name) {
  std::vector<std::string> names;
  for (const SignalInfo& info : kSignals) {
    if (info.name == name) return info.signal;
    names.emplace_back(info.name);
  }
  std::string text = "unknown signal \"" + std::string(name) + "\"";
  if (const auto guess = DidYouMean(name, names)) {
    text += "; did you mean \"" + *guess + "\"?";
  } else {
    text += " (";
    for (const std::string& each : names) text += each + (each == names.back() ? ")" : ", ");
  }
  return UsageError(text);
}

std::string VersionedName(Signal signal) {
  const SignalInfo& info = InfoOf(signal);
  return std::string(info.name) + "/" + std::to_string(info.version);
}

SignalSet SignalSet::All() {
  SignalSet set;
  for (const SignalInfo& info : kSignals) {
    if (!info.by_network && !info.from_exif) set.Insert(info.signal);
  }
  return set;
}

SignalSet SignalSet::OfHeader() {
  SignalSet set;
  for (const SignalInfo& info : kSignals) {
    if (!info.from_pixels && !info.by_network && !info.from_exif) set.Insert(info.signal);
  }
  return set;
}

SignalSet SignalSet::OfExif() {
  SignalSet set;
  for (const SignalInfo& info : kSignals) {
    if (info.from_exif) set.Insert(info.signal);
  }
  return set;
}

SignalSet SignalSet::OfPixels() {
  SignalSet set;
  for (const SignalInfo& info : kSignals) {
    if (info.from_pixels) set.Insert(info.signal);
  }
  return set;
}

SignalValues HeaderSignals(const ImageHeader& header) {
  const auto width = static_cast<double>(header.upright_width());
  const auto height = static_cast<double>(header.upright_height());
  SignalValues values;
  values[Signal::kWidth] = width;
  values[Signal::kHeight] = height;
  values[Signal::kShortSide] = std::min(width, height);
  values[Signal::kAspect] = width / height;
  values[Signal::kMegapixels] = width * height / 1e6;
  values[Signal::kBytesPerPixel] = static_cast<double>(header.file_bytes) / (width * height);
  values[Signal::kHasAlpha] = header.has_alpha ? 1.0 : 0.0;
  if (header.format == ImageFormat::kJpeg) values[Signal::kJpegQuality] = QualityOfJpeg(header.fidelity);
  return values;
}

SignalValues ExifSignals(const PhotoFacts& facts) {
  SignalValues values;
  values[Signal::kDate] = facts.date;
  values[Signal::kIso] = facts.iso;
  values[Signal::kExposureTime] = facts.exposure_time;
  values[Signal::kFNumber] = facts.f_number;
  values[Signal::kFocalLength] = facts.focal_length;
  values[Signal::kOrientation] = facts.orientation;
  return values;
}

}  // namespace imgmill
