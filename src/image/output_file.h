// The file under an encoder, which remembers the errno that libraries lose.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "imgmill/base/result.h"
#include "vips_session.h"

namespace imgmill {

/// A file being written. After an error everything pretends to succeed, so that the encoder runs out without
/// messages of its own; failure() has the cause. Removed on destruction unless Keep was called.
class OutputFile {
 public:
  static Result<std::unique_ptr<OutputFile>> Create(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// A target of libvips that writes here. Call under a share.
  GRef<VipsTarget> Target();
  /// Writes the next bytes. False: failure() has the cause.
  bool Append(std::span<const uint8_t> bytes);
  std::optional<Error> failure() const;
  /// Closes it and leaves it in place.
  Status Keep();

 private:
  OutputFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  void Fail(int error);  // under mutex_
  int64_t Write(const void* data, int64_t bytes);
  void WriteAll(const uint8_t* data, size_t bytes);  // under mutex_

  std::string path_;
  int descriptor_;
  mutable std::mutex mutex_;  // also orders libvips' threads and ours where libvips' own locks cannot be seen
  std::optional<Error> failure_;
};

}  // namespace imgmill
