// What an output folder's catalog says of the files in it, for commands that look at them later. Nothing is
// recorded.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/catalog/catalog.h"

namespace imgmill {

/// The nearest folder with a catalog, of those above that file or folder and itself; nothing where there is
/// none.
std::optional<std::string> OutputFolderOf(const std::string& path);

/// Work on several files at once, such as the tiles of an image and its partners, is filed under a digest of
/// all of them. This fact of it has the first one's digest, as bytes.
inline constexpr char kMainContentFact[] = "main content/1";

/// By which it is known where the outputs of a fingerprint lie, since their names do not tell: a row of
/// finished work that stands for the folder, and for no file.
WorkKey KeyOfFolder(const std::string& folder, const std::string& catalog_folder,
                    std::string_view fingerprint);
/// What OutputFolder adds to a fingerprint where side-cars are part of the work.
inline constexpr std::string_view kWithSidecars = " with side-cars ";

/// This fact of SidecarsKey has a line for each of these side-cars: its absolute path, a space, and its
/// content's digest in hex.
inline constexpr char kSidecarsFact[] = "side-cars/1";
/// @param fingerprint  of the work, with the side-cars in it. @return nothing where it has none.
std::optional<ContentDigest> SidecarsKey(const std::string& source, std::string_view fingerprint);

/// This fact of a list of what was packed is the folder that the relative paths in it are to be seen from.
inline constexpr char kPackedInFact[] = "packed in/1";

/// What a file is filed under that lies where the user said, in the output folder or elsewhere. `folder` is
/// its own; where that lies in the output folder the way from there is noted, so that both may be moved.
std::string ExportInto(const std::string& folder, const std::string& catalog_folder);

/// Of no content: the folders beside the output folder that came along with it from another place, and of
/// which no run has told yet what is left over in them; each with a NUL behind it.
inline constexpr char kCameAlongFact[] = "came along/1";

/// What a file is filed under that an action on an image has put into `folder`, noted as by ExportInto: its
/// source is the image.
/// @param command  "filter"
/// @param action   "copy", "hardlink", "symlink" or "move"
std::string ActionInto(std::string_view command, std::string_view action, const std::string& folder,
                       const std::string& catalog_folder);
/// Whether a fingerprint is one of ActionInto's, and of a move: its source is gone because the file is here.
bool IsAction(std::string_view fingerprint);
bool IsMove(std::string_view fingerprint);
/// What the fingerprints of moves begin with, up to the folder.
const std::vector<std::string>& BeginningsOfMoves();

/// Errors are of stage kCatalog, as Catalog's.
class FinishedWork {
 public:
  /// @param output_folder  kNotFound where it has no catalog.
  static Result<std::unique_ptr<FinishedWork>> Open(const std::string& output_folder);
  ~FinishedWork();
  FinishedWork(const FinishedWork&) = delete;
  FinishedWork& operator=(const FinishedWork&) = delete;

  /// All that may have made this file, a path below the folder. A pipeline's steps each have a folder of
  /// their own in it, which the names of their outputs are without. The content of each is its source's own,
  /// also where the work was filed under several files' digest.
  Result<std::vector<FoundWork>> Of(const std::string& relative);
  /// The folders that outputs of this work were written to, where they are now; none where that was not
  /// noted, as in catalogs of old.
  Result<std::vector<std::string>> FoldersOf(const std::string& fingerprint);
  /// The same for one output. Of steps with the same options, a later one of a chain is known by what it was
  /// made from: no step writes where it, or a step before it, reads.
  Result<std::vector<std::string>> FoldersOf(const FoundWork& work);
  /// The folder that ExportInto was told, likewise. Nothing for other work, and for exports of old, which do
  /// not say it.
  Result<std::optional<std::string>> FolderOfExport(const std::string& fingerprint);
  /// Of steps with the same options, how many are known to stand before the one that this is the work of.
  Result<size_t> StepsBefore(const FoundWork& work);
  /// All that may have made the file at `path`, which is `relative` below the folder: as Of, but for work
  /// that is known to have written to other folders, and with that of which it is known that it wrote to this
  /// one.
  Result<std::vector<FoundWork>> ThatMadeAt(const std::string& path, const std::string& relative);

  struct SourceSidecar {
    std::string path;
    ContentDigest content;
  };
  /// The side-cars that went into this work; none where there were none, or a version wrote it that did not
  /// note them.
  Result<std::vector<SourceSidecar>> SidecarsOf(const FoundWork& work);
  /// As Catalog's.
  Result<std::vector<std::string>> FindMoved(const std::string& path,
                                             const std::optional<ContentDigest>& content);
  /// As Catalog's.
  Result<std::optional<std::string>> FindFact(const ContentDigest& content, std::string_view name);

  /// Each name of an output once, in bytewise order. `each` may call Of.
  Status ForEachName(const std::function<Status(const std::string& output)>& each);

 private:
  FinishedWork();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
