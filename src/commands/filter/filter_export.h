// All signals of all images as a table: CSV, one JSON object a line, or Parquet.
#pragma once

#include <span>
#include <string>

#include "filter_verdict.h"
#include "imgmill/memory/footprint.h"

namespace imgmill {

bool IsExportName(const std::string& path);  ///< ends in .csv, .jsonl or .parquet

/// What writing the table of this name holds.
Footprint ExportHolds(const std::string& path);

/// One row an entry, in order: path, what became of it, by which rules, and every signal (empty or null for
/// no value), to the last digit. Through a temporary file; an existing one is replaced. Rows are made one at
/// a time out of the facts in the catalog.
Status ExportSignals(const std::string& path, const FilterTable& entries, std::span<const AppliedRule> rules,
                     const SignalFacts& facts);

}  // namespace imgmill
