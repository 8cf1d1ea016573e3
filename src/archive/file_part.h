// A file's bytes, or those of an archive's member, for whoever reads them from first to last or by place.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace imgmill {

class FilePart {
 public:
  /// Does not wait for a pipe's writer. Nothing, with errno set, where it cannot be opened; a folder in an
  /// archive is EISDIR.
  static std::optional<FilePart> Open(const std::string& path);

  /// Of the file, or of the member as StatPath has it.
  const struct stat& info() const { return info_; }
  /// Another size than this is read of a file that is written to meanwhile.
  uint64_t bytes() const { return static_cast<uint64_t>(info_.st_size); }
  int descriptor() const { return file_.get(); }
  int Release() { return file_.Release(); }
  /// Where the bytes begin in what the descriptor is of: 0 but for members.
  uint64_t start() const { return start_; }
  bool is_member() const { return member_; }

  /// The next bytes, as ReadFull.
  ssize_t Read(void* to, size_t bytes);

 private:
  UniqueFd file_;
  struct stat info_ {};
  uint64_t start_ = 0;
  uint64_t left_ = 0;  ///< of a member
  bool member_ = false;
};

}  // namespace imgmill
