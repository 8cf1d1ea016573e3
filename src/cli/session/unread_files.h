// Pictures in formats that are not read: a folder of them is not empty, and one that has others has these,
// too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "imgmill/dataset/listing.h"

namespace imgmill {

/// A sentence for each kind of them that lies in the folders that are searched, such as "2 camera raw files,
/// which are not read (develop them first): photos/a.nef", with the first by name. Reads names only.
std::vector<std::string> FindUnreadPictures(const ListOptions& list);

/// How many of these, and of other programs' pictures, there are by the end of their names, in lower case:
/// ".nef". Reads names only.
std::map<std::string, uint64_t> CountUnreadPictures(const ListOptions& list);
/// "15 files of kinds that imgmill does not read were skipped: 12 .nef, 3 .psd".
std::string UnreadText(const std::map<std::string, uint64_t>& counts);

}  // namespace imgmill
