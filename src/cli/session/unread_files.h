// What a run says of pictures in formats that are not read: a folder of them is not empty, and one that has
// others has these, too.
#pragma once

#include <string>
#include <vector>

#include "imgmill/dataset/ignored_files.h"

namespace imgmill {

/// A sentence for camera raw files and one for Photoshop files, if there are any, such as "2 camera raw
/// files, which are not read (develop them first): photos/a.nef", with the first by name.
std::vector<std::string> UnreadSentences(const IgnoredFiles& ignored);

/// Of all of them: "15 files of kinds that imgmill does not read were skipped: 12 .nef, 3 .psd". There must
/// be one.
std::string UnreadText(const IgnoredFiles& ignored);

}  // namespace imgmill
