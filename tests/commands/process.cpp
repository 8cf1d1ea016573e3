// fork, exec and wait4; the child's output goes to files in memory, so that no pipe can fill and stop it.
#include "process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "imgmill/memory/pool.h"
#include "imgmill/memory/system_memory.h"

namespace imgmill::process_test {
namespace {

std::string Contents(int fd) {
  std::string text;
  std::array<char, 65536> block{};
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(fd, block.data(), block.size(), at);
    if (got <= 0) return text;
    text.append(block.data(), static_cast<size_t>(got));
    at += got;
  }
}

std::vector<std::string> Environment(const std::vector<std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& other : added) replaced = replaced || other.compare(0, name.size(), name) == 0;
    if (!replaced) all.push_back(text);
  }
  all.insert(all.end(), added.begin(), added.end());
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// What a child may touch between fork and exec (3 MB were measured), and the blur of the kernel's figures.
constexpr size_t kBeforeExec = size_t{6} << 20;

/// VmHWM of a process that runs; 0 if it does not.
size_t PeakOf(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

bool JoinGroup(const char* procs) {
  const int fd = ::open(procs, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && ::write(fd, "0", 1) == 1;  // 0 stands for the writer
}

}  // namespace

Process::Process(const std::vector<std::string>& argv, const ProcessOptions& options) {
  std::vector<std::string> words = argv;
  std::vector<std::string> environment = Environment(options.environment);
  const std::vector<char*> word_pointers = Pointers(words);
  const std::vector<char*> environment_pointers = Pointers(environment);
  out_ = ::memfd_create("stdout", MFD_CLOEXEC);
  err_ = ::memfd_create("stderr", MFD_CLOEXEC);
  REQUIRE(out_ >= 0);
  REQUIRE(err_ >= 0);
  int stdout_of_child = out_;
  std::array<int, 2> pipe_ends = {-1, -1};
  if (options.broken_stdout) {
    REQUIRE(::pipe2(pipe_ends.data(), O_CLOEXEC) == 0);
    ::close(pipe_ends[0]);
    stdout_of_child = pipe_ends[1];
  }
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  start_ = std::chrono::steady_clock::now();
  // What the child begins with: pages of files are not copied. It should be less than what the program comes
  // to hold, or that is known only as of the last look at it.
  HostPool().ClearCache();
  ::malloc_trim(0);
  const ProcessMemory memory = ReadProcessMemory();
  copied_at_fork_ = memory.resident - std::min(memory.resident, memory.file_backed);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    // An ignored SIGPIPE would be inherited, and hide what the program does about it.
    ::signal(SIGPIPE, SIG_DFL);
    const rlimit limit{options.address_space, options.address_space};
    if (options.address_space != 0 && ::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(126);
    if (!options.cgroup_procs.empty() && !JoinGroup(options.cgroup_procs.c_str())) ::_exit(126);
    ::dup2(nothing, 0);
    ::dup2(stdout_of_child, 1);
    ::dup2(err_, 2);
    ::execve(word_pointers[0], word_pointers.data(), environment_pointers.data());
    ::_exit(127);
  }
  ::close(nothing);
  if (pipe_ends[1] >= 0) ::close(pipe_ends[1]);
}

Process::~Process() {
  if (!ended_) {
    Signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(out_);
  ::close(err_);
}

void Process::Signal(int signal) {
  if (const size_t peak = PeakOf(pid_); peak > 0) seen_peak_ = peak;  // before it is gone
  if (!ended_) ::kill(pid_, signal);
}

bool Process::Ended() {
  if (ended_) return true;
  int status = 0;
  rusage usage = {};
  if (const size_t peak = PeakOf(pid_); peak > 0) seen_peak_ = peak;
  if (::wait4(pid_, &status, WNOHANG, &usage) != pid_) return false;
  // To the kernel, the child began with what was copied from this process: where it never held more, what was
  // last seen of it is its own.
  const size_t told = static_cast<size_t>(usage.ru_maxrss) * 1024;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  Collect(status, told > copied_at_fork_ + kBeforeExec || seen_peak_ == 0 ? told : seen_peak_,
          seconds(usage.ru_utime) + seconds(usage.ru_stime));
  return true;
}

void Process::Collect(int status, size_t peak, double cpu_seconds) {
  ended_ = true;
  result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  result_.peak_resident = peak;
  result_.cpu_seconds = cpu_seconds;
  result_.out = Contents(out_);
  result_.err = Contents(err_);
}

ProcessResult Process::Wait(double seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!Ended()) {
    if (!result_.timed_out && std::chrono::steady_clock::now() > deadline) {
      result_.timed_out = true;
      Signal(SIGKILL);
    }
    ::usleep(1000);
  }
  return result_;
}

}  // namespace imgmill::process_test
