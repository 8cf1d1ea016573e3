// The program: finds the command's row, hands the rest of the line to it, returns its exit code.
#include "command_line.h"

int main(int argc, char** argv) {
  return imgmill::RunCommandLine(argc, argv);
}
