// Thumbnails for the report page, read and written by the same code as everything else.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "imgmill/image/reader.h"
#include "imgmill/image/writer.h"
#include "run_trace.h"

namespace imgmill {
namespace {

constexpr double kLongSide = 96;
constexpr int64_t kRowsAtOnce = 16;

std::string Base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

/// Writes the thumbnail to `target`; false where anything is in the way: a page without a thumbnail is a
/// page.
bool WriteSmall(const std::string& path, const std::string& target, MemoryManager& memory) {
  const Result<ImageHeader> header = Probe(path, {});
  if (!header || header->width == 0 || header->height == 0) return false;
  ReadOptions reading;
  reading.to_8bit = true;
  reading.bands = ReadOptions::Bands::kRgb;
  reading.alpha = ReadOptions::Alpha::kFlattenWhite;
  reading.allow_truncated = true;  // a thumbnail of what can be seen helps to judge a broken file
  const double scale =
      std::min(1.0, kLongSide / static_cast<double>(std::max(header->width, header->height)));
  const Result<Lease> lease = memory.TryAcquire(ResizeFootprint(*header, reading, scale));
  if (!lease || !*lease) return false;
  Result<std::unique_ptr<RowReader>> reader = OpenResizedRows(path, *header, reading, scale, "cubic");
  if (!reader) return false;
  const Layout layout = (*reader)->layout();
  WriteOptions writing;
  writing.format = FileFormat::kJpeg;
  writing.quality = 80;
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(target, layout, writing, "");
  if (!writer) return false;
  Image rows(Layout{layout.width, kRowsAtOnce, layout.bands, layout.sample});
  for (int64_t y = 0; y < layout.height; y += kRowsAtOnce) {
    ImageView view = rows.view();
    view.layout.height = std::min(kRowsAtOnce, layout.height - y);
    if (!(*reader)->Read(view.layout.height, rows.row(0), view.stride) || !(*writer)->Write(view))
      return false;
  }
  return (*writer)->Finish().ok();
}

}  // namespace

std::string Thumbnail(const std::string& path, MemoryManager& memory) {
  std::string target = (std::filesystem::temp_directory_path() / "imgmill-thumbnail-XXXXXX").string();
  const int fd = ::mkstemp(target.data());
  if (fd < 0) return {};
  ::close(fd);
  std::string uri;
  if (WriteSmall(path, target, memory)) {
    std::ifstream file(target, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    uri = "data:image/jpeg;base64," + Base64(bytes);
  }
  ::unlink(target.c_str());
  return uri;
}

}  // namespace imgmill
