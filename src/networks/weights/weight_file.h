// A weight file, open for reading at any offset with read calls: a mapping would be resident memory that no
// pool sees.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"

namespace imgmill {

/// The kModelError of a weight file.
Error WeightError(std::string message);

class WeightFile {
 public:
  /// Only regular files are opened. Errors: kNotFound, kPermission, kReadError.
  static Result<WeightFile> Open(const std::string& path);
  ~WeightFile();
  WeightFile(WeightFile&& other) noexcept;
  WeightFile& operator=(WeightFile&&) = delete;

  uint64_t size() const noexcept { return size_; }

  /// Fills `data` from `offset`. kModelError "ends early" where the file does, kReadError where the disk
  /// fails.
  Status ReadAt(uint64_t offset, void* data, size_t bytes) const;

  /// A kModelError where somebody wrote into the file since it was opened.
  Status Unchanged() const;

  /// SHA-256 of the whole content in hex.
  Result<std::string> Digest() const;

 private:
  WeightFile(int fd, const struct stat& status)
      : fd_(fd), size_(static_cast<uint64_t>(status.st_size)), written_(status.st_mtim) {}
  int fd_;
  uint64_t size_;
  struct timespec written_;
};

/// Reads forward within [offset, offset + bytes) of a file, through a small buffer.
class WeightCursor {
 public:
  WeightCursor(const WeightFile& file, uint64_t offset, uint64_t bytes)
      : file_(file), position_(offset), end_(offset + bytes) {}

  uint64_t position() const noexcept { return position_ - (filled_ - taken_); }
  uint64_t left() const noexcept { return end_ - position(); }

  Status Read(void* data, size_t bytes);

 private:
  const WeightFile& file_;
  uint64_t position_;  ///< where the next refill starts
  uint64_t end_;
  size_t taken_ = 0;
  size_t filled_ = 0;
  char buffer_[4096];
};

}  // namespace imgmill
