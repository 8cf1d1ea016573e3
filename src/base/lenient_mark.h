// How results of broken files, as far as those could be read, are kept apart from results of whole ones.
#pragma once

#include <string_view>

namespace imgmill {

/// Ends the fingerprints and the names of facts of runs with --allow-truncated. The number goes up when such
/// a file gives something else.
inline constexpr std::string_view kLenientMark = " lenient/3";

/// The mark, or nothing, to be put behind such a name.
inline constexpr std::string_view LenientMark(bool lenient) {
  return lenient ? kLenientMark : std::string_view();
}

}  // namespace imgmill
