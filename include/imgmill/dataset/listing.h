// Which files a run is about: folders, files, lists and stdin, in bytewise order, as a stream that needs no
// memory beyond one folder's names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/dataset/ignored_files.h"

namespace imgmill {

struct ListOptions {
  /// Files and folders, as the user gave them (bytes).
  std::vector<std::string> paths;
  /// A file of paths, one per line ("-" is stdin); empty for none. Empty lines are skipped, and so are a
  /// byte order mark and, if the first line has one, the carriage return of Windows line ends. Paths are
  /// relative to the current folder. It is sorted in bounded memory (with a temporary file when long), so
  /// nothing is listed before its end was read.
  std::string files_from;
  /// Paths in `files_from` end with a NUL byte instead of a newline, as `find -print0` writes them.
  bool nul_separated = false;
  /// Go into sub-folders.
  bool recursive = true;
  /// Shell patterns on the path relative to its folder ("*.jpg", "train/**"); a file is taken if any include
  /// matches (or there is none) and no exclude does. * and ? do not cross a slash, ** does; "**/" matches no
  /// folder too; [a-z] and [!a-z] are sets; a backslash takes the next character as it is. A pattern without
  /// a slash is matched against the file name, one with a leading slash only right in the listed folder. One
  /// that ends in a slash means the folder: `--exclude cache/` goes into no folder of that name. Upper and
  /// lower case differ. Files that the user names, and those of a list, are not filtered.
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  /// Folders that are not gone into wherever they are met, such as the run's own output below its input. One
  /// that does not exist (yet) is met nowhere. What the user or a list names in one is listed.
  std::vector<std::string> leave_out;
  /// Take videos in folders, too: for who reads frames. Others would only fail at them.
  bool videos = false;
  /// Looked at while a list from a pipe keeps us waiting; reading it then ends with kInterrupted.
  const StopFlag* stop = nullptr;

  bool NamesNothing() const { return paths.empty() && files_from.empty(); }
  /// The first thing that is wrong, in words a user can act on; nothing when all is well.
  std::optional<std::string> Check() const;
};

/// Whether other files listed beside this one would want its name, were it to get another extension;
/// output_names.h makes output names of it.
enum class NameClash {
  kNone,  ///< no other file here has its stem: a.jpg may become a.png
  kStem,  ///< one has, as a.webp beside a.jpg: a.jpg may become a.jpg.png
  kName   ///< and that name is not free either, as beside a.jpg.webp
};

/// One file to work on.
struct ListedFile {
  uint64_t index = 0;  ///< position in the run's order
  std::string path;    ///< to open it: the argument, or the folder's path as given and what lies below
  /// Where its output goes, below the output folder; never absolute, never with "..".
  /// - in a folder argument: the path below that folder. Are there several folder arguments, the folder's
  /// name stands in front, as `cp -r a b out` does, also where the others are missing; where two have the
  /// same name, their paths as given (see below).
  /// - a file argument: its name. Where several have the same name, their paths as given.
  /// - an entry of a list: the path as given, so that the list's structure is kept.
  /// A path as given is without a leading slash and without all up to its last "..", as tar stores it.
  std::string relative;
  NameClash clash = NameClash::kNone;

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.index), each(self.path), each(self.relative), each(self.clash);
  }
};

/// A path that was asked for and cannot be listed.
struct ListProblem {
  std::string path;
  Error error;
};

/// Pull-based. In folders, files are listed whose extension is a raster image's (.jpg .jpeg .jpe .png .apng
/// .webp .tif .tiff .bmp .gif .heic .heif .hif .avif .avifs .jp2 .j2k .jpx .jpf .jxl .ppm .pgm .pbm .pnm .pam
/// .pfm .hdr .exr .ico .dds .sgi .tga, any case), and those without one that begin like such an image; other
/// files are counted as ignored. A file named by the user is always listed. Hidden files (.name) and folders
/// are left out. A symbolic link to a folder is not followed (loops), unless the user named it; one to a file
/// is listed, and a dangling one is a problem.
///
/// Each file appears once. Paths are compared as folder (links resolved) and name; two names of one content,
/// by hard or symbolic link, are two files. Arguments spelled alike are merged, and what a folder argument's
/// walk lists is not listed again for a sub-folder or file argument inside of it (`photos photos/a.jpg`).
/// That is decided from the arguments alone, without keeping what was listed; the one thing it cannot see is
/// a list that names a file in one spelling and, later in order, a folder around it in another.
///
/// Memory: the arguments, one folder's names for each level of the walk, 8 MiB for a list of any length.
class Lister {
 public:
  /// Usage errors, and a list that cannot be read (kNotFound, kReadError, kDiskFull).
  static Result<std::unique_ptr<Lister>> Open(const ListOptions& options);
  virtual ~Lister() = default;
  /// The next file in bytewise order of path per argument, arguments (and list entries among them) in
  /// bytewise order too, without "./" in front and doubled slashes; nothing at the end.
  virtual std::optional<ListedFile> Next() = 0;
  /// Problems met so far (unreadable folder, missing argument, dangling link); they count as failed items.
  virtual const std::vector<ListProblem>& problems() const = 0;
  /// Files left out in folders because their extension is no image's, so that they can be reported.
  virtual const IgnoredFiles& ignored() const = 0;
};

/// How many files a Lister would give, for a progress line. 0 if that cannot be told beforehand: a list from
/// stdin or a pipe can be read but once.
Result<uint64_t> CountListed(const ListOptions& options);

}  // namespace imgmill
