// Flags, checks and meaning of --format, --quality, --compression, --effort and --chroma.
#include "imgmill/commands/output_format.h"

#include <array>
#include <utility>
#include <vector>

#include "choice.h"
#include "imgmill/commands/flags.h"

namespace imgmill {

namespace {

const std::array<std::string, 3> kChromas = {"auto", "full", "half"};

bool IsNamed(const std::string& formats, FileFormat format) {
  return formats.find(format == FileFormat::kTiff ? std::string_view("tiff") : Extension(format).substr(1)) !=
         std::string::npos;
}

/// The formats that an option goes with.
struct Takers {
  const char* option;
  const char* formats;
  bool Have(FileFormat format) const { return IsNamed(formats, format); }
};
constexpr Takers kQuality = {"--quality", "jpg, webp, jxl or avif"};
constexpr Takers kCompression = {"--compression", "png"};
constexpr Takers kEffort = {"--effort", "webp, jxl or avif"};
constexpr Takers kChroma = {"--chroma", "jpg or avif"};

/// What an option that is given does not go with.
std::optional<std::string> CheckTaker(const Takers& takers, bool given, FileFormat known,
                                      const std::string& format) {
  if (!given || takers.Have(known)) return std::nullopt;
  return std::string(takers.option) + " goes with --format " + takers.formats + ", and does nothing with " +
         format;
}

/// The least and the most.
std::pair<int, int> EffortsOf(FileFormat format) {
  return format == FileFormat::kWebp ? std::pair{0, 6} : std::pair{1, 9};
}

}  // namespace

void OutputFormat::AddFlags(Flags& flags, const std::string& formats) {
  std::vector<std::string> words;
  for (const char* word : {"png", "jpg", "webp", "tiff", "jxl", "avif"}) {
    if (formats.find(word) != std::string::npos) words.emplace_back(word);
  }
  flags.Add("--format", format, formats).Words(words).ShowDefault().Type("NAME");
  flags.Add("--quality", quality, "1 to 100, for jpg, webp, jxl and avif; 100 is lossless, but with jpg")
      .ShowDefault("90")
      .Type("N");
  flags.Add("--compression", compression, "0 to 9, for png").ShowDefault("1").Type("N");
  flags
      .Add("--effort", effort,
           "0 to 6 for webp, 1 to 9 for jxl and avif: more takes longer [webp 4, others 3]")
      .Type("N");
  flags.Add("--chroma", chroma, "Resolution of the colours of jpg and avif: full, half or auto")
      .Words(kChromas)
      .ShowDefault()
      .Type("NAME");
}

std::optional<std::string> OutputFormat::Check(const std::string& formats) const {
  const std::optional<FileFormat> known = FileFormatFromExtension(format);
  if (!known || !IsNamed(formats, *known)) return "unknown --format \"" + format + "\" (" + formats + ")";
  if (auto wrong = CheckChoice("--chroma", chroma, kChromas)) return wrong;
  const std::pair<Takers, bool> given[] = {{kQuality, quality.has_value()},
                                           {kCompression, compression.has_value()},
                                           {kEffort, effort.has_value()},
                                           {kChroma, chroma != "auto"}};
  for (const auto& [takers, is_given] : given) {
    if (auto wrong = CheckTaker(takers, is_given, *known, format)) return wrong;
  }
  if (quality && (*quality < 1 || *quality > 100)) return "--quality takes 1 to 100";
  if (compression && (*compression < 0 || *compression > 9)) return "--compression takes 0 to 9";
  const auto [least, most] = EffortsOf(*known);
  if (effort && (*effort < least || *effort > most))
    return "--effort takes " + std::to_string(least) + " to " + std::to_string(most) + " with --format " +
           format;
  if (chroma == "half" && IsLossless(Writing()))
    return "--quality 100 is lossless with avif: --chroma half goes with 99 and less";
  if (const Status can = CanWrite(*known); !can) return "--format " + format + ": " + can.error().message;
  return std::nullopt;
}

WriteOptions OutputFormat::Writing() const {
  WriteOptions writing;
  writing.format = FileFormatFromExtension(format).value_or(FileFormat::kPng);
  writing.quality = quality.value_or(writing.quality);
  writing.compression = compression.value_or(writing.compression);
  writing.effort = effort.value_or(writing.effort);
  writing.chroma = chroma == "full" ? Chroma::kFull : chroma == "half" ? Chroma::kHalf : Chroma::kAuto;
  writing.profile_kept = true;
  return writing;
}

std::string OutputFormat::Text() const {
  // The number goes up when the same settings begin to give other bytes.
  const WriteOptions writing = Writing();
  const FileFormat known = writing.format;
  const std::string version = known == FileFormat::kPng || known == FileFormat::kTiff ? "/2" : "";
  // WebP's usual effort was written before there was a choice.
  WriteOptions usual = writing;
  usual.effort = kUsualEffort;
  const bool tells_effort =
      kEffort.Have(known) && (known != FileFormat::kWebp || EffortOf(writing) != EffortOf(usual));
  return format + version + " q" + std::to_string(writing.quality) + " c" +
         std::to_string(writing.compression) +
         (tells_effort ? " e" + std::to_string(EffortOf(writing)) : "") +
         (chroma != "auto" ? " " + chroma : "");
}

}  // namespace imgmill
