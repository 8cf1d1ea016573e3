// Pictures in formats that are not read, where a run has found no others: a folder of them is not empty.
#pragma once

#include <string>
#include <vector>

#include "imgmill/dataset/listing.h"

namespace imgmill {

/// A sentence for each kind of them that lies in the folders that are searched, such as "2 camera raw files,
/// which are not read (develop them first): photos/a.nef", with the first by name. Reads names only.
std::vector<std::string> FindUnreadPictures(const ListOptions& list);

}  // namespace imgmill
