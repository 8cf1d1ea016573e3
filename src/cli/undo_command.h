// `imgmill undo FILE`: takes back what an action did, from the file that it wrote first.
#pragma once

#include <string>

#include "imgmill/base/error.h"

namespace imgmill {

ExitCode UndoFromFile(const std::string& file);

}  // namespace imgmill
