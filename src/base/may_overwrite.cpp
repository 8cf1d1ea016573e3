#include "base/may_overwrite.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/usage_error.h"
#include "imgmill/base/image_format.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// "2026-11-30T02:45:48.781+00:00"
bool BeginsWithTime(std::string_view head) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (head.size() < kForm.size()) return false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(head[i])) != 0;
    if (kForm[i] == '0' ? !digit : head[i] != kForm[i]) return false;
  }
  return true;
}

/// Where a Parquet file says who has written it.
std::string EndOf(const std::string& path) {
  constexpr std::streamoff kBytes = 256;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff bytes = file.tellg();
  std::string end(static_cast<size_t>(std::clamp<std::streamoff>(bytes, 0, kBytes)), '\0');
  file.seekg(-static_cast<std::streamoff>(end.size()), std::ios::end);
  file.read(end.data(), static_cast<std::streamsize>(end.size()));
  return end;
}

bool IsOurs(std::string_view head, const std::string& path, WrittenAs as) {
  switch (as) {
    case WrittenAs::kPage:
      return head.starts_with("<!doctype html>\n<html lang=\"en\">");
    case WrittenAs::kReport:
      return head.starts_with('{') && head.find("\"imgmill/") != std::string_view::npos;
    case WrittenAs::kMetrics:
      return head.starts_with("# HELP imgmill");
    case WrittenAs::kTable: {
      const std::string_view line = head.substr(0, head.find('\n'));
      return line.starts_with("path,kept,dropped_by") || line.starts_with("path,partner,width") ||
             (line.starts_with("{\"path\":") && line.find("\"kept\":") != std::string_view::npos) ||
             (head.starts_with("PAR1") && EndOf(path).find("imgmill") != std::string::npos);
    }
    case WrittenAs::kManifest: {  // the lists of tile and frames begin with the output, too
      const std::string_view line = head.substr(0, head.find('\n'));
      return line.starts_with("{\"output\":") && line.find("\"source_digest\":") != std::string_view::npos;
    }
    case WrittenAs::kLog:
      return path.ends_with(".log") || BeginsWithTime(head);
  }
  return false;
}

std::string_view NameOf(WrittenAs as) {
  switch (as) {
    case WrittenAs::kPage:
      return "a page";
    case WrittenAs::kReport:
      return "a report";
    case WrittenAs::kMetrics:
      return "a file of metrics";
    case WrittenAs::kTable:
      return "a table";
    case WrittenAs::kManifest:
      return "a manifest";
    case WrittenAs::kLog:
      break;
  }
  return "a log";
}

}  // namespace

Status MayOverwrite(const std::string& flag, const std::string& path, WrittenAs as) {
  std::error_code none;
  if (path.empty() || !std::filesystem::is_regular_file(path, none)) return {};
  std::array<char, 16384> bytes{};  // a line of a manifest has two paths
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return UsageError(flag + " " + PrintablePath(path) +
                      " exists already, and cannot be read to see whose it is: name another file");
  file.read(bytes.data(), bytes.size());
  const std::string_view head(bytes.data(), static_cast<size_t>(file.gcount()));
  const Signature signature = SignatureOf(head);
  if (signature.format != ImageFormat::kOther)
    return UsageError(flag + " " + PrintablePath(path) + " would overwrite an image (" +
                      std::string(FactsOf(signature.format).title) + "): name another file");
  if (head.empty() || IsOurs(head, path, as)) return {};
  return UsageError(flag + " " + PrintablePath(path) + " exists already, and is not " +
                    std::string(NameOf(as)) + " of imgmill: name another file, or remove it");
}

}  // namespace imgmill
