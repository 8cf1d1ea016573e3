// A piece of a file in the address space, for as long as it is looked at.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace imgmill {

/// Maps bytes [begin, begin + bytes) for reading, all of which the file must have: a mapping beyond its end
/// ends the process by SIGBUS. What is mapped counts as resident.
class MappedPiece {
 public:
  MappedPiece(int fd, uint64_t begin, size_t bytes) {
    const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    skipped_ = static_cast<size_t>(begin % page);
    size_ = skipped_ + bytes;
    window_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED | MAP_POPULATE, fd,
                     static_cast<off_t>(begin - skipped_));
  }
  MappedPiece(const MappedPiece&) = delete;
  MappedPiece& operator=(const MappedPiece&) = delete;
  ~MappedPiece() {
    if (valid()) ::munmap(window_, size_);
  }

  /// False with errno set where it could not be mapped.
  bool valid() const { return window_ != MAP_FAILED; }
  const char* data() const { return static_cast<const char*>(window_) + skipped_; }

 private:
  size_t skipped_ = 0, size_ = 0;
  void* window_ = MAP_FAILED;
};

}  // namespace imgmill
