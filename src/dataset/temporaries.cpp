// Names of temporary files, from which a later run can tell whether anybody still writes them.
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include "base/path_parts.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr std::string_view kMark = ".imgmill-";
constexpr std::string_view kEnd = ".tmp";
/// A file that is being written is touched all the time; one untouched for so long has no writer on any
/// machine.
constexpr time_t kAbandonedSeconds = 24 * 3600;

std::string Hex8(uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", value);
  return text;
}

/// This host and PID namespace: where a process id means something.
const std::string& HostToken() {
  static const std::string token = [] {
    char text[256 + PATH_MAX] = {};
    ::gethostname(text, 255);
    std::string key = text;
    const ssize_t length = ::readlink("/proc/self/ns/pid", text, sizeof(text) - 1);
    if (length > 0) key.append(text, static_cast<size_t>(length));
    return Hex8(static_cast<uint32_t>(XXH3_64bits(key.data(), key.size())));
  }();
  return token;
}

/// This start of the program: in a container every run may have process id 1.
const std::string& RunToken() {
  static const std::string token = Hex8(std::random_device{}());
  return token;
}

struct Owner {
  std::string_view host;
  pid_t pid = 0;
  std::string_view run;
};

std::string_view TakeUntil(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return part;
}

/// ".NAME.imgmill-HOST-PID-RUN-N.tmp"
bool ParseTemporary(std::string_view name, Owner& owner) {
  if (name.empty() || name[0] != '.' || !name.ends_with(kEnd)) return false;
  const size_t mark = name.rfind(kMark);
  if (mark == std::string_view::npos) return false;
  std::string_view rest = name.substr(mark + kMark.size());
  rest.remove_suffix(kEnd.size());
  owner.host = TakeUntil(rest, '-');
  const std::string_view pid = TakeUntil(rest, '-');
  owner.run = TakeUntil(rest, '-');
  const auto [end, problem] = std::from_chars(pid.data(), pid.data() + pid.size(), owner.pid);
  return problem == std::errc() && end == pid.data() + pid.size() && owner.pid > 0 &&
         owner.host.size() == 8 && owner.run.size() == 8 && !rest.empty();
}

/// Also when nobody has asked for its exit code yet, as of one that was killed a moment ago.
bool HasEnded(pid_t pid) {
  if (::kill(pid, 0) != 0) return errno == ESRCH;
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const size_t state = stat.rfind(") ");  // the name before it may hold anything
  return state != std::string::npos && state + 2 < stat.size() &&
         (stat[state + 2] == 'Z' || stat[state + 2] == 'X');
}

bool IsAbandoned(const Owner& owner, const struct stat& info) {
  if (owner.run == RunToken()) return false;  // ours, this very run
  // A copy has its original's time, which may be years ago; but not the time of its last change.
  const time_t touched = std::max(info.st_mtim.tv_sec, info.st_ctim.tv_sec);
  if (std::time(nullptr) - touched > kAbandonedSeconds) return true;
  if (owner.host != HostToken()) return false;
  if (owner.pid == ::getpid()) return true;  // our process id, but another run: it is over
  return HasEnded(owner.pid);
}

}  // namespace

std::string TemporaryNameFor(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  std::string tail(kMark);
  tail += HostToken() + "-" + std::to_string(::getpid()) + "-" + RunToken() + "-" +
          std::to_string(counter.fetch_add(1, std::memory_order_relaxed)) + std::string(kEnd);
  // A name may fill all that the file system allows; the temporary one keeps as much of it as fits.
  const std::string_view name = NameOf(path).substr(0, NAME_MAX - 1 - tail.size());
  const std::string_view folder = std::string_view(path).substr(0, path.size() - NameOf(path).size());
  return std::string(folder) + "." + std::string(name) + tail;
}

void SweepTemporaries(const std::string& folder, bool recursive) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), &::closedir);
  if (!stream) return;  // nothing there, nothing to sweep
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    // The name alone rules out nearly all: a folder may hold a million files that need no look.
    Owner owner;
    const bool temporary = ParseTemporary(name, owner);
    const bool folder_perhaps = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
    if (!temporary && !(recursive && folder_perhaps)) continue;
    const std::string path = Join(folder, name);
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      if (recursive) SweepTemporaries(path);
    } else if (temporary && IsAbandoned(owner, info)) {
      ::unlink(path.c_str());
    }
  }
}

}  // namespace imgmill
