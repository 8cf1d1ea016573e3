// Goes through /proc. A process may end while it is looked at: then it is left out.
#include "running_programs.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The figure behind `key` in /proc/PID/status, in bytes.
size_t StatusBytes(const std::string& status, const std::string& key) {
  const size_t at = status.find("\n" + key + ":");
  if (at == std::string::npos) return 0;
  const size_t digits = status.find_first_of("0123456789", at);
  size_t kib = 0;
  if (digits != std::string::npos) std::from_chars(&status[digits], status.data() + status.size(), kib);
  return kib * kKiB;
}

/// Arguments end with a NUL each; a line shows them with spaces between.
std::string CommandLine(std::string arguments) {
  while (!arguments.empty() && arguments.back() == '\0') arguments.pop_back();
  std::replace(arguments.begin(), arguments.end(), '\0', ' ');
  return PrintablePath(arguments);
}

}  // namespace

std::vector<RunningProgram> OtherRunsOfThisProgram() {
  std::vector<RunningProgram> runs;
  const std::string own_name = ReadText("/proc/self/comm");
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", problem)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    RunningProgram run;
    std::from_chars(name.data(), name.data() + name.size(), run.pid);
    if (run.pid == ::getpid() || ReadText(entry.path() / "comm") != own_name) continue;
    const std::string status = ReadText(entry.path() / "status");
    run.resident = StatusBytes(status, "VmRSS");
    run.peak_resident = StatusBytes(status, "VmHWM");
    run.command_line = CommandLine(ReadText(entry.path() / "cmdline"));
    if (run.resident > 0) runs.push_back(std::move(run));
  }
  std::sort(runs.begin(), runs.end(),
            [](const RunningProgram& a, const RunningProgram& b) { return a.pid < b.pid; });
  return runs;
}

}  // namespace imgmill
