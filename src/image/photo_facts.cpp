// Takes what people choose photographs by out of EXIF. What makes no sense counts as not there; only a block
// that is cut or points out of itself is called damaged.
#include "photo_facts.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "exif.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

constexpr std::array<PhotoTextInfo, kPhotoTextCount> kTexts = {{
    {PhotoText::kCamera, "camera", "EXIF: make and model, the make only where the model does not name it"},
    {PhotoText::kLens, "lens", "EXIF: model of the lens"},
    {PhotoText::kSoftware, "software", "EXIF: program or firmware that wrote the file"},
}};

// Of the first directory.
constexpr uint32_t kMake = 0x010F;
constexpr uint32_t kModel = 0x0110;
constexpr uint32_t kOrientation = 0x0112;
constexpr uint32_t kSoftware = 0x0131;
// Of the one of EXIF's own tags.
constexpr uint32_t kExposureTime = 0x829A;
constexpr uint32_t kFNumber = 0x829D;
constexpr uint32_t kSensitivity = 0x8827;
constexpr uint32_t kOtherSensitivities[] = {0x8833, 0x8832, 0x8831};  // ISO speed, recommended index, output
constexpr uint32_t kDateTimeOriginal = 0x9003;
constexpr uint32_t kDateTimeDigitized = 0x9004;
constexpr uint32_t kFocalLength = 0x920A;
constexpr uint32_t kLensModel = 0xA434;

constexpr size_t kMostTextBytes = 200;

/// The fields of a block, and whether one of those that were asked for lies outside of it.
class Fields {
 public:
  explicit Fields(std::span<const uint8_t> block) : block_(block), damaged_(!block_.Whole()) {}

  std::string MainText(uint32_t tag) { return Text(block_.InMain(tag)); }
  std::string ExifText(uint32_t tag) { return Text(block_.InExif(tag)); }
  std::optional<double> MainNumber(uint32_t tag) { return Number(block_.InMain(tag)); }
  std::optional<double> ExifNumber(uint32_t tag) { return Number(block_.InExif(tag)); }
  bool damaged() const { return damaged_; }

 private:
  using Entry = std::optional<ExifBlock::Entry>;

  std::string Text(const Entry& entry) {
    Note(entry);
    return block_.Text(entry).value_or("");
  }
  std::optional<double> Number(const Entry& entry) {
    Note(entry);
    return block_.Value(entry);
  }
  void Note(const Entry& entry) { damaged_ = damaged_ || (entry && !block_.Holds(*entry)); }

  const ExifBlock block_;
  bool damaged_;
};

/// On one line, and cut between characters.
std::string Shown(std::string text) {
  if (text.size() > kMostTextBytes) {
    size_t end = kMostTextBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
  }
  return PrintablePath(text);
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view WithoutBlanksInFront(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text;
}

std::string CameraOf(const std::string& make, const std::string& model) {
  if (make.empty() || model.empty()) return make + model;
  std::string_view first = WithoutBlanksInFront(make);
  first = first.substr(0, first.find(' '));
  const std::string_view begin = WithoutBlanksInFront(model).substr(0, first.size());
  const bool named = std::equal(first.begin(), first.end(), begin.begin(), begin.end(),
                                [](char a, char b) { return Lower(a) == Lower(b); });
  return named ? model : make + " " + model;
}

/// "2015:06:01 12:30:05", as EXIF has it; unknown parts are blanks or zeros.
std::optional<double> DateOf(const std::string& stored) {
  const std::string_view text = WithoutBlanksInFront(stored);
  if (text.size() < 19) return std::nullopt;
  constexpr std::pair<size_t, size_t> kParts[] = {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}};
  int parts[6] = {};
  for (size_t i = 0; i < 6; ++i) {
    const char* begin = text.data() + kParts[i].first;
    const auto [end, problem] = std::from_chars(begin, begin + kParts[i].second, parts[i]);
    if (problem != std::errc() || end != begin + kParts[i].second || parts[i] < 0) return std::nullopt;
  }
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[0] == 0 || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;
  const auto days = static_cast<double>(std::chrono::sys_days(day).time_since_epoch().count());
  return days * 86400 + parts[3] * 3600 + parts[4] * 60 + parts[5];
}

std::optional<double> Positive(std::optional<double> value) {
  return value && *value > 0 ? value : std::nullopt;
}

}  // namespace

std::span<const PhotoTextInfo> AllPhotoTexts() {
  return kTexts;
}

const PhotoTextInfo& InfoOf(PhotoText text) {
  return kTexts[static_cast<size_t>(text)];
}

std::string DateText(double seconds) {
  const double days = std::floor(seconds / 86400);
  const auto rest = static_cast<unsigned>(seconds - days * 86400);
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02u:%02u:%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()), rest / 3600,
                rest / 60 % 60, rest % 60);
  return text;
}

PhotoFacts PhotoFactsOf(std::span<const uint8_t> block) {
  PhotoFacts facts;
  if (block.empty()) return facts;
  Fields fields(block);
  facts.texts[static_cast<size_t>(PhotoText::kCamera)] =
      Shown(CameraOf(fields.MainText(kMake), fields.MainText(kModel)));
  std::string lens = fields.ExifText(kLensModel);
  if (lens.empty()) lens = fields.MainText(kLensModel);  // where some programs put it
  facts.texts[static_cast<size_t>(PhotoText::kLens)] = Shown(std::move(lens));
  facts.texts[static_cast<size_t>(PhotoText::kSoftware)] = Shown(fields.MainText(kSoftware));
  facts.date = DateOf(fields.ExifText(kDateTimeOriginal));
  if (!facts.date) facts.date = DateOf(fields.ExifText(kDateTimeDigitized));
  facts.iso = Positive(fields.ExifNumber(kSensitivity));
  if (facts.iso == 65535.0) {
    for (const uint32_t tag : kOtherSensitivities) {
      const std::optional<double> other = Positive(fields.ExifNumber(tag));
      if (!other) continue;
      facts.iso = other;
      break;
    }
  }
  facts.exposure_time = Positive(fields.ExifNumber(kExposureTime));
  facts.f_number = Positive(fields.ExifNumber(kFNumber));
  facts.focal_length = Positive(fields.ExifNumber(kFocalLength));
  const std::optional<double> orientation = fields.MainNumber(kOrientation);
  if (orientation && *orientation >= 1 && *orientation <= 8) facts.orientation = orientation;
  facts.damaged = fields.damaged();
  return facts;
}

}  // namespace imgmill
