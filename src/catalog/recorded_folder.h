// How records name a folder: by the way to it from the output folder that the catalog is of, so that both may
// be moved, or by its absolute path.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

/// The output folder that a catalog in this folder is of, canonical; "" where it is of none.
std::string OutputFolderOfCatalog(const std::string& catalog_folder);

/// The row by which a catalog knows where its own folder was: an identity that no folder has.
inline constexpr char kHomeQuery[] = "SELECT path FROM folders WHERE inode = 0 AND born_ns = 0";

/// Of rows of finished work that stand for a folder: no file is made of this, nor called so.
inline constexpr char kFolderSource[] = "folder";
/// What their outputs begin with; then comes the way, and a slash.
inline constexpr std::string_view kFolderBegin = "//";

/// What the fingerprints of files begin with that lie where the user said; then comes the way.
inline constexpr std::string_view kExport = "export/1 in ";

/// The way to `folder`; "." for the output folder itself, absolute where it does not lie in it.
std::string WayTo(const std::string& folder, const std::string& catalog_folder);
std::string AtEndOf(const std::string& way, const std::string& output_folder);

}  // namespace imgmill
