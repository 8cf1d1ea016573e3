// A program that is killed right before its n-th call of some system calls: every state that a kill can leave
// files in lies between two of those that change them.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
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

enum class KillOutcome { kKilled, kRanToItsEnd, kCannotTrace };

/// @param nth  from 1, of all threads together
inline KillOutcome KillAtCall(std::vector<std::string> argv, const std::vector<std::string>& environment,
                              const std::set<long>& calls, int nth) {
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (const std::string& each : environment) ::putenv(const_cast<char*>(each.c_str()));
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nothing, fd);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(125);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) return KillOutcome::kCannotTrace;
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
  if (::ptrace(PTRACE_SETOPTIONS, pid, nullptr, options) != 0) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    return KillOutcome::kCannotTrace;
  }
  constexpr int kSystemCall = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD
  ::ptrace(PTRACE_SYSCALL, pid, nullptr, 0);
  for (int seen = 0;;) {
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0 && errno == EINTR) continue;
    if (thread < 0) return KillOutcome::kCannotTrace;
    if (thread == pid && WIFEXITED(status)) return KillOutcome::kRanToItsEnd;
    if (thread == pid && WIFSIGNALED(status)) return KillOutcome::kKilled;
    if (!WIFSTOPPED(status)) continue;
    const int signal = WSTOPSIG(status);
    if (signal == kSystemCall) {
      struct __ptrace_syscall_info info = {};
      ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
      const bool counts =
          info.op == PTRACE_SYSCALL_INFO_ENTRY && calls.contains(static_cast<long>(info.entry.nr));
      if (counts && ++seen == nth) ::kill(pid, SIGKILL);  // a thread that is stopped dies without the call
    }
    const bool its_own = signal != kSystemCall && signal != SIGTRAP && signal != SIGSTOP;
    if (seen < nth || signal != kSystemCall) ::ptrace(PTRACE_SYSCALL, thread, nullptr, its_own ? signal : 0);
  }
}

}  // namespace imgmill::process_test
