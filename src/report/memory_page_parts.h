// The pieces of the memory page, each a string of HTML; empty where the report has nothing for it.
#pragma once

#include <string>

#include "imgmill/report/stored_report.h"

namespace imgmill {

// ---- memory_charts.cpp
std::string MemoryOverTime(const StoredReport& report);
std::string BatchesOverTime(const StoredReport& report);
std::string PredictedAgainstActual(const StoredReport& report);

// ---- memory_tables.cpp
std::string SummaryTable(const StoredReport& report);
std::string PoolsTable(const StoredReport& report);
/// What devices said that is no shortage of memory; nothing where they said nothing.
std::string DeviceErrorsTable(const StoredReport& report);
std::string RungsTable(const StoredReport& report);
std::string WorkTable(const StoredReport& report);
std::string StepsTable(const StoredReport& report);
/// Errors, warnings and failed images.
std::string Troubles(const StoredReport& report);

// ---- shared by them
/// <data class="NAME" value="123456">121 KiB</data>: exact for scripts, short for people.
std::string BytesHtml(const std::string& name, size_t bytes);
std::string CountHtml(const std::string& name, uint64_t count);
/// "4.2 %"
std::string PercentText(double share);
/// "850 ms", "12.4 s", "3 min 20 s"
std::string DurationText(double seconds);

/// The works of a run, each on its device: "upscale on host". At most kMostSeries; what comes after is the
/// last one's.
inline constexpr size_t kMostSeries = 6;
struct WorkSeries {
  std::string name;
  std::vector<const BatchRecord*> batches;
};
std::vector<WorkSeries> SeriesOf(const MemoryHistory& history);

}  // namespace imgmill
