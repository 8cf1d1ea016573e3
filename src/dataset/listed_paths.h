// Lists of paths as editors of other systems write them.
#pragma once

#include <string>
#include <string_view>

#include "imgmill/base/result.h"

namespace imgmill {

/// The paths of a list: after a byte order mark, or, where each is a line, with Windows line ends. What the
/// first line ends with, all do: a name may end in a carriage return, too.
class ListedPaths {
 public:
  /// @param lines  each path is a line, not ended by a NUL byte
  explicit ListedPaths(bool lines) : lines_(lines) {}

  /// What stands for a path in the next line, which comes without its end; it may be empty.
  /// @param named  the list, as errors call it
  /// @return kReadError where the list is in UTF-16
  Result<std::string_view> Path(std::string_view line, const std::string& named);

 private:
  bool lines_;
  bool first_ = true;
  bool windows_ = false;
};

}  // namespace imgmill
