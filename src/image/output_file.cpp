// Writes an encoder's bytes with plain system calls, so that a full disk is told as one.
#include "output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/full_disk.h"
#include "imgmill/base/errno_error.h"

namespace imgmill {
namespace {

Error WriteErrorFromErrno(int error) {
  switch (error) {
    case ENOSPC:
      return {Stage::kWrite, Code::kDiskFull, "no space left on the disk (free some and run again)"};
    case EDQUOT:
      return {Stage::kWrite, Code::kDiskFull, "the disk quota is used up (free some space and run again)"};
    case EFBIG:
      return {Stage::kWrite, Code::kDiskFull, kPastFileLimit};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Stage::kWrite, Code::kPermission, "not allowed to write: " + ErrnoText(error)};
    case ENOENT:
    case ENOTDIR:
      return {Stage::kWrite, Code::kNotFound, "its folder does not exist"};
    default:
      return {Stage::kWrite, Code::kWriteError, ErrnoText(error)};
  }
}

}  // namespace

Result<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return WriteErrorFromErrno(errno);
  return std::unique_ptr<OutputFile>(new OutputFile(path, descriptor));
}

OutputFile::~OutputFile() {
  std::lock_guard lock(mutex_);
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(path_.c_str());
}

Status OutputFile::Keep() {
  std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  const int descriptor = std::exchange(descriptor_, -1);
  // NFS and quotas report here.
  if (close(descriptor) != 0) {
    const int error = errno;
    unlink(path_.c_str());
    return WriteErrorFromErrno(error);
  }
  return {};
}

std::optional<Error> OutputFile::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

void OutputFile::Fail(int error) {
  if (!failure_) failure_ = WriteErrorFromErrno(error);
}

int64_t OutputFile::Write(const void* data, int64_t bytes) {
  MeetVipsThreads();
  std::lock_guard lock(mutex_);
  WriteAll(static_cast<const uint8_t*>(data), static_cast<size_t>(bytes));
  return bytes;
}

void OutputFile::WriteAll(const uint8_t* data, size_t bytes) {
  while (bytes > 0 && !failure_) {
    const ssize_t written = write(descriptor_, data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Fail(errno);
    data += written;
    bytes -= static_cast<size_t>(written);
  }
}

GRef<VipsTarget> OutputFile::Target() {
  MeetVipsThreads();
  VipsTargetCustom* custom = vips_target_custom_new();
  // libvips emits these signals as int64 (target, pointer, int64), int64 (target, int64, int), int (target).
  auto* write_rows = +[](VipsTargetCustom*, const void* data, gint64 bytes, OutputFile* file) -> gint64 {
    return file->Write(data, bytes);
  };
  auto* read_back = +[](VipsTargetCustom*, void* data, gint64 bytes, OutputFile* file) -> gint64 {
    MeetVipsThreads();
    std::lock_guard lock(file->mutex_);
    const ssize_t got = read(file->descriptor_, data, static_cast<size_t>(bytes));
    if (got < 0) file->Fail(errno);
    return got;
  };
  auto* seek = +[](VipsTargetCustom*, gint64 offset, int whence, OutputFile* file) -> gint64 {
    MeetVipsThreads();
    std::lock_guard lock(file->mutex_);
    const off_t at = lseek(file->descriptor_, offset, whence);
    if (at < 0) file->Fail(errno);
    return at;
  };
  auto* end = +[](VipsTargetCustom*, OutputFile*) -> int { return 0; };
  g_signal_connect(custom, "write", G_CALLBACK(write_rows), this);
  g_signal_connect(custom, "read", G_CALLBACK(read_back), this);
  g_signal_connect(custom, "seek", G_CALLBACK(seek), this);
  g_signal_connect(custom, "end", G_CALLBACK(end), this);
  return GRef<VipsTarget>(VIPS_TARGET(custom));
}

bool OutputFile::Append(std::span<const uint8_t> bytes) {
  std::lock_guard lock(mutex_);
  WriteAll(bytes.data(), bytes.size());
  return !failure_;
}

}  // namespace imgmill
