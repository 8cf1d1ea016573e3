// Which file names are an image's, or a video's.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

/// By its extension, in any case; a file without one by its first bytes, so that a LICENSE beside images
/// does not count as a broken one. A file that has none and cannot be read counts as an image: its failure is
/// then told. Of videos, those named .ts and .mts must begin like one, too: so do programs in TypeScript end.
/// @param folder  an open folder, or AT_FDCWD
/// @param path    relative to it; its last part is the name
/// @param videos  whether videos are taken beside images
bool IsTaken(int folder, const std::string& path, bool videos);

}  // namespace imgmill
