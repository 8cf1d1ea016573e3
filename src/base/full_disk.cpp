// An error has one code for both, since a rerun resumes after either; its words tell them apart.
#include "base/full_disk.h"

#include <cerrno>

#include "imgmill/base/errno_error.h"

namespace imgmill {

std::string AdviceOnFull(const Error& full) {
  const auto says = [&](const std::string& words) { return full.message.find(words) != std::string::npos; };
  const bool limit = says(kPastFileLimit) || says(ErrnoText(EFBIG));
  return limit ? std::string(kPastFileLimit) + "; then run the same command again to resume"
               : "the disk is full; make room and run the same command again to resume";
}

}  // namespace imgmill
