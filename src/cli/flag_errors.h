// What CLI11 says of a wrong flag, in words that say what to do.
#pragma once

#include <string>

namespace CLI {
class Error;
}

namespace imgmill {

/// "--max-distance: "ten" is not a valid value", "--max-distance needs a value", ...; what is clear already
/// stays.
std::string InPlainWords(const CLI::Error& problem);

}  // namespace imgmill
