// `memory info` beside the kernel's own figures, and beside another run.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "memory_group.h"
#include "program.h"

namespace imgmill::process_test {

/// The kernel counts pages of each thread or CPU in batches of 64 and more: its figures differ by that much.
constexpr size_t kBlur = size_t{4} << 20;

TEST_CASE("what is resident is accounted for, and is what the kernel says of the process") {
  const ProcessResult told = Run({"memory", "info", "--memory", "256MiB", "--json"});
  INFO(told.err);
  REQUIRE(told.exit_code == 0);
  const nlohmann::json info = Json(told);
  const nlohmann::json& process = info["process"];
  const size_t resident = process["resident"];
  const size_t sum = process["files"].get<size_t>() + process["heap"].get<size_t>() +
                     process["pool_in_use"].get<size_t>() + process["pool_cached"].get<size_t>();
  CHECK(sum == resident);
  CHECK(resident <= told.peak_resident + kBlur);  // by wait4's rusage
  CHECK(resident > told.peak_resident / 2);
  CHECK(info["leases"]["now"] == 0);
  CHECK(info["fixed"].get<size_t>() <= info["budget"].get<size_t>());
  CHECK(info["largest_lease"].get<size_t>() < info["budget"].get<size_t>() - info["fixed"].get<size_t>());
}

TEST_CASE("the limit is that of the innermost control group that has one, not the machine's") {
  const MemoryGroup outer(size_t{300} << 20);
  if (!outer.made()) return;
  const MemoryGroup inner(outer);
  ProcessOptions options;
  options.cgroup_procs = inner.procs();
  const auto budget_between = [&](size_t above, size_t below) {
    const nlohmann::json info = Json(Run({"memory", "info", "--json"}, options));
    CAPTURE(info["budget_source"].get<std::string>());
    CHECK(info["budget_source"].get<std::string>().find("cgroup") != std::string::npos);
    CHECK(info["budget"].get<size_t>() > above << 20);
    CHECK(info["budget"].get<size_t>() <= below << 20);
  };
  budget_between(250, 300);  // has none of its own
  REQUIRE(inner.Limit(size_t{200} << 20));
  budget_between(150, 200);
  REQUIRE(inner.Limit(size_t{900} << 20));  // more than its parent lets it have
  budget_between(250, 300);
}

TEST_CASE("a run that is at work is shown with what it holds") {
  const TestFolder folder;
  const std::string pipe = folder / "list of files";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const int writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);  // who never writes: the run waits for paths
  REQUIRE(writer >= 0);
  Process run(Imgmill({"dedup", "--files-from", pipe, "--no-catalog"}), WithState({}));
  nlohmann::json found;
  for (int i = 0; i < 200 && found.is_null() && !run.Ended(); ++i) {
    const nlohmann::json info = Json(Run({"memory", "info", "--json"}));
    for (const auto& each : info["runs"]) {
      if (each["pid"] == run.pid() &&
          each["command_line"].get<std::string>().find("dedup") != std::string::npos)
        found = each;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  run.Signal(SIGKILL);
  ::close(writer);
  REQUIRE_FALSE(found.is_null());
  CHECK(found["command_line"].get<std::string>().find("dedup --files-from " + pipe) != std::string::npos);
  CHECK(found["resident"].get<size_t>() > size_t{1} << 20);
  CHECK(found["peak_resident"].get<size_t>() >= found["resident"].get<size_t>());
  CHECK(run.Wait().peak_resident + kBlur >= found["resident"].get<size_t>());
  const nlohmann::json afterwards = Json(Run({"memory", "info", "--json"}));
  for (const auto& each : afterwards["runs"]) CHECK(each["pid"] != run.pid());
}

}  // namespace imgmill::process_test
