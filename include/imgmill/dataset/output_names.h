// What an output is called: after its source, and never like the output of another source of the run.
#pragma once

#include <string>
#include <string_view>

#include "imgmill/dataset/listing.h"

namespace imgmill {

/// Where the one output of `file` goes, relative to the output folder, when it gets `extension` (".png").
///
/// Ordinarily the extension is replaced: photo.jpg -> photo.png. Where that would be another file's output
/// too, the whole name is kept: beside a.webp, a.jpg -> a.jpg.png and a.webp -> a.webp.png, while a.png stays
/// a.png. Where even that is taken (a.jpg.tif lies there too), eight hex digits of the name's hash stand
/// between: a.jpg-1f2e3d4c.png. So no two files of one folder share a name, and a name hangs on the listing
/// alone: not on the order of work, the shard, or what lies in the output folder.
///
/// A name that would be longer than the 255 bytes that file systems take is shortened, and ends in 16 digits
/// of its hash.
///
/// What remains possible, since their folders are flattened, is that a file argument and a file in a folder
/// argument meet in one name; publishing refuses the second one (kConflict).
/// @param extension  with its dot; empty keeps the name as it is.
std::string OutputNameFor(const ListedFile& file, std::string_view extension);

/// The output name without an extension, for operations that make several files of one: "sub/photo" for
/// sub/photo_0_256.png; "sub/photo.jpg" where the stem is shared. What is added must begin with a character
/// other than a dot, and be of one form for all files of the run. At most 32 bytes may be
/// added: a longer stem is shortened as above.
std::string OutputStemFor(const ListedFile& file);

}  // namespace imgmill
