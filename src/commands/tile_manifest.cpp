// Lines are gathered into blocks, and the file gets its name when the run is over.
#include "tile_manifest.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10;
constexpr std::string_view kBegin = "{\"tile\":";

/// Nothing there, or a manifest of an earlier run.
bool MayReplace(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return ::access(path.c_str(), F_OK) != 0;
  std::string begin(kBegin.size(), '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return file.gcount() == 0 || begin == kBegin;
}

}  // namespace

TileManifest::TileManifest(std::string path, std::string temporary, int descriptor)
    : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

Result<std::unique_ptr<TileManifest>> TileManifest::Open(const std::string& path, bool overwrite) {
  if (!overwrite && !MayReplace(path)) {
    return Error{Stage::kWrite, Code::kConflict,
                 PrintablePath(path) + " is no manifest of tiles (use --force to replace it)"};
  }
  if (Status made = MakeFolders(path.substr(0, path.rfind('/'))); !made) return made.error();
  std::string temporary = TemporaryNameFor(path);
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return ErrnoError(Stage::kWrite, errno, "create " + PrintablePath(temporary));
  return std::unique_ptr<TileManifest>(new TileManifest(path, std::move(temporary), descriptor));
}

TileManifest::~TileManifest() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void TileManifest::Add(const TileRecord& record) {
  nlohmann::ordered_json line;
  line["tile"] = PrintablePath(record.tile);
  line["source"] = PrintablePath(record.source);
  if (!record.low_tile.empty()) {
    line["lq_tile"] = PrintablePath(record.low_tile);
    line["lq_source"] = PrintablePath(record.low_source);
  }
  line["x"] = record.place.x;
  line["y"] = record.place.y;
  line["width"] = record.size;
  line["height"] = record.size;
  line["scale"] = record.scale;
  pending_ += line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (pending_.size() >= kBlockBytes) Drain();
}

void TileManifest::Drain() {
  size_t written = 0;
  while (status_ && written < pending_.size()) {
    const ssize_t put = ::write(descriptor_, pending_.data() + written, pending_.size() - written);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      status_ = ErrnoError(Stage::kWrite, errno, "write " + PrintablePath(path_));
    } else {
      written += static_cast<size_t>(put);
    }
  }
  pending_.clear();
}

Status TileManifest::Finish() {
  Drain();
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && status_)
    status_ = ErrnoError(Stage::kWrite, errno, "write " + PrintablePath(path_));
  if (!status_) return status_;
  const std::string temporary = std::exchange(temporary_, std::string());
  return Publish(temporary, path_, true);
}

}  // namespace imgmill
