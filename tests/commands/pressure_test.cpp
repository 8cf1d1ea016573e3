// Another process takes memory away in the middle of a run: the run shrinks, and does not die.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "memory_group.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

constexpr char kHogMark[] = "IMGMILL_TEST_HOG_MIB";
constexpr char kBesideMark[] = "IMGMILL_TEST_HOG_BESIDE";
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kLimit = 400 * kMiB;

/// What a process holds that is no file's, and the processor's ticks that it has taken; not there once it has
/// ended.
struct Seen {
  bool there = false;
  size_t anonymous = 0;
  long ticks = 0;
};

Seen Look(const std::string& pid) {
  Seen seen;
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("RssAnon:")) continue;
    seen.anonymous = std::stoul(line.substr(8)) * 1024;
    seen.there = true;
  }
  const std::string stat = TestFolder::Read("/proc/" + pid + "/stat");
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  long user = 0, system = 0;
  fields >> user >> system;
  seen.ticks = user + system;
  return seen;
}

}  // namespace

TEST_CASE("child: takes memory piece by piece, holds it, and lets go") {
  const char* const mib = std::getenv(kHogMark);
  const char* const beside = std::getenv(kBesideMark);
  if (mib == nullptr || beside == nullptr) return;
  std::vector<std::vector<char>> held;
  long last = 0;
  for (int i = 0; i < std::atoi(mib); i += 10) {
    // By the time for which the run has computed, since what it is at must come to an end before it can give
    // way, on a slow or busy machine, too; and only what there is room for, or the kernel would kill one of
    // the two.
    for (Seen run = Look(beside); run.there; run = Look(beside)) {
      const bool room = run.anonymous + Look("self").anonymous + 30 * kMiB < kLimit;
      if (room && run.ticks >= last + ::sysconf(_SC_CLK_TCK) / 10) break;
      ::usleep(10'000);
    }
    last = Look(beside).ticks;
    held.emplace_back(10 * kMiB, 'x');
  }
  ::usleep(1'500'000);
}

TEST_CASE("a run gives way to a process that takes half of its control group's memory, and recovers") {
#ifdef __SANITIZE_THREAD__
  return;  // shadow memory is several times the limit
#endif
  const MemoryGroup group(kLimit);
  if (!group.made()) return;
  const TestFolder where;
  // WebP is held whole by its decoder: 94 MB each, so that several at once fill the group.
  std::filesystem::create_directories(where / "large");
  WriteLargeJpeg(where / "large/0.jpg", 4000, 3000);
  REQUIRE(Run({"upscale", where / "large/0.jpg", "--method", "linear", "--scale", "1", "--format", "webp",
               "-o", where / "large", "--no-catalog"})
              .exit_code == 0);
  for (int i = 1; i < 24;
       ++i) {  // links are other files to the listing, of one content to nobody without a catalog
    std::filesystem::copy_file(where / "large/0.webp", where / ("large/" + std::to_string(i) + ".webp"));
    std::ofstream(where / ("large/" + std::to_string(i) + ".webp"), std::ios::app)
        << i;  // so that none is recalled as the same content
  }
  ProcessOptions options;
  options.cgroup_procs = group.procs();
  Process run(Imgmill({"dedup", where / "large", "--decode", "full", "--no-catalog", "-j8", "--json",
                       "--report", where / "report.json"}),
              WithState(options));
  ::usleep(300'000);
  ProcessOptions hogging = options;
  hogging.environment = {std::string(kHogMark) + "=200",
                         std::string(kBesideMark) + "=" + std::to_string(run.pid())};
  Process hog({"/proc/self/exe", "-tc=child: takes memory*"}, hogging);
  const ProcessResult hogged = hog.Wait();
  const ProcessResult ran = run.Wait();
  INFO(ran.err);
  CHECK(hogged.signal == 0);
  REQUIRE(ran.signal == 0);
  CHECK(ran.exit_code == 0);
  CHECK(Json(ran)["done"] == 25);

  const nlohmann::json report = JsonFile(where / "report.json");
  const size_t budget = report["memory"]["budget"];
  size_t lowest = budget;
  size_t last = 0;
  for (const auto& moment : report["history"]["moments"]) {
    last = moment["budget"];
    lowest = std::min(lowest, last);
  }
  MESSAGE("budget " << budget / kMiB << " MiB, " << lowest / kMiB << " at the lowest, " << last / kMiB
                    << " at the end; peak resident " << ran.peak_resident / kMiB << " MiB, " << ran.seconds
                    << " s");
  // 200 MiB were taken; what the run itself holds meanwhile must not count as taken.
  CHECK(lowest < budget - 150 * kMiB);
  CHECK(lowest > budget - 290 * kMiB);  // with what it holds itself it would be 320 and more
  CHECK(ran.err.find("other processes took memory") != std::string::npos);
}

}  // namespace imgmill::process_test
