// Folders that dedup and filter have put images into: a later run that meets one below its input must not
// take what lies there for better copies of what it was given.
#pragma once

#include <string>
#include <vector>

#include "imgmill/dataset/listing.h"

namespace imgmill {

/// In a folder, hidden from listings: images were set aside in it. Whoever removes it has the folder read
/// again.
inline constexpr char kSetAsideMark[] = ".imgmill-set-aside";

/// Makes the folder if need be, and marks it.
/// @param command  whose images these are, such as "imgmill dedup": stands in the mark for who opens it
Status MarkSetAside(const std::string& folder, const std::string& command);

/// Whether `folder` is, or lies in, one of the paths' folders. A folder that does not exist lies where it
/// would.
bool LiesInInput(const std::string& folder, const std::vector<std::string>& paths);

/// The marked folders that a walk of the folders in `list.paths` would go into, as it would spell them, in
/// bytewise order. One that the user names, or names something in, is none of them: that is a wish. Folders
/// of `list.leave_out` are not gone into; entries of `list.files_from` are not looked at.
std::vector<std::string> SetAsideFolders(const ListOptions& list);

}  // namespace imgmill
