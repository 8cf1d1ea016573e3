// The list of tiles that earlier runs have left in a folder: what of it is still true when a run has ended.
#include "earlier_tiles.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr std::string_view kBegin = "{\"tile\":";
/// Four paths of 4096 bytes, each written as "\\xHH", and the numbers.
constexpr size_t kLongestLine = size_t{96} << 10;

uint64_t HashOf(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

/// What is asked of a line; paths are as PrintablePath writes them.
struct Line {
  std::string tile;
  std::string source;
  std::string low_tile;
};

bool Parse(std::string_view text, Line& line) {
  if (!text.starts_with(kBegin)) return false;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  const auto take = [&](const char* name, std::string& value, bool needed) {
    const auto found = json.find(name);
    if (found == json.end()) return !needed;
    if (found->is_string()) value = found->get<std::string>();
    return found->is_string();
  };
  return take("tile", line.tile, true) && take("source", line.source, true) &&
         take("lq_tile", line.low_tile, false);
}

/// "photo_00512_00000.png" -> "photo_": what all tiles of its source begin with.
std::string_view PrefixOf(std::string_view tile) {
  const size_t last = tile.rfind('_');
  const size_t before = last == std::string_view::npos || last == 0 ? last : tile.rfind('_', last - 1);
  return before == std::string_view::npos ? tile : tile.substr(0, before + 1);
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// Reads a line at a time, and none that is longer than a line can be.
class Lines {
 public:
  explicit Lines(std::FILE* file) : file_(file), buffer_(kLongestLine + 2, '\0') {}
  /// False at the end, on a read error, and at what is no whole line: see `whole`.
  bool Next(std::string_view& text) {
    if (std::fgets(buffer_.data(), static_cast<int>(buffer_.size()), file_) == nullptr) return false;
    ++number_;
    const size_t length = std::char_traits<char>::length(buffer_.data());
    whole_ = length > 0 && buffer_[length - 1] == '\n';
    text = std::string_view(buffer_.data(), whole_ ? length - 1 : length);
    return whole_;
  }
  bool whole() const { return whole_; }
  uint64_t number() const { return number_; }

 private:
  std::FILE* file_;
  std::string buffer_;
  uint64_t number_ = 0;
  bool whole_ = true;
};

/// Tells `each` of each line. A file that is not there has none.
Status ForEachLine(const std::string& path,
                   const std::function<Status(std::string_view text, const Line& line)>& each) {
  const auto advice = [&](const std::string& why) {
    return PrintablePath(path) + why +
           " (move it away, or use --force to replace it, or choose another output folder)";
  };
  const File file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file && errno == ENOENT) return {};
  if (!file) {
    const Error error = ErrnoError(Stage::kWrite, errno, "");
    return Error{Stage::kWrite, error.code,
                 advice(", the list of earlier tiles, cannot be read" + error.message)};
  }
  Lines lines(file.get());
  std::string_view text;
  Line line;
  bool more = lines.Next(text);
  while (more) {
    line = {};
    if (!Parse(text, line)) break;
    TRY(each(text, line));
    more = lines.Next(text);
  }
  if (std::ferror(file.get()) != 0) {
    const Error error = ErrnoError(Stage::kWrite, errno == 0 ? EIO : errno, "");
    return Error{Stage::kWrite, error.code,
                 advice(", the list of earlier tiles, cannot be read" + error.message)};
  }
  if (!more && lines.whole()) return {};
  if (lines.number() <= 1 && !text.starts_with(kBegin))
    return Error{Stage::kWrite, Code::kConflict, advice(" is no list of tiles")};
  return Error{Stage::kWrite, Code::kMalformed,
               advice(", the list of earlier tiles, is damaged at line " + std::to_string(lines.number()))};
}

}  // namespace

EarlierTiles::EarlierTiles(std::string list)
    : list_(std::move(list)), folder_(list_.substr(0, list_.rfind('/') + 1)) {}

Status EarlierTiles::Check() const {
  return ForEachLine(list_, [](std::string_view, const Line&) { return Status{}; });
}

void EarlierTiles::Replace(std::string_view source, std::string_view prefix) {
  sources_.push_back(HashOf(PrintablePath(std::string(source))));
  prefixes_.push_back(HashOf(PrintablePath(std::string(prefix))));
}

bool EarlierTiles::Replaced(std::string_view source, std::string_view tile) const {
  return std::binary_search(sources_.begin(), sources_.end(), HashOf(source)) ||
         std::binary_search(prefixes_.begin(), prefixes_.end(), HashOf(PrefixOf(tile)));
}

bool EarlierTiles::IsThere(const std::string& tile) const {
  return Exists(folder_ + PathFromPrintable(tile));
}

Result<KeptTiles> EarlierTiles::Copy(const std::function<Status(std::string_view)>& put) {
  std::sort(sources_.begin(), sources_.end());
  std::sort(prefixes_.begin(), prefixes_.end());
  KeptTiles kept;
  std::string last_source;
  const Status read = ForEachLine(list_, [&](std::string_view text, const Line& line) -> Status {
    if (Replaced(line.source, line.tile) || !IsThere(line.tile)) return {};
    if (!line.low_tile.empty() && !IsThere(line.low_tile)) return {};
    if (kept.tiles++ == 0 || line.source != last_source) ++kept.sources;  // a source's lines stand together
    last_source = line.source;
    return put(text);
  });
  return read ? Result<KeptTiles>(kept) : read.error();
}

}  // namespace imgmill
