// Files that belong to an image and go where it goes: captions, metadata, features.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imgmill {

class FolderNames;

struct Sidecar {
  std::string path;
  std::string ending;       ///< what follows the image's name: ".txt"
  bool whole_name = false;  ///< "photo.jpg.txt", not "photo.txt"

  /// Its name beside another image, or beside this one elsewhere.
  std::string Beside(const std::string& image) const;
};

/// What a side-car's name has behind the image's stem: ".txt", or ".jpg.txt".
std::string_view EndingBehindStem(std::string_view image, std::string_view sidecar);

/// Looks for the names that an image's side-cars would have; it reads no folder to find them.
class SidecarFinder {
 public:
  /// Patterns are "*" and an ending, as "*.txt": photo.jpg then has photo.txt and photo.jpg.txt. Upper and
  /// lower case differ. What is wrong with them, in words a user can act on; nothing when all is well.
  static std::optional<std::string> Check(const std::vector<std::string>& patterns);

  explicit SidecarFinder(const std::vector<std::string>& patterns);
  ~SidecarFinder();

  /// Those that are there: files, or links. In the order of the patterns, photo.txt before photo.jpg.txt.
  /// Thread-safe.
  std::vector<Sidecar> Of(const std::string& image) const;

  /// The patterns that no image had a side-car for; none where Of was never called.
  std::vector<std::string> Unmatched() const;

  /// Whether another image has it for a side-car, too: photo.png, beside photo.jpg and photo.txt. A folder
  /// that cannot be read is taken to have one.
  bool Shares(const std::string& image, const Sidecar& sidecar);

 private:
  std::vector<std::string> endings_;
  mutable std::atomic<bool> asked_{false};
  mutable std::vector<std::atomic<bool>> matched_;  ///< of each ending
  std::string folder_;                              ///< that names_ are of
  std::unique_ptr<FolderNames> names_;              ///< null where they cannot be read
};

}  // namespace imgmill
