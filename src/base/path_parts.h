// Cutting and joining paths as bytes, without the file system.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imgmill {

/// "a/b.jpg" -> "a", "b.jpg" -> ".", "/b.jpg" -> "/".
std::string ParentOf(std::string_view path);
/// What follows the last slash.
std::string_view NameOf(std::string_view path);
/// The name without its extension; a name that starts with a dot or ends in one keeps it ("a.tar.gz" ->
/// "a.tar",
/// ".a" -> ".a", "a." -> "a.").
std::string_view StemOf(std::string_view name);
std::string Join(std::string_view folder, std::string_view name);

/// Without empty and "." components and without a slash at the end; ".." stays, since a link may stand before
/// it.
/// "" stays "", "./" gives ".".
std::string WithoutRedundancy(std::string_view path);

/// realpath; nothing, with errno set, if it does not exist or cannot be reached.
std::optional<std::string> Canonical(const std::string& path);

/// The canonical folder with the name as it is: the name of a directory entry, whether or not it is a link. A
/// folder that does not exist yet is made absolute by its nearest existing ancestor.
std::string AbsoluteEntry(const std::string& path);

/// Of two paths that are both canonical, or both as AbsoluteEntry gives them.
bool IsAtOrBelow(const std::string& path, const std::string& folder);

/// Canonical of it; of what does not exist, AbsoluteEntry.
std::string CanonicalOrEntry(const std::string& path);

}  // namespace imgmill
