// A program that is killed right before its n-th call of some system calls: every state that a kill can leave
// files in lies between two of those that change them.
#pragma once

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace imgmill::process_test {

/// The calls by which names of files change.
inline std::set<long> NameCalls() {
  std::set<long> calls = {SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_unlinkat};
#ifdef SYS_rename  // newer architectures have the calls with "at" only
  calls.insert({SYS_rename, SYS_link, SYS_symlink, SYS_unlink});
#endif
#ifdef SYS_renameat
  calls.insert(SYS_renameat);
#endif
  return calls;
}

/// Those, and the calls by which their content does.
inline std::set<long> ChangingCalls() {
  std::set<long> calls = NameCalls();
  calls.insert(
      {SYS_write, SYS_writev, SYS_pwrite64, SYS_copy_file_range, SYS_sendfile, SYS_ftruncate, SYS_fallocate});
  return calls;
}

enum class KillOutcome { kKilled, kRanToItsEnd, kCannotTrace };

/// The process itself and all that it starts stop at these calls, for who traces them. Others cost nothing.
inline bool StopAtCalls(const std::set<long>& calls) {
  std::vector<sock_filter> filter = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  auto left = static_cast<uint8_t>(calls.size());  // instructions from a call to the last one
  for (const long call : calls)
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), left--, 0));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
  const sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// @param nth   from 1, of all threads together
/// @param made  is given the numbers of the calls up to there, if not null
/// @param see   is shown each of them, if not empty, and the thread that is about to make it
inline KillOutcome KillAtCall(
    std::vector<std::string> argv, const std::vector<std::string>& environment, const std::set<long>& calls,
    int nth, std::vector<long>* made = nullptr,
    const std::function<void(pid_t thread, const __ptrace_syscall_info& call)>& see = {}) {
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (const std::string& each : environment) ::putenv(const_cast<char*>(each.c_str()));
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nothing, fd);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0 || !StopAtCalls(calls)) ::_exit(125);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) return KillOutcome::kCannotTrace;
  const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
  if (::ptrace(PTRACE_SETOPTIONS, pid, nullptr, options) != 0) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    return KillOutcome::kCannotTrace;
  }
  ::ptrace(PTRACE_CONT, pid, nullptr, 0);
  for (int seen = 0;;) {
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0 && errno == EINTR) continue;
    if (thread < 0) return KillOutcome::kCannotTrace;
    if (thread == pid && WIFEXITED(status)) return KillOutcome::kRanToItsEnd;
    if (thread == pid && WIFSIGNALED(status)) return KillOutcome::kKilled;
    if (!WIFSTOPPED(status)) continue;
    const bool at_call = status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
    if (at_call) {
      struct __ptrace_syscall_info info = {};
      ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
      if (made != nullptr) made->push_back(static_cast<long>(info.seccomp.nr));
      if (see) see(thread, info);
      if (++seen == nth) ::kill(pid, SIGKILL);  // a thread that is stopped dies without the call
    }
    const int signal = WSTOPSIG(status);
    const bool its_own = signal != SIGTRAP && signal != SIGSTOP;
    if (seen < nth || !at_call) ::ptrace(PTRACE_CONT, thread, nullptr, its_own ? signal : 0);
  }
}

}  // namespace imgmill::process_test
