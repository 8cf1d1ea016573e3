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

}  // namespace imgmill
