// Reading weight files with pread.
#include "networks/weights/weight_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "networks/weights/sha256.h"

namespace imgmill {

Error WeightError(std::string message) {
  return {Stage::kConfigure, Code::kModelError, std::move(message)};
}

Result<WeightFile> WeightFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoError(Stage::kConfigure, errno, "the weight file cannot be opened");
  struct stat status;
  if (fstat(fd, &status) != 0) {
    const int number = errno;
    close(fd);
    return ErrnoError(Stage::kConfigure, number, "the weight file cannot be examined");
  }
  if (!S_ISREG(status.st_mode)) {
    close(fd);
    return WeightError(S_ISDIR(status.st_mode) ? "is a folder, not a weight file" : "is not a regular file");
  }
  return WeightFile(fd, status);
}

WeightFile::~WeightFile() {
  if (fd_ >= 0) close(fd_);
}

WeightFile::WeightFile(WeightFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_), written_(other.written_) {}

Status WeightFile::ReadAt(uint64_t offset, void* data, size_t bytes) const {
  if (offset > size_ || bytes > size_ - offset) return WeightError("the file ends early");
  char* out = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = pread(fd_, out, std::min(bytes, size_t{1} << 30), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(Stage::kConfigure, errno, "the weight file cannot be read");
    if (got == 0) return WeightError("the file became shorter while it was read");
    out += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  return {};
}

Status WeightFile::Unchanged() const {
  struct stat now;
  if (fstat(fd_, &now) != 0)
    return ErrnoError(Stage::kConfigure, errno, "the weight file cannot be examined");
  if (static_cast<uint64_t>(now.st_size) == size_ && now.st_mtim.tv_sec == written_.tv_sec &&
      now.st_mtim.tv_nsec == written_.tv_nsec)
    return {};
  return WeightError("the file was written to while it was read: run again when it is complete");
}

Result<std::string> WeightFile::Digest() const {
  Sha256 hash;
  char chunk[65536];
  for (uint64_t offset = 0; offset < size_; offset += sizeof chunk) {
    const size_t bytes = static_cast<size_t>(std::min<uint64_t>(sizeof chunk, size_ - offset));
    TRY(ReadAt(offset, chunk, bytes));
    hash.Update(chunk, bytes);
  }
  TRY(Unchanged());
  return hash.Hex();
}

Status WeightCursor::Read(void* data, size_t bytes) {
  if (bytes > left()) return WeightError("the file ends early");
  char* out = static_cast<char*>(data);
  while (bytes > 0) {
    if (taken_ == filled_) {
      filled_ = static_cast<size_t>(std::min<uint64_t>(sizeof buffer_, end_ - position_));
      taken_ = 0;
      TRY(file_.ReadAt(position_, buffer_, filled_));
      position_ += filled_;
    }
    const size_t now = std::min(bytes, filled_ - taken_);
    std::memcpy(out, buffer_ + taken_, now);
    taken_ += now;
    out += now;
    bytes -= now;
  }
  return {};
}

}  // namespace imgmill
