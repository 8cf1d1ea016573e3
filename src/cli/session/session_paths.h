// What a run reads and where it writes, asked before any work.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "session.h"

namespace imgmill {

/// Canonical paths of the inputs in order, for choosing a catalog: the same folders in any order are the
/// same.
std::vector<std::string> InputRoots(const ListOptions& list);

/// An output folder that is an input folder would be read again by the next run, and again. @return why not
std::optional<std::string> OutputIsInput(const std::vector<std::string>& outputs, const ListOptions& list);

/// Keeps what comes on stdin where "-" is among the paths.
Status TakeStdin(const ListOptions& list, const StopFlag& stop);

/// The first tar archive right in a folder that is searched: nobody has named it, so nothing of it was read.
std::optional<std::string> FindUnnamedArchive(const ListOptions& list);

/// Whether the run could write to its folders: for a plan and a dry run as well as for the run that they
/// foretell.
Status CheckTargets(const SessionPlan& plan);

/// What the run writes about itself: kUsage if one of the files is an image.
Status OverwritesNoImage(const SharedOptions& shared);

/// A report that cannot be written must be known before the work, not after it. kUsage if one is a folder.
Status MakeReportFolders(const SharedOptions& shared);

/// What the user has named, without what the run itself makes.
ListOptions ListingOf(const SessionPlan& plan, const SharedOptions& shared);

}  // namespace imgmill
