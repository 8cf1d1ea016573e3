// Names that leave room for what is added to them.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

/// A file's name that leaves room for `added` bytes within the 255 that file systems take: itself, or its
/// beginning with a digest of the whole, which tells it apart from others that begin alike.
std::string ShortenedName(std::string_view name, size_t added);

}  // namespace imgmill
