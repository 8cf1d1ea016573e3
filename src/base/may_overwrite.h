// What a report, a log or an export may not be written over.
#pragma once

#include <string>

#include "imgmill/base/result.h"

namespace imgmill {

/// What a file that we write begins like.
enum class WrittenAs {
  kPage,      ///< HTML
  kReport,    ///< JSON with our schema
  kMetrics,   ///< Prometheus' text, of our metrics
  kTable,     ///< CSV or JSON lines whose first column is the path, or Parquet
  kManifest,  ///< JSON lines, each of an output
  kLog        ///< lines with a time; appended to, so that any file is fine that is called .log
};

/// kUsage, with the name of the flag, if `path` is a file that we did not write: a mistyped name must cost
/// neither an image nor anything else. An empty file has nothing to lose, and what is no regular file, such
/// as a pipe, is nothing that is replaced.
Status MayOverwrite(const std::string& flag, const std::string& path, WrittenAs as);

}  // namespace imgmill
