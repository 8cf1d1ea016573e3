// The program: finds the command's row, hands the rest of the line to it, returns its exit code.
#include <fcntl.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "command_line.h"
#include "imgmill/memory/system_memory.h"

int main(int argc, char** argv) {
  // A closed standard stream's number would go to the next file opened, the catalog perhaps: it is filled
  // here instead, stdout so that writing to it fails as it must, with the error of a closed one.
  for (const auto& [number, mode] : {std::pair{0, O_RDONLY}, std::pair{1, O_RDONLY}, std::pair{2, O_RDWR}}) {
    if (::fcntl(number, F_GETFD) == -1 && ::open("/dev/null", mode) != number) return 3;
  }
  std::signal(SIGXFSZ,
              SIG_IGN);  // at the limit of ulimit -f, a write error instead of a kill; we start no programs
  imgmill::SpareAddressSpace();
  // What no part of the program could make a value of: it came before there was a run, or a thread that
  // cannot be done without.
  try {
    return imgmill::RunCommandLine(argc, argv);
  } catch (const std::filesystem::filesystem_error& problem) {  // a system_error, too, but not of a thread
    std::fprintf(stderr, "imgmill: error: %s\n", problem.what());
  } catch (const std::system_error& problem) {
    std::fprintf(stderr,
                 "imgmill: error: cannot start a thread: %s (raise ulimit -v or -u, or use a smaller -j)\n",
                 problem.what());
  } catch (const std::bad_alloc&) {
    std::fputs("imgmill: error: out of memory before the work began (is there a ulimit -v?)\n", stderr);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "imgmill: error: %s\n", problem.what());
  }
  return 3;
}
