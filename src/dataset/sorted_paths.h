// Sorts any number of paths in bounded memory, for lists that are longer than the memory budget.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/temporary_file.h"
#include "imgmill/base/result.h"

namespace imgmill {

/// Takes paths in any order, gives them back in bytewise order, equal ones once. What does not fit in
/// `run_bytes` is sorted and written to one unnamed temporary file (in TMPDIR, else /var/tmp or /tmp), run by
/// run, then merged.
class SortedPaths {
 public:
  static constexpr size_t kRunBytes = size_t{8} << 20;
  explicit SortedPaths(size_t run_bytes = kRunBytes) : run_bytes_(run_bytes) {}

  /// kDiskFull or kWriteError if a run cannot be written.
  Status Add(std::string_view path);
  /// After the last Add.
  Status Finish();
  /// The next path; nothing at the end; kReadError if the temporary file fails.
  Result<std::optional<std::string>> Next();

 private:
  /// One sorted run in the file, read in pieces.
  struct Run {
    uint64_t at;
    uint64_t end;
    std::string piece;
    size_t used = 0;
    std::string head;
  };

  void SortMemory();
  Status Spill();
  Result<bool> Advance(Run& run);

  size_t run_bytes_;
  std::string bytes_;  ///< paths in memory, each ended by a NUL: no path can hold one
  std::vector<uint32_t> starts_;
  size_t next_in_memory_ = 0;
  NamelessFile file_;
  uint64_t file_size_ = 0;
  std::vector<Run> runs_;
  std::vector<size_t> heap_;  ///< of runs, the smallest head on top
  std::string last_;
  bool any_ = false;
};

}  // namespace imgmill
