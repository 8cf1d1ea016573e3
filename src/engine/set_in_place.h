// A set of files as the catalog has it, and what of it is in the folder.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/engine/output_set.h"

namespace imgmill {

/// The output of the row that stands for the set: no file can have this name.
std::string SetName(const SetPrefixes& prefixes);

/// Whether a path begins with one of the sides that are asked for.
bool IsOfSides(const std::string& relative, const SetPrefixes& prefixes);

/// What the catalog says of a set, and what the folder does.
struct SetInPlace {
  std::vector<std::pair<WorkKey, WorkRow>> rows;
  std::vector<std::string> in_place;  ///< in bytewise order
};

/// @param set_key  of the row that stands for the set
Result<SetInPlace> LookAtSet(OutputFolder& folder, const WorkKey& set_key, const SetPrefixes& prefixes);

/// What is in place of a set, and what later actions have moved from there, in bytewise order.
std::vector<std::string> InPlaceOrMoved(const OutputFolder& folder, const SetInPlace& set);

/// Removes what is in place of a set, but for what `stays`. Its rows say so: gone on purpose is not missing.
Status RemoveInPlace(OutputFolder& folder, const SetInPlace& set,
                     const std::function<bool(const std::string&)>& stays);

/// Whether what is filed under `key` was made of the item's image with other partners. Where a catalog of old
/// does not say of which image, nobody may take it for one that was replaced.
bool IsOfOtherPartners(OutputFolder& folder, const Item& item, const WorkKey& key);

}  // namespace imgmill
