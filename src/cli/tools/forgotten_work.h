// Takes off an output folder's record what is gone from it for good.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "imgmill/catalog/catalog.h"

namespace imgmill {

/// Says of these works that their outputs are gone on purpose. If such a file comes back as it was, a run
/// knows it for its own. Errors: kLocked while another process works with the catalog, and Catalog's.
/// @param output_folder  the one whose catalog they are of
Status ForgetWork(const std::string& output_folder, std::span<const FoundWork> works);

/// A file that an undo has taken away from where an action had put it, or brought back.
struct UndoneFile {
  std::string path;    ///< absolute, of where it was, or is again
  std::string source;  ///< likewise, of what the action was on
};

/// Takes off their records the files that an undo has taken away.
/// @param folders  in output folders whose records may tell of the files, beside those that the files lie in
/// @return of each output folder whose record could not be changed, why: errors as ForgetWork's, and
/// FinishedWork's
std::vector<Error> ForgetUndone(std::span<const std::string> folders, std::span<const UndoneFile> files);
/// Puts on their records again the files that an action had deleted, and an undo has brought back. As
/// ForgetUndone.
std::vector<Error> RecallRestored(std::span<const std::string> folders, std::span<const UndoneFile> files);

}  // namespace imgmill
