// What the memory tests share: options with a known room, a scratch folder, and whether a sanitizer blurs
// RSS.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "imgmill/base/byte_size.h"
#include "imgmill/memory/memory_manager.h"
#include "imgmill/memory/system_memory.h"

namespace imgmill::memory_test {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
/// Shadow memory counts as resident, so exact statements about RSS do not hold.
inline constexpr bool kResidentIsBlurred = true;
#else
inline constexpr bool kResidentIsBlurred = false;
#endif

/// A budget of what the process holds now and `room` more. Without a sampler, so that nothing changes behind
/// a test's back.
inline MemoryOptions WithRoom(size_t room) {
  HostPool().ClearCache();
  MemoryOptions options;
  options.host_budget = ReadProcessMemory().resident + room;
  options.sample_ms = 0;
  return options;
}

inline std::unique_ptr<MemoryManager> MustCreate(const MemoryOptions& options) {
  auto manager = MemoryManager::Create(options);
  REQUIRE_MESSAGE(manager.ok(), (manager.ok() ? "" : manager.error().message));
  return std::move(*manager);
}

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "imgmill-memory-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline void WriteFile(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace imgmill::memory_test
