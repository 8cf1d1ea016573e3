// Writes the text exposition format.
#include "imgmill/report/prometheus.h"

#include <cstdio>
#include <vector>

namespace imgmill {
namespace {

/// One figure: its samples differ in one label beside the command.
struct Family {
  const char* name;
  const char* help;  ///< without backslash or newline: nothing to escape
  const char* label = nullptr;
  struct Sample {
    std::string label_value;
    double value;
  };
  std::vector<Sample> samples;
};

/// In a label's value a backslash, a quote and a newline are escaped.
std::string EscapedLabel(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

void AddFamily(std::string& text, const std::string& command, const Family& family) {
  text += "# HELP " + std::string(family.name) + " " + family.help + "\n# TYPE " + family.name + " gauge\n";
  for (const Family::Sample& sample : family.samples) {
    text += family.name + ("{command=\"" + EscapedLabel(command) + "\"");
    if (family.label != nullptr)
      text += "," + std::string(family.label) + "=\"" + EscapedLabel(sample.label_value) + "\"";
    char number[40];
    std::snprintf(number, sizeof number, "%.15g", sample.value);  // bytes and times keep every digit
    text += "} " + std::string(number) + "\n";
  }
}

Family Single(const char* name, const char* help, double value) {
  return {name, help, nullptr, {{"", value}}};
}

std::vector<Family> RunFamilies(const RunMetrics& metrics) {
  return {
      {"imgmill_images",
       "Images of the last run, by what became of them.",
       "state",
       {{"kept", static_cast<double>(metrics.kept)},
        {"dropped", static_cast<double>(metrics.dropped)},
        {"failed", static_cast<double>(metrics.failed)}}},
      Single("imgmill_images_listed", "Images in the last run.", static_cast<double>(metrics.listed)),
      Single("imgmill_images_skipped", "Of the kept, those that an earlier run had finished.",
             static_cast<double>(metrics.skipped)),
      Single("imgmill_exit_code", "How the last run ended: 0 is all done.",
             static_cast<double>(metrics.exit_code)),
      Single("imgmill_duration_seconds", "How long the last run took.", metrics.seconds),
      Single("imgmill_finished_timestamp_seconds", "When the last run ended.",
             static_cast<double>(metrics.finished_at)),
  };
}

std::vector<Family> MemoryFamilies(const RunMetrics& metrics) {
  const RunSummary& memory = metrics.memory;
  Family now = {
      "imgmill_pool_bytes", "Bytes held when the last run ended: of the host, resident.", "pool", {}};
  Family peak = {"imgmill_pool_peak_bytes", "Most bytes that the last run held.", "pool", {}};
  Family budget = {"imgmill_pool_budget_bytes", "Most bytes that the last run was allowed.", "pool", {}};
  for (const PoolFigures& pool : memory.pools) {
    now.samples.push_back({pool.name, static_cast<double>(pool.now)});
    peak.samples.push_back({pool.name, static_cast<double>(pool.peak)});
    budget.samples.push_back({pool.name, static_cast<double>(pool.budget)});
  }
  Family rungs = {
      "imgmill_ladder_rungs", "How often the last run took each rung when memory was short.", "rung", {}};
  for (size_t rung = static_cast<size_t>(Rung::kSameSize); rung < metrics.rungs.size(); ++rung) {
    rungs.samples.push_back(
        {std::string(ToString(static_cast<Rung>(rung))), static_cast<double>(metrics.rungs[rung])});
  }
  const PoolFigures host = memory.pools.empty() ? PoolFigures{} : memory.pools.front();
  return {
      Single("imgmill_memory_budget_bytes", "Memory budget of the last run.",
             static_cast<double>(host.budget)),
      Single("imgmill_memory_peak_resident_bytes", "Most memory that the process of the last run held.",
             static_cast<double>(host.peak)),
      now,
      peak,
      budget,
      rungs,
      Single("imgmill_batches", "Pieces of work that the last run did within its memory budget.",
             static_cast<double>(memory.batches)),
      Single("imgmill_cache_clears", "How often the last run emptied its caches.",
             static_cast<double>(memory.clears)),
      Single("imgmill_cache_clear_seconds", "How long that took.", metrics.clear_seconds),
  };
}

}  // namespace

std::string PrometheusText(const RunMetrics& metrics) {
  std::string text;
  for (const Family& family : RunFamilies(metrics)) AddFamily(text, metrics.command, family);
  for (const Family& family : MemoryFamilies(metrics)) AddFamily(text, metrics.command, family);
  return text;
}

}  // namespace imgmill
