// The models that come with imgmill, by name: share/imgmill/models beside the program's or the library's
// folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// "own:sr-x4" and the like, of the models that are installed, in order.
std::vector<std::string> OwnModels();

/// Whether a text is such a name, of a model that is there or not.
bool NamesOwnModel(std::string_view text);

/// The weight file that `given` names: that of "own:NAME", and any other text as it is. kUsage, with the
/// names that there are, for an own model that is not there. A file of such a name is given as "./own:NAME".
Result<std::string> ModelPath(const std::string& given);

}  // namespace imgmill
