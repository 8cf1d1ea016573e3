// Runs a command inside the test's process, with a MemoryManager, a catalog and devices of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"

namespace imgmill {

struct InProcessRun {
  std::string
      command;  ///< "compare", "dedup", "embed", "filter", "frames", "match", "tile", "upscale", "brightness"
  std::vector<std::string> arguments;  ///< its flags; no paths
  std::vector<ListedFile> files;       ///< in the order in which they are to come
  size_t memory = 0;                   ///< budget; 0 derives it
  std::string catalog;                 ///< folder; empty for a private one
  int jobs = 1;
  std::string device = "cpu";
  uint64_t refuse = 0;  ///< the k-th allocation from the command's start; 0 none
  double chance = 0;    ///< 0..1, of each allocation in the host's pool to be refused
  uint64_t seed = 0;    ///< of that
  /// Makes the runtime, its devices added, in place of the one that `device` names; nothing: that one.
  std::function<std::unique_ptr<ModelRuntime>(MemoryManager&)> runtime;
  /// Called once a model and the devices that it is to run on are there, before the first image.
  std::function<void(MemoryManager&)> on_devices;
};

struct InProcessResult {
  std::string error;  ///< of the whole run; empty if it went through
  Code code = Code::kInternal;
  CommandResult result;
  MemoryInfo memory;                    ///< at the end
  MemoryHistory history;                ///< likewise
  std::vector<PoolStats> device_pools;  ///< of host-backed devices with pools of their own, at the end
  uint64_t allocations = 0;             ///< that the command made in the host's pool
  uint64_t refusals = 0;                ///< that it met there
  size_t leaked = 0;                    ///< bytes still live in the host's pool afterwards
};

InProcessResult RunInProcess(const InProcessRun& run);

/// The command's own fields of the document, as text.
std::string DetailsOf(const CommandResult& result);

/// A whole command line in this process, `imgmill` left out; what it prints is thrown away. @return its exit
/// code
int RunLine(std::vector<std::string> words);

/// Pictures of sample_data by name.
std::vector<ListedFile> SampleFiles(const std::vector<std::string>& names);
/// relative path and digest of every file below `folder`, hidden ones left out.
std::vector<std::string> FolderDigests(const std::string& folder);
/// A folder under $TMPDIR, removed with everything in it.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};
/// A folder without anything in it, where a run writes; "" is none.
void MakeEmpty(const std::string& folder);
/// The weight file of own:sr-x4, with which a run takes a moment; empty if there is no LibTorch module.
std::string ModelFile();
/// A TorchScript network of 256 floats among the test assets; empty likewise, or if there are none.
std::string NetworkFile();
/// Whether one of these is not there, which excuses a test: a message says so.
bool IsMissing(const std::string& file);

}  // namespace imgmill
