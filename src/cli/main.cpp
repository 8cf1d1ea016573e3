// The program: finds the command's row, hands the rest of the line to it, returns its exit code.
#include <fcntl.h>

#include <utility>

#include "command_line.h"

int main(int argc, char** argv) {
  // A closed standard stream's number would go to the next file opened, the catalog perhaps: it is filled
  // here instead, stdout so that writing to it fails as it must.
  for (const auto& [number, stand_in] :
       {std::pair{0, "/dev/null"}, std::pair{1, "/dev/full"}, std::pair{2, "/dev/null"}}) {
    if (::fcntl(number, F_GETFD) == -1 && ::open(stand_in, O_RDWR) != number) return 3;
  }
  return imgmill::RunCommandLine(argc, argv);
}
