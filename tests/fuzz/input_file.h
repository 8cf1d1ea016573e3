// The bytes that a fuzzer tries, as a file: most readers take a path, and how they find a file's end is part
// of what is tried.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace fuzz {

/// Ends the program, which libFuzzer reports with the input that led here.
inline void Require(bool holds) {
  if (!holds) std::abort();
}

/// A file in memory with these bytes, opened by its path as any other. One for the whole program, since a
/// million inputs are a million files.
inline std::string InputFilePath(const uint8_t* data, size_t bytes) {
  static const int descriptor = memfd_create("fuzz", MFD_CLOEXEC);
  Require(descriptor >= 0 && ftruncate(descriptor, 0) == 0);
  for (size_t done = 0; done < bytes;) {
    const ssize_t now = pwrite(descriptor, data + done, bytes - done, static_cast<off_t>(done));
    Require(now > 0);
    done += static_cast<size_t>(now);
  }
  return "/proc/self/fd/" + std::to_string(descriptor);
}

}  // namespace fuzz
