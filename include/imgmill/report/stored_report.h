// A report read back from disk: whatever version of imgmill wrote it, and however its run ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/memory/memory_manager.h"
#include "imgmill/report/run_summary.h"

namespace imgmill {

/// In the report's own words: another version may know other stages and codes.
struct StoredFailure {
  std::string path;  ///< printable text; empty for an error of the whole run
  std::string stage;
  std::string code;
  std::string message;
};

struct StoredStep {
  std::string name;
  uint64_t listed = 0;
  uint64_t kept = 0;
  uint64_t dropped = 0;
};

/// Fields that a report lacks are 0 or empty.
struct StoredReport {
  std::string command;
  std::string version;
  std::string command_line;
  std::string libraries;
  double seconds = 0;

  bool counted = false;  ///< false where an error ended the run: there are no counts then
  uint64_t listed = 0;
  uint64_t done = 0;
  uint64_t skipped = 0;
  uint64_t off_plan = 0;
  uint64_t recalled = 0;
  bool interrupted = false;
  std::optional<StoredFailure> error;
  std::vector<StoredFailure> failed;  ///< the first kMostFailuresRead
  uint64_t failed_total = 0;
  std::vector<StoredFailure> action_failed;  ///< likewise
  uint64_t action_failed_total = 0;
  std::vector<StoredStep> steps;  ///< of a pipeline

  MemoryInfo memory;
  bool has_history = false;  ///< reports before 0.2 have none
  MemoryHistory history;
  RunSummary summary() const { return Summarise(history, memory, seconds); }
};

inline constexpr size_t kMostFailuresRead = 200;

/// Reads a file that --report wrote. What a command found (groups, lists of images) is passed over, so that a
/// report of millions needs no more memory than one of ten.
/// @return kNotFound, kPermission or kReadError where the file cannot be read; kTruncated where it ends too
/// early; kMalformed where it is something else. The messages do not name the file.
Result<StoredReport> ReadReport(const std::string& path);

}  // namespace imgmill
