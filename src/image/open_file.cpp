// Opens regular files only, and turns errno into errors that say what to do.
#include "open_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "archive/file_part.h"
#include "imgmill/base/errno_error.h"

namespace imgmill {

Error ReadErrorFromErrno(Stage stage, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {stage, Code::kNotFound, "no such file (was it moved or deleted meanwhile?)"};
    case EISDIR:
      return {stage, Code::kUnknownFormat, "it is a folder, not an image"};
    case EACCES:
    case EPERM:
      return {stage, Code::kPermission, "not allowed to read it"};
    case ELOOP:
      return {stage, Code::kNotFound, "its symbolic links go round in a circle"};
    case EMFILE:
    case ENFILE:
      return {stage, Code::kReadError, "too many open files (raise the limit with ulimit -n)"};
    default:
      return {stage, Code::kReadError, ErrnoText(error)};
  }
}

Result<InputFile> InputFile::Open(const std::string& path, Stage stage) {
  std::optional<FilePart> part = FilePart::Open(path);
  if (!part) {
    if (errno == ENXIO || errno == ENODEV) return Error{stage, Code::kUnknownFormat, "not a regular file"};
    return ReadErrorFromErrno(stage, errno);
  }
  if (S_ISDIR(part->info().st_mode))
    return Error{stage, Code::kUnknownFormat, "it is a folder, not an image"};
  if (!S_ISREG(part->info().st_mode)) {
    return Error{stage, Code::kUnknownFormat, "it is a pipe, socket or device, not a regular file"};
  }
  const auto start = static_cast<int64_t>(part->start()), bytes = static_cast<int64_t>(part->bytes());
  return InputFile(part->Release(), start, bytes);
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      start_(other.start_),
      bytes_(other.bytes_),
      overlays_(std::move(other.overlays_)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(start_, other.start_);
  std::swap(bytes_, other.bytes_);
  std::swap(overlays_, other.overlays_);
  return *this;
}

Result<InputFile> InputFile::Duplicate() const {
  const int descriptor = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) return ReadErrorFromErrno(Stage::kDecode, errno);
  InputFile duplicate(descriptor, start_, bytes_);
  duplicate.overlays_ = overlays_;
  return duplicate;
}

void InputFile::Overlay(uint64_t at, std::string bytes) {
  overlays_.push_back({at, std::move(bytes)});
}

ptrdiff_t InputFile::ReadAt(int64_t offset, void* destination, size_t bytes) const {
  // Behind a member stand others.
  if (start_ > 0)
    bytes = static_cast<size_t>(std::clamp<int64_t>(bytes_ - offset, 0, static_cast<int64_t>(bytes)));
  size_t have = 0;
  while (have < bytes) {
    const ssize_t got = pread(descriptor_, static_cast<char*>(destination) + have, bytes - have,
                              start_ + offset + static_cast<int64_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  for (const Overlaid& over : overlays_) {
    const uint64_t first = std::max(over.at, static_cast<uint64_t>(offset));
    const uint64_t end = std::min(over.at + over.bytes.size(), static_cast<uint64_t>(offset) + have);
    if (first >= end) continue;
    std::memcpy(static_cast<char*>(destination) + (first - static_cast<uint64_t>(offset)),
                over.bytes.data() + (first - over.at), end - first);
  }
  return static_cast<ptrdiff_t>(have);
}

Error TooFewBytes(int64_t file_bytes, int64_t width, int64_t height) {
  return {Stage::kDecode, Code::kTruncated,
          "the file has " + std::to_string(file_bytes) + " bytes, too few for the " + std::to_string(width) +
              " x " + std::to_string(height) + " pixels that its header says it has"};
}

Error FileChanged() {
  return {Stage::kDecode, Code::kReadError, "the file changed while it was being worked on"};
}

}  // namespace imgmill
