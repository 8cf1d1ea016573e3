// The images that failed, as every page of a command's result names them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace imgmill {

struct PageFailures {
  static constexpr size_t kMostNamed = 1000;
  uint64_t count = 0;
  /// Name and reason of the first kMostNamed, in printable text.
  std::vector<std::pair<std::string, std::string>> named;
  std::string one = "image", many = "images";  ///< what they are of
};

/// A list that can be unfolded; empty if nothing failed.
std::string FailuresHtml(const PageFailures& failed);

}  // namespace imgmill
