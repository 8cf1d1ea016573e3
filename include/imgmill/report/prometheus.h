// A run's figures as Prometheus reads them, for the textfile collector of its node exporter.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "imgmill/report/run_summary.h"

namespace imgmill {

struct RunMetrics {
  std::string command;  ///< the label of every figure
  uint64_t listed = 0;  ///< kept + dropped + failed, unless the run was interrupted
  uint64_t kept = 0;
  uint64_t dropped = 0;
  uint64_t failed = 0;
  uint64_t skipped = 0;  ///< of the kept: finished by an earlier run
  int exit_code = 0;
  double seconds = 0;
  int64_t finished_at = 0;          ///< seconds since 1970
  RunSummary memory;                ///< its pools (the host first) and clears
  std::array<uint64_t, 7> rungs{};  ///< how often each Rung was taken
  double clear_seconds = 0;
};

/// The text exposition format, version 0.0.4: for each figure a help line, a type line and its samples, all
/// in one run. All are gauges, since each run starts afresh.
std::string PrometheusText(const RunMetrics& metrics);

}  // namespace imgmill
