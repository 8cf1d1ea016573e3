// A real cgroup with a real limit: a process in it reads the limit, works up to its budget, and is not
// killed.
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "imgmill/memory/out_of_memory.h"
#include "memory_fixture.h"

namespace imgmill {
namespace {

constexpr char kChildMark[] = "IMGMILL_TEST_CGROUP_CHILD";
constexpr size_t kLimit = 192 * kMiB;

/// A memory cgroup of our own, if this user may make one.
class LimitedGroup {
 public:
  LimitedGroup() {
    const std::string name = "imgmill-test-" + std::to_string(getpid());
    const std::pair<const char*, const char*> trees[] = {{"/sys/fs/cgroup/memory/", "memory.limit_in_bytes"},
                                                         {"/sys/fs/cgroup/", "memory.max"}};
    for (const auto& [tree, limit_file] : trees) {
      const std::string path = tree + name;
      std::error_code problem;
      if (!std::filesystem::create_directory(path, problem)) continue;
      std::ofstream limit(path + "/" + limit_file);
      limit << kLimit << std::flush;
      if (limit) {
        path_ = path;
        return;
      }
      std::filesystem::remove(path, problem);
    }
  }
  ~LimitedGroup() {
    if (!path_.empty()) rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_CASE("cgroup child: fills its budget") {
  const char* const path = std::getenv(kChildMark);
  if (path == nullptr) return;
  const auto memory = ReadCgroupMemory();
  REQUIRE(memory);
  CHECK(memory->limit == kLimit);
  CHECK(memory->path == path);
  MemoryOptions options;
  options.sample_ms = 5;
  auto manager = memory_test::MustCreate(options);
  CHECK(manager->Info().budget_source == "cgroup " + std::string(path));
  CHECK(manager->host_budget() < kLimit);
  CHECK(manager->host_budget() > kLimit / 2);
  for (int round = 0; round < 3; ++round) {
    std::vector<Buffer> held;
    try {
      while (true) {
        held.emplace_back(HostPool(), 3 * kMiB);
        std::memset(held.back().data(), 1, held.back().size());
      }
    } catch (const OutOfMemory&) {
      CHECK(held.size() * 3 * kMiB > kLimit / 2);
    }
  }
  CHECK(ReadProcessMemory().peak_resident <= manager->host_budget() + 2 * kMiB);
}

TEST_CASE("a process under a cgroup limit stays below it") {
#ifdef __SANITIZE_THREAD__
  return;  // shadow memory is several times the limit
#endif
  if (std::getenv(kChildMark) != nullptr) return;
  const LimitedGroup group;
  if (group.path().empty()) {
    MESSAGE("not run: this user may not make a memory cgroup");
    return;
  }
  const std::string join = group.path() + "/cgroup.procs";
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::ofstream(join) << getpid();
    setenv(kChildMark, group.path().c_str(), 1);
    execl("/proc/self/exe", "test_memory", "--test-case=cgroup child*", nullptr);
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK_MESSAGE(!WIFSIGNALED(status), "killed by signal ", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace imgmill
