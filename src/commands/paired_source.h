// Images and their partners in another folder: finding them, and the partners that no image asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/pair_name_options.h"
#include "imgmill/commands/steps_before.h"
#include "imgmill/dataset/pair_index.h"

namespace imgmill {

/// Where partners are.
struct PairFolder {
  std::string path;
  PairNameOptions names;
  std::string leave_out;    ///< a folder in it that holds none; may be empty
  std::string expectation;  ///< what to do where it is the folder of the images themselves
};

/// What is wrong unless each folder of partners is there, or may be made by a step before.
std::optional<std::string> CheckPairFolders(const std::vector<std::string>& folders,
                                            const StepsBefore& before);
/// The same as kUsage.
Status MayReadPairs(const std::vector<std::string>& folders, const StepsBefore& before);

/// The partners, if these are not the images themselves: by name alone, each would be its own.
Result<PairIndex> ReadPairs(const ItemSource& source, const CommandServices& services,
                            const PairFolder& folder);

/// Whether every partner must be asked for. Where the user or an earlier step chose among the images, the
/// others' partners are no mistake.
bool NamesWholeFolders(const ItemSource& source, const ListOptions& list);

/// `images`, and at the end, if `complete` and not stopped before, the partners that nobody asked for. All
/// outlive it.
std::unique_ptr<ItemSource> PairedSource(ItemSource& images, std::vector<const PairIndex*> pairs,
                                         bool complete, const StopFlag& stop);

/// The partner of each folder. Each is asked, so that it knows who was asked for: the error names all that
/// have none.
Result<std::vector<std::string>> TakePartners(std::vector<PairIndex>& pairs, const ListedFile& file,
                                              const std::string& expectation);

/// Error if `partner` is the file at `path` itself.
Status IsAnother(const std::string& path, const std::string& partner, const std::string& expectation);

/// "640x480", as a person sees it.
std::string UprightSizeText(const ImageHeader& header);

}  // namespace imgmill
