// Opening an input so that nothing but a regular file is ever read: a FIFO or a device would hang a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// A regular file, or a member of an archive, open for reading.
class InputFile {
 public:
  /// Errors: kNotFound, kPermission, kReadError, kUnknownFormat (a folder, FIFO, socket or device).
  static Result<InputFile> Open(const std::string& path, Stage stage);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;

  /// This file under a descriptor of its own, for a reader that outlives this one.
  Result<InputFile> Duplicate() const;

  /// Whether the descriptor gives the same bytes: it does not of an archive's member, nor what is overlaid.
  bool plain() const { return start_ == 0 && overlays_.empty(); }
  int descriptor() const { return descriptor_; }
  int64_t bytes() const { return bytes_; }
  /// Up to `bytes` from `offset` on: fewer at the end of the file, -1 on a read error (errno says which).
  ptrdiff_t ReadAt(int64_t offset, void* destination, size_t bytes) const;
  /// From now on, `bytes` are read in place of those that the file has at `at`; in duplicates, too.
  void Overlay(uint64_t at, std::string bytes);
  /// All of `bytes` from `offset` on; false where the file does not have them, or on a read error.
  bool ReadExactly(uint64_t offset, void* destination, size_t bytes) const {
    return offset <= static_cast<uint64_t>(bytes_) &&
           ReadAt(static_cast<int64_t>(offset), destination, bytes) == static_cast<ptrdiff_t>(bytes);
  }

 private:
  InputFile(int descriptor, int64_t start, int64_t bytes)
      : descriptor_(descriptor), start_(start), bytes_(bytes) {}
  struct Overlaid {
    uint64_t at;
    std::string bytes;
  };

  int descriptor_ = -1;
  int64_t start_ = 0;  ///< of a member in its archive; a header stands before the first one
  int64_t bytes_ = 0;
  std::vector<Overlaid> overlays_;
};

/// What errno means for a file that is read.
Error ReadErrorFromErrno(Stage stage, int error);

/// Of a file that is another than the one whose header was read.
Error FileChanged();

/// Behind the words for what is missing: advice where that is an error, and the note where it is not.
inline constexpr const char* kAllowTruncated = " (use --allow-truncated to keep the readable part)";
inline constexpr const char* kReadableKept = "; the readable part is kept";

/// Of a file too short for the pixels that its header tells of.
Error TooFewBytes(int64_t file_bytes, int64_t width, int64_t height);

}  // namespace imgmill
