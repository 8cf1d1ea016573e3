// A real memory limit of the kernel: without any --memory the run finds it, stays below and finishes.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "program.h"

namespace imgmill::process_test {
namespace {

bool WriteText(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

/// A control group below the test's own, in a version 1 or 2 tree mounted in the usual places.
class MemoryGroup {
 public:
  explicit MemoryGroup(size_t limit) {
    const std::string name = "/imgmill-test-" + std::to_string(::getpid());
    for (const bool second : {false, true}) {
      const std::string parent =
          second ? Own("0::", "/sys/fs/cgroup") : Own(":memory:", "/sys/fs/cgroup/memory");
      if (parent.empty()) continue;
      path_ = parent + name;
      if (::mkdir(path_.c_str(), 0755) != 0) {
        why_ = std::strerror(errno);
        path_.clear();
        continue;
      }
      const std::string file = path_ + (second ? "/memory.max" : "/memory.limit_in_bytes");
      // Without the controller the file is not there, and cannot be made.
      if (TestFolder::Exists(file) && WriteText(file, std::to_string(limit))) return;
      why_ = "no memory controller in " + path_;
      ::rmdir(path_.c_str());
      path_.clear();
    }
    MESSAGE("SKIPPED: no control group can be made: " << why_);
  }
  ~MemoryGroup() {
    // The last member's memory may be accounted for a moment longer than it lives.
    for (int i = 0; i < 100 && !path_.empty() && ::rmdir(path_.c_str()) != 0; ++i) ::usleep(10'000);
  }
  bool made() const { return !path_.empty(); }
  std::string procs() const { return path_ + "/cgroup.procs"; }

 private:
  std::string Own(const std::string& key, const std::string& mount) const {
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
      const size_t at = line.find(key);
      if (at == std::string::npos) continue;
      std::string path = line.substr(at + key.size());
      if (path == "/") path.clear();
      // Inside a container the mount may show our own branch only.
      if (TestFolder::Exists(mount + path)) return mount + path;
      if (TestFolder::Exists(mount)) return mount;
    }
    return "";
  }

  std::string path_;
  std::string why_ = "no cgroup file system";
};

}  // namespace

TEST_CASE("dedup and filter finish under a kernel limit of 256 MiB that nobody told it about") {
  constexpr size_t kLimit = size_t{256} << 20;
  const MemoryGroup group(kLimit);
  if (!group.made()) return;
  const TestFolder where;
  CopySamples(where / "photos");
  REQUIRE(Run({"upscale", where / "photos", "--method", "linear", "--scale", "3", "--format", "jpg", "-o",
               where / "large", "--include", "m*", "--include", "c*", "--include", "h*"})
              .exit_code == 0);
  WriteLargeJpeg(where / "large/huge.jpg", 6000, 6000);  // 108 MB as pixels
  const size_t count = CountFiles(where / "photos") + CountFiles(where / "large");
  REQUIRE(count >= 40);

  ProcessOptions options;
  options.cgroup_procs = group.procs();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"dedup", "--decode", "scaled"},
                                             {"dedup", "--decode", "full"},
                                             {"filter", "--keep", "sharpness>p10"}}) {
    CAPTURE(command.back());
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {where / "photos", where / "large", "--no-catalog", "-j4", "--json",
                                       "--report", where / "report.json"});
    const ProcessResult result = Run(arguments, options);
    INFO(result.err);
    CHECK(result.signal == 0);
    CHECK(result.exit_code == 0);
    CHECK(Json(result)["done"] == count);
    CHECK(result.peak_resident < kLimit);
    const nlohmann::json memory = JsonFile(where / "report.json")["memory"];
    MESSAGE(command.front() << " " << command.back() << ": budget "
                            << memory["budget"].get<size_t>() / 1048576 << " MiB by "
                            << memory["budget_source"].get<std::string>() << ", peak resident "
                            << result.peak_resident / 1048576 << " MiB, " << result.seconds << " s");
    CHECK(memory["budget_source"].get<std::string>().find("cgroup") != std::string::npos);
    CHECK(memory["budget"] <= kLimit);
  }
}

TEST_CASE("embed finishes under a kernel limit of 256 MiB, a picture of 100 megapixels among its own") {
  constexpr size_t kLimit = size_t{256} << 20;
  const MemoryGroup group(kLimit);
  if (!group.made()) return;
  const TestFolder where;
  CopySamples(where / "photos");
  WriteLargeJpeg(where / "photos/huge.jpg", 10000, 10000);
  ProcessOptions options;
  options.cgroup_procs = group.procs();
  const ProcessResult result =
      Run({"embed", where / "photos", "--export", where / "v.npy", "-j4", "--json"}, options);
  INFO(result.err);
  CHECK(result.signal == 0);
  CHECK(result.exit_code == 0);
  CHECK(Json(result)["done"] == 31);
  CHECK(result.peak_resident < kLimit);
  MESSAGE("peak resident " << result.peak_resident / 1048576 << " MiB, " << result.seconds << " s");
}

TEST_CASE("a model finishes under a kernel limit of 600 MiB") {
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  constexpr size_t kLimit = size_t{600} << 20;
  const MemoryGroup group(kLimit);
  if (!group.made()) return;
  const TestFolder where;
  // As a whole a layer would take 2 x 192 MB (64 float channels in and out), the enlarged picture 144 MB.
  WriteLargeJpeg(where / "photo.jpg", 1000, 750);
  ProcessOptions options = model.options;
  options.cgroup_procs = group.procs();
  const ProcessResult result =
      Run({"upscale", where / "photo.jpg", "--model", model.weights, "--device", "cpu", "-o", where / "out",
           "--format", "jpg", "--json", "--report", where / "report.json"},
          options);
  INFO(result.err);
  CHECK(result.signal == 0);
  CHECK(result.exit_code == 0);
  CHECK(Json(result)["done"] == 1);
  CHECK(result.peak_resident < kLimit);
  const nlohmann::json memory = JsonFile(where / "report.json")["memory"];
  MESSAGE("budget " << memory["budget"].get<size_t>() / 1048576 << " MiB by "
                    << memory["budget_source"].get<std::string>() << ", peak resident "
                    << result.peak_resident / 1048576 << " MiB, " << result.seconds << " s");
  CHECK(memory["budget_source"].get<std::string>().find("cgroup") != std::string::npos);
}

}  // namespace imgmill::process_test
