// Lines and fields of `imgmill memory info`.
#include "memory_info.h"

#include <algorithm>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/report/run_report.h"
#include "running_programs.h"

namespace imgmill {
namespace {

/// A list of a thousand files tells no more than its beginning; the JSON has all of it.
std::string Beginning(const std::string& line) {
  constexpr size_t kShown = 160;
  return line.size() <= kShown ? line : line.substr(0, kShown) + " ...";
}

size_t Less(size_t from, size_t what) {
  return from - std::min(from, what);
}

/// Resident bytes of this process by what they are; the sum is what is resident. Pages of a pool that nobody
/// has written to yet are charged, and not resident: they count as the pool's all the same.
struct Holdings {
  explicit Holdings(const MemoryInfo& info)
      : files(info.process.file_backed),
        pool_in_use(Less(info.host.charged, info.host.cached)),
        pool_cached(info.host.cached),
        heap(Less(info.process.resident, files + info.host.charged)) {}
  size_t files;
  size_t pool_in_use;
  size_t pool_cached;
  size_t heap;
};

void AddMachine(const MemoryInfo& info, MemoryFigures& figures) {
  figures.json["system"] = {{"total", info.system.total}, {"available", info.system.available}};
  figures.text += MemoryLine("machine", FormatByteSize(info.system.total) + ", " +
                                            FormatByteSize(info.system.available) + " available");
  if (!info.cgroup) {
    figures.text += MemoryLine("cgroup", "none that limits memory");
    return;
  }
  figures.json["cgroup"] = {{"path", PrintablePath(info.cgroup->path)},
                            {"version", info.cgroup->version},
                            {"limit", info.cgroup->limit},
                            {"used", info.cgroup->used}};
  figures.text += MemoryLine("cgroup", FormatByteSize(info.cgroup->limit) + " limit, " +
                                           FormatByteSize(info.cgroup->used) + " used (" +
                                           PrintablePath(info.cgroup->path) + ")");
}

void AddProcess(const MemoryInfo& info, const Holdings& held, MemoryFigures& figures) {
  const ProcessMemory& process = info.process;
  figures.json["process"] = {{"resident", process.resident},
                             {"peak_resident", process.peak_resident},
                             {"address_space", process.address_space},
                             {"files", held.files},
                             {"heap", held.heap},
                             {"pool_in_use", held.pool_in_use},
                             {"pool_cached", held.pool_cached}};
  figures.text += MemoryLine("process", FormatByteSize(process.resident) + " resident, at most " +
                                            FormatByteSize(process.peak_resident) + " so far");
  figures.text +=
      MemoryLine("  files", FormatByteSize(held.files) + " of program, libraries and mapped files");
  figures.text += MemoryLine("  heap", FormatByteSize(held.heap) + " of the libraries' own, and stacks");
  figures.text += MemoryLine("  pool", FormatByteSize(held.pool_in_use) + " in use, " +
                                           FormatByteSize(held.pool_cached) + " kept for reuse");
}

void AddBudget(const MemoryManager& manager, const MemoryInfo& info, MemoryFigures& figures) {
  figures.json["usage"] = manager.Usage();
  figures.json["largest_lease"] = manager.LargestLease();
  figures.json["leases"] = {{"now", info.leases_now}, {"bytes", info.leased}};
  figures.json["unexplained"] = info.unexplained;
  figures.text += MemoryLine("budget", FormatByteSize(info.budget) + " (" + info.budget_source + ")");
  figures.text += MemoryLine("  fixed", FormatByteSize(info.fixed) + " of program, libraries and weights");
  figures.text +=
      MemoryLine("  leases", FormatByteSize(info.leased) + " in " + std::to_string(info.leases_now));
  figures.text += MemoryLine("  unexplained", FormatByteSize(info.unexplained));
  figures.text +=
      MemoryLine("largest image", FormatByteSize(manager.LargestLease()) + " may be leased for one");
}

void AddDevices(const MemoryInfo& info, MemoryFigures& figures) {
  for (const MemoryInfo::NamedDevice& device : info.devices) {
    const DeviceStats& stats = device.stats;
    std::string line = FormatByteSize(device.budget) + " budget, " + FormatByteSize(stats.allocated) +
                       " allocated, " + FormatByteSize(Less(stats.reserved, stats.allocated)) +
                       " kept for reuse";
    if (stats.known) line += ", " + FormatByteSize(stats.free) + " free of " + FormatByteSize(stats.total);
    figures.text += MemoryLine("device " + device.name, line + (device.lost ? ", lost" : ""));
  }
}

/// Runs of imgmill that are at work on this machine: they are who holds memory while this process looks.
void AddRuns(MemoryFigures& figures) {
  nlohmann::ordered_json& runs = figures.json["runs"] = nlohmann::ordered_json::array();
  for (const RunningProgram& run : OtherRunsOfThisProgram()) {
    runs.push_back({{"pid", run.pid},
                    {"resident", run.resident},
                    {"peak_resident", run.peak_resident},
                    {"command_line", run.command_line}});
    figures.text +=
        MemoryLine("run " + std::to_string(run.pid), FormatByteSize(run.resident) + " resident, at most " +
                                                         FormatByteSize(run.peak_resident) +
                                                         " so far: " + Beginning(run.command_line));
  }
}

}  // namespace

std::string MemoryLine(std::string name, const std::string& value) {
  name.resize(std::max<size_t>(name.size() + 1, 16), ' ');
  return name + value + "\n";
}

MemoryFigures LookAtMemory(const MemoryManager& manager) {
  const MemoryInfo info = manager.Info();
  MemoryFigures figures;
  AddMachine(info, figures);
  AddProcess(info, Holdings(info), figures);
  AddBudget(manager, info, figures);
  AddDevices(info, figures);
  AddRuns(figures);
  figures.json.update(MemoryJson(info));
  for (const std::string& warning : info.warnings) figures.text += MemoryLine("warning", warning);
  return figures;
}

}  // namespace imgmill
