// A real child process: its output kept, its time limited, its end and its peak memory known.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace imgmill::process_test {

struct ProcessOptions {
  std::vector<std::string> environment;  ///< "NAME=value", added to or replacing the test's own
  std::string cgroup_procs;              ///< file that the child writes its pid into before it starts
  size_t address_space = 0;              ///< RLIMIT_AS in bytes, `ulimit -v`; 0 for none
  bool broken_stdout = false;            ///< stdout is a pipe that nobody reads any more
};

struct ProcessResult {
  int exit_code = -1;  ///< -1 if a signal ended it
  int signal = 0;      ///< that ended it; 0 if it exited
  bool timed_out = false;
  std::string out;
  std::string err;
  size_t peak_resident = 0;  ///< bytes, by the kernel's account
  double seconds = 0;
  double cpu_seconds = 0;  ///< of the processor, all threads: others' work does not count
};

class Process {
 public:
  /// `argv[0]` is the program's path. No shell has a part in it.
  explicit Process(const std::vector<std::string>& argv, const ProcessOptions& options = {});
  ~Process();  ///< kills a child that is still there
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  /// True as soon as the child is gone; does not wait.
  bool Ended();
  /// Waits; a child that takes longer is killed and marked as timed out.
  ProcessResult Wait(double seconds = 300);

 private:
  void Collect(int status, size_t peak, double cpu_seconds);

  pid_t pid_ = -1;
  size_t copied_at_fork_ = 0;  // bytes of this process
  size_t seen_peak_ = 0;       // of the child, when it was last looked at
  bool ended_ = false;
  int out_ = -1;
  int err_ = -1;
  std::chrono::steady_clock::time_point start_;
  ProcessResult result_;
};

}  // namespace imgmill::process_test
