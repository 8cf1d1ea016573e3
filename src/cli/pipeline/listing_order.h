// The order in which a folder's listing has files.
#pragma once

#include "imgmill/engine/item_source.h"

namespace imgmill {

/// The same files, which all lie below one folder, as a listing of that folder would order them: bytewise. A
/// step gives those that it made of one image together: img1_00000_00000.png before those of img10, which a
/// listing has first. Memory: 1 MiB for any number of files. kDiskFull, kWriteError or kReadError where
/// temporary files fail.
Result<FileTable> InListingOrder(const FileTable& files);

}  // namespace imgmill
