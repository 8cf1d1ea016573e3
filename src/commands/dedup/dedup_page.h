// The page of dedup's groups.
#pragma once

#include "commands/acted_places.h"
#include "commands/page_pictures.h"
#include "found_duplicates.h"

namespace imgmill {

class DedupPage {
 public:
  /// @param found  outlives this
  /// @param refused  how many refused pairs are shown
  DedupPage(const FoundDuplicates& found, size_t refused, const CommandServices& services)
      : found_(found),
        refused_(refused),
        pictures_(found.groups() + found.duplicates() + 2 * found.listed_refused(refused), services) {}

  /// Makes the pictures by a run of the engine, before files are acted on. The counts of `result` say if it
  /// was interrupted; then there is to be no page.
  Status MakePictures(CommandResult& result) const;

  /// What has been done to the duplicates.
  struct Acted {
    std::string word;  ///< "moved"; empty where nothing was: what is to be done is decided on the page
    ActedPlaces places;
  };
  /// Writes the page a group at a time. `result` is told of the file.
  Status Write(const std::string& file, const Acted& acted, CommandResult& result) const;

 private:
  const FoundDuplicates& found_;
  const size_t refused_;
  const PagePictures pictures_;
};

}  // namespace imgmill
