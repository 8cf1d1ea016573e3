// Takes off an output folder's record what is gone from it for good.
#pragma once

#include <span>
#include <string>

#include "imgmill/catalog/catalog.h"

namespace imgmill {

/// Says of these works that their outputs are gone on purpose. If such a file comes back as it was, a run
/// knows it for its own. Errors: kLocked while another process works with the catalog, and Catalog's.
/// @param output_folder  the one whose catalog they are of
Status ForgetWork(const std::string& output_folder, std::span<const FoundWork> works);

/// Takes off their records the files that an undo has taken away from where an action had put them.
/// @param undo_file  the catalog's may be the one that it lies in
/// @param files      absolute paths where they were. Errors as ForgetWork, and FinishedWork's.
Status ForgetUndone(const std::string& undo_file, std::span<const std::string> files);
/// Puts on their records again the files that an action had deleted, and an undo has brought back.
/// @param files  absolute paths. As ForgetUndone.
Status RecallRestored(const std::string& undo_file, std::span<const std::string> files);

}  // namespace imgmill
