// The files of folders that a listing passes over, and which of them are pictures that imgmill does not read.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace imgmill {

enum class UnreadKind {
  kCameraRaw,
  kPhotoshop,
  kOther  ///< of another program: drawings, icons, scientific images
};

/// Pictures of one extension.
struct UnreadPictures {
  UnreadKind kind = UnreadKind::kOther;
  uint64_t files = 0;
  std::string first;  ///< path, the first in bytewise order
};

class IgnoredFiles {
 public:
  /// A file that is no image by its name, or no file.
  void Add() { ++files_; }
  /// The same, of which the user's patterns would let the name through: it may be a picture.
  void AddByName(const std::string& path);
  void Add(const IgnoredFiles& others);

  uint64_t files() const { return files_; }
  /// By the end of their names in lower case: ".nef".
  const std::map<std::string, UnreadPictures>& pictures() const { return pictures_; }

 private:
  uint64_t files_ = 0;
  std::map<std::string, UnreadPictures> pictures_;
};

}  // namespace imgmill
