// Writes the text exposition format.
#include "imgmill/report/prometheus.h"

#include <cstdio>

namespace imgmill {
namespace {

void AddHead(std::string& text, const char* name, const char* help) {
  text += "# HELP " + std::string(name) + " " + help + "\n# TYPE " + name + " gauge\n";
}

void AddSample(std::string& text, const std::string& name, const std::string& labels, double value) {
  char number[40];
  std::snprintf(number, sizeof number, "%.15g", value);  // bytes and seconds since 1970 keep every digit
  text += name + "{" + labels + "} " + number + "\n";
}

}  // namespace

std::string PrometheusText(const RunMetrics& metrics) {
  const std::string command =
      "command=\"" + metrics.command + "\"";  // one of our own names: nothing to escape
  std::string text;
  AddHead(text, "imgmill_images", "Images of the last run, by what became of them.");
  const std::pair<const char*, uint64_t> states[] = {
      {"kept", metrics.kept}, {"dropped", metrics.dropped}, {"failed", metrics.failed}};
  for (const auto& [state, count] : states) {
    AddSample(text, "imgmill_images", command + ",state=\"" + state + "\"", static_cast<double>(count));
  }
  const struct {
    const char* name;
    const char* help;
    double value;
  } figures[] = {
      {"imgmill_images_listed", "Images that the last run was about.", static_cast<double>(metrics.listed)},
      {"imgmill_images_skipped", "Of the kept, those that an earlier run had finished.",
       static_cast<double>(metrics.skipped)},
      {"imgmill_exit_code", "How the last run ended: 0 is all done.", static_cast<double>(metrics.exit_code)},
      {"imgmill_duration_seconds", "How long the last run took.", metrics.seconds},
      {"imgmill_finished_timestamp_seconds", "When the last run ended.",
       static_cast<double>(metrics.finished_at)},
      {"imgmill_memory_budget_bytes", "Memory budget of the last run.",
       static_cast<double>(metrics.budget_bytes)},
      {"imgmill_memory_peak_resident_bytes", "Most memory that the process of the last run held.",
       static_cast<double>(metrics.peak_resident_bytes)},
  };
  for (const auto& figure : figures) {
    AddHead(text, figure.name, figure.help);
    AddSample(text, figure.name, command, figure.value);
  }
  return text;
}

}  // namespace imgmill
