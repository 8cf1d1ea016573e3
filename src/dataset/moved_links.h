// Symbolic links that were moved, and the files that they lead to: where these are moved, too, the links are
// led to them again.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace imgmill {

class MovedLinks {
 public:
  /// A link with this text was moved from `path` to `target`; both are absolute.
  /// @param id  of the move
  void AddLink(size_t id, const std::string& path, const std::string& text, const std::string& target);
  /// A file, or a link, was moved. Links to it are moved before it is.
  void AddMove(const std::string& path, const std::string& target);
  /// A link, and what is to stand in it.
  struct Led {
    size_t id = 0;
    std::string path;
    std::string now;   ///< what stands there since it was moved
    std::string text;  ///< what leads to where its file is now
  };
  /// The links whose files went. They are forgotten here.
  std::vector<Led> TakeLed();
  /// One that is another's by now, or cannot be replaced, stays as it is.
  static void Lead(const Led& link);

 private:
  std::map<std::string, std::vector<Led>> leading_to_;  ///< by what they lead to; without their texts
  std::vector<std::pair<Led, std::string>> again_;      ///< and where the file went
};

}  // namespace imgmill
