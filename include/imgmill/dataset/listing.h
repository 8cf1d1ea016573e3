// Which files a run is about: folders, files, lists and stdin, in bytewise order, as a stream that needs no
// memory beyond one folder's names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

struct ListOptions {
  /// Files and folders, as the user gave them (bytes).
  std::vector<std::string> paths;
  /// A file of paths, one a line ("-" is stdin); empty for none.
  std::string files_from;
  /// Paths in `files_from` end with a NUL byte instead of a newline, as `find -print0` writes them.
  bool nul_separated = false;
  /// Go into sub-folders.
  bool recursive = true;
  /// Shell patterns on the path relative to its folder ("*.jpg", "train/**"); a file is taken if any include
  /// matches (or there is none) and no exclude does. * and ? do not cross a slash, ** does; a pattern without
  /// a slash is matched against the file name.
  std::vector<std::string> include;
  std::vector<std::string> exclude;

  std::optional<std::string> Check() const;
};

/// One file to work on.
struct ListedFile {
  uint64_t index = 0;    ///< position in the run's order
  std::string path;      ///< to open it
  std::string relative;  ///< below the folder it was found in: where its output goes; the file name for a
                         ///< file argument
};

/// A path that was asked for and cannot be listed.
struct ListProblem {
  std::string path;
  Error error;
};

/// Pull-based. In folders, files are listed whose extension is a raster image's (.jpg .jpeg .jpe .png .apng
/// .webp .tif .tiff .bmp .gif .heic .heif .hif .avif .avifs .jp2 .j2k .jpx .jpf .jxl .ppm .pgm .pbm .pnm .pfm
/// .hdr .exr .ico .sgi .tga, any case) or that have none; other files are counted as ignored. A file named by
/// the user is always listed. Hidden files (.name) and folders are left out. A symbolic link to a folder is
/// not followed (loops); one to a file is listed, and a dangling one is a problem. A path given twice appears
/// once.
class Lister {
 public:
  static Result<std::unique_ptr<Lister>> Open(const ListOptions& options);
  virtual ~Lister() = default;
  /// The next file in bytewise order of path per argument, arguments in bytewise order too; nothing at the
  /// end.
  virtual std::optional<ListedFile> Next() = 0;
  /// Problems met so far (unreadable folder, missing argument, dangling link); they count as failed items.
  virtual const std::vector<ListProblem>& problems() const = 0;
  /// Files left out in folders because their extension is no image's, so that they can be reported.
  virtual uint64_t ignored() const = 0;
};

}  // namespace imgmill
