// The page that `imgmill report` draws: a run's memory against its budget over time, its batches, its rungs.
#pragma once

#include <string>

#include "imgmill/report/stored_report.h"

namespace imgmill {

/// One HTML document, UTF-8, with its images inside as SVG: no script, no reference to anything.
/// @param file  the report's name, as the page shows it.
std::string MemoryPageHtml(const StoredReport& report, const std::string& file);

/// Whether a file that begins with these bytes (512 are enough) is such a page.
bool IsMemoryPage(const std::string& beginning);

}  // namespace imgmill
