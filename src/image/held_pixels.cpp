// Holds a decoded image in a pool's buffer or in a file that has no name, so that nothing is left behind
// whatever happens.
#include "held_pixels.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "imgmill/memory/out_of_memory.h"

namespace imgmill {
namespace {

constexpr size_t kStripBytes = size_t{1} << 20;

class InMemory final : public HeldPixels {
 public:
  explicit InMemory(const Layout& layout) : image_(layout) {}
  Image& image() { return image_; }
  Status Copy(int64_t y, size_t offset, size_t bytes, uint8_t* destination) override {
    std::memcpy(destination, image_.row(y) + offset, bytes);
    return {};
  }

 private:
  Image image_;
};

class InFile final : public HeldPixels {
 public:
  explicit InFile(size_t row_bytes) : row_bytes_(row_bytes) {}
  ~InFile() override {
    if (descriptor_ >= 0) close(descriptor_);
  }

  Status Open() {
    const char* set = std::getenv("TMPDIR");
    folder_ = set != nullptr && *set != '\0' ? set : "/tmp";
    descriptor_ = open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor_ < 0) {  // a file system without O_TMPFILE
      std::string name = folder_ + "/imgmill-XXXXXX";
      descriptor_ = mkostemp(name.data(), O_CLOEXEC);
      if (descriptor_ >= 0) unlink(name.c_str());
    }
    if (descriptor_ < 0) return Failed("make");
    return {};
  }

  Status Append(const uint8_t* data, size_t bytes) {
    while (bytes > 0) {
      const ssize_t written = write(descriptor_, data, bytes);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failed("write");
      data += written;
      bytes -= static_cast<size_t>(written);
    }
    return {};
  }

  Status Copy(int64_t y, size_t offset, size_t bytes, uint8_t* destination) override {
    off_t at = static_cast<off_t>(static_cast<size_t>(y) * row_bytes_ + offset);
    while (bytes > 0) {
      const ssize_t got = pread(descriptor_, destination, bytes, at);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Failed("read");
      destination += got;
      at += got;
      bytes -= static_cast<size_t>(got);
    }
    return {};
  }

 private:
  Error Failed(const char* doing) const {
    const int error = errno;
    const bool full = error == ENOSPC || error == EDQUOT;
    return {Stage::kDecode, full ? Code::kDiskFull : Code::kWriteError,
            std::string("cannot ") + doing + " a temporary file in " + folder_ + ": " + std::strerror(error) +
                " (set TMPDIR to another folder)"};
  }

  size_t row_bytes_;
  std::string folder_;
  int descriptor_ = -1;
};

}  // namespace

Result<std::unique_ptr<HeldPixels>> HeldPixels::Take(RowReader& rows, size_t most_bytes_in_memory) {
  const Layout& layout = rows.layout();
  const size_t row_bytes = layout.row_bytes();
  try {
    if (row_bytes * static_cast<size_t>(layout.height) <= most_bytes_in_memory) {
      auto held = std::make_unique<InMemory>(layout);
      Status status = rows.Read(layout.height, held->image().row(0), row_bytes);
      if (!status) return status.error();
      return std::unique_ptr<HeldPixels>(std::move(held));
    }
    auto held = std::make_unique<InFile>(row_bytes);
    Status opened = held->Open();
    if (!opened) return opened.error();
    Layout strip = layout;
    strip.height = std::clamp<int64_t>(static_cast<int64_t>(kStripBytes / row_bytes), 1, layout.height);
    Image pixels(strip);
    for (int64_t y = 0; y < layout.height; y += strip.height) {
      const int64_t now = std::min(strip.height, layout.height - y);
      Status status = rows.Read(now, pixels.row(0), row_bytes);
      if (status) status = held->Append(pixels.row(0), static_cast<size_t>(now) * row_bytes);
      if (!status) return status.error();
    }
    return std::unique_ptr<HeldPixels>(std::move(held));
  } catch (const OutOfMemory& refusal) {
    return Error{Stage::kDecode, Code::kOutOfMemory, refusal.what()};
  }
}

}  // namespace imgmill
