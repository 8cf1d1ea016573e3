// Flags, checks and meaning of --format, --quality, --compression, --effort and --chroma.
#include "imgmill/commands/output_format.h"

#include <array>
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

bool HasEffort(FileFormat format) {
  return format == FileFormat::kJxl || format == FileFormat::kAvif;
}

}  // namespace

void OutputFormat::AddFlags(Flags& flags, const std::string& formats) {
  std::vector<std::string> words;
  for (const char* word : {"png", "jpg", "webp", "tiff", "jxl", "avif"}) {
    if (formats.find(word) != std::string::npos) words.emplace_back(word);
  }
  flags.Add("--format", format, formats).Words(words).ShowDefault().Type("NAME");
  flags.Add("--quality", quality, "1 to 100, for jpg, webp, jxl and avif; 100 is lossless, but with jpg")
      .ShowDefault()
      .Type("N");
  flags.Add("--compression", compression, "0 to 9, for png").ShowDefault().Type("N");
  flags.Add("--effort", effort, "1 to 9, for jxl and avif: more takes longer").ShowDefault().Type("N");
  flags.Add("--chroma", chroma, "Resolution of the colours of jpg and avif: full, half or auto")
      .Words(kChromas)
      .ShowDefault()
      .Type("NAME");
}

std::optional<std::string> OutputFormat::Check(const std::string& formats) const {
  const std::optional<FileFormat> known = FileFormatFromExtension(format);
  if (!known || !IsNamed(formats, *known)) return "unknown --format \"" + format + "\" (" + formats + ")";
  if (quality < 1 || quality > 100) return "--quality takes 1 to 100";
  if (compression < 0 || compression > 9) return "--compression takes 0 to 9";
  if (effort < 1 || effort > 9) return "--effort takes 1 to 9";
  if (auto wrong = CheckChoice("--chroma", chroma, kChromas)) return wrong;
  if (chroma != "auto" && *known != FileFormat::kJpeg && *known != FileFormat::kAvif)
    return "--chroma " + chroma + " goes with --format jpg or avif";
  if (chroma == "half" && IsLossless(Writing()))
    return "--quality 100 is lossless with avif: --chroma half goes with 99 and less";
  if (const Status can = CanWrite(*known); !can) return "--format " + format + ": " + can.error().message;
  return std::nullopt;
}

WriteOptions OutputFormat::Writing() const {
  WriteOptions writing;
  writing.format = FileFormatFromExtension(format).value_or(FileFormat::kPng);
  writing.quality = quality;
  writing.compression = compression;
  writing.effort = effort;
  writing.chroma = chroma == "full" ? Chroma::kFull : chroma == "half" ? Chroma::kHalf : Chroma::kAuto;
  writing.profile_kept = true;
  return writing;
}

std::string OutputFormat::Text() const {
  // The number goes up when the same settings begin to give other bytes.
  const FileFormat known = Writing().format;
  const std::string version = known == FileFormat::kPng ? "/2" : "";
  return format + version + " q" + std::to_string(quality) + " c" + std::to_string(compression) +
         (HasEffort(known) ? " e" + std::to_string(effort) : "") + (chroma != "auto" ? " " + chroma : "");
}

}  // namespace imgmill
