// Tells of files that a list names in folders of images that were set aside: they are read, since the list is
// explicit, but whoever made it by `find` may not have meant them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "imgmill/engine/item_source.h"

namespace imgmill {

/// Gives what `source` gives. `tell` is called once with each marked folder (SetAsideFolders) that a file
/// lies in, spelled without links, at most kTold of them; not with one that `paths` name, or name something
/// in.
std::unique_ptr<ItemSource> TellingOfSetAside(std::unique_ptr<ItemSource> source,
                                              const std::vector<std::string>& paths,
                                              std::function<void(const std::string& folder)> tell);

/// More are not told: what is kept of them is bounded.
inline constexpr size_t kTold = 20;

}  // namespace imgmill
