// Which other runs of imgmill there are on this machine, and what they hold, as /proc tells it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace imgmill {

struct RunningProgram {
  int pid = 0;
  size_t resident = 0;  ///< bytes
  size_t peak_resident = 0;
  std::string command_line;  ///< printable
};

/// Processes of this program's name, this one not among them, by pid. What may not be read is left out.
std::vector<RunningProgram> OtherRunsOfThisProgram();

}  // namespace imgmill
