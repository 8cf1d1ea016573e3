// Flags, checks and meaning of --format, --quality and --compression.
#include "imgmill/commands/output_format.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "imgmill/commands/flag_words.h"

namespace imgmill {

void OutputFormat::AddFlags(CLI::App& app, const std::string& formats) {
  std::vector<std::string> words;
  for (const char* word : {"png", "jpg", "webp", "tiff"}) {
    if (formats.find(word) != std::string::npos) words.emplace_back(word);
  }
  TakesWords(app.add_option("--format", format, formats), words)->capture_default_str()->type_name("NAME");
  app.add_option("--quality", quality, "1 to 100, for jpg and webp")->capture_default_str()->type_name("N");
  app.add_option("--compression", compression, "0 to 9, for png")->capture_default_str()->type_name("N");
}

std::optional<std::string> OutputFormat::Check(const std::string& formats) const {
  const std::optional<FileFormat> known = FileFormatFromExtension(format);
  if (!known || (*known == FileFormat::kTiff && formats.find("tiff") == std::string::npos)) {
    return "unknown --format \"" + format + "\" (" + formats + ")";
  }
  if (quality < 1 || quality > 100) return "--quality takes 1 to 100";
  if (compression < 0 || compression > 9) return "--compression takes 0 to 9";
  return std::nullopt;
}

WriteOptions OutputFormat::Writing() const {
  WriteOptions writing;
  writing.format = FileFormatFromExtension(format).value_or(FileFormat::kPng);
  writing.quality = quality;
  writing.compression = compression;
  writing.profile_kept = true;
  return writing;
}

std::string OutputFormat::Text() const {
  // The number goes up when the same settings begin to give other bytes.
  const std::string version = Writing().format == FileFormat::kPng ? "/2" : "";
  return format + version + " q" + std::to_string(quality) + " c" + std::to_string(compression);
}

}  // namespace imgmill
