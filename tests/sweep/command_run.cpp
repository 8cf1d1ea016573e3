// The parts of a session that a command needs, without log and lock.
#include "sweep/command_run.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/command_line.h"
#include "imgmill/commands/compare.h"
#include "imgmill/commands/dedup.h"
#include "imgmill/commands/embed.h"
#include "imgmill/commands/filter.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/frames.h"
#include "imgmill/commands/match.h"
#include "imgmill/commands/tile.h"
#include "imgmill/commands/upscale.h"
#include "sweep/brightness.h"

namespace imgmill {
namespace fs = std::filesystem;

namespace {

std::unique_ptr<Command> AddCommand(const std::string& name, Flags& flags) {
  if (name == "brightness") return std::make_unique<BrightnessCommand>();
  if (name == "compare") return AddCompare(flags);
  if (name == "dedup") return AddDedup(flags);
  if (name == "embed") return AddEmbed(flags);
  if (name == "filter") return AddFilter(flags);
  if (name == "match") return AddMatch(flags);
  if (name == "frames") return AddFrames(flags);
  if (name == "tile") return AddTile(flags);
  return AddUpscale(flags);
}

}  // namespace

InProcessResult RunInProcess(const InProcessRun& run) {
  InProcessResult outcome;
  const size_t live_before = HostPool().Stats().live;
  {
    CLI::App app;
    Flags flags(app);
    const std::unique_ptr<Command> command = AddCommand(run.command, flags);
    std::vector<std::string> arguments(run.arguments.rbegin(), run.arguments.rend());
    app.parse(arguments);
    SharedOptions shared;
    shared.jobs = run.jobs;
    shared.device = run.device;
    InitImageLibraries();
    MemoryOptions options;
    options.host_budget = run.memory;
    Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create(options);
    Result<std::unique_ptr<Catalog>> catalog = Catalog::Open(run.catalog);
    if (!manager || !catalog) {
      outcome.error = !manager ? manager.error().message : catalog.error().message;
      outcome.code = !manager ? manager.error().code : catalog.error().code;
      return outcome;
    }
    StopFlag stop;
    Progress progress;
    std::unique_ptr<ModelRuntime> models = run.runtime ? run.runtime(**manager) : nullptr;
    CommandServices services;
    services.shared = &shared;
    services.memory = manager->get();
    services.catalog = catalog->get();
    services.stop = &stop;
    services.progress = &progress;
    services.models = &models;
    bool told = false;
    services.log = [&](LogLevel, const std::string&) {
      if (told || !run.on_devices || (*manager)->device_count() == 0) return;
      told = true;
      run.on_devices(**manager);
    };

    std::unique_ptr<ItemSource> source = SourceFromFiles(run.files);
    const PoolStats before = HostPool().Stats();
    HostPool().RefuseAllocation(run.refuse);
    HostPool().RefuseAtRandom(run.chance, run.seed);
    Result<CommandResult> result = command->Run(*source, services);
    HostPool().RefuseAllocation(0);
    HostPool().RefuseAtRandom(0, 0);
    outcome.allocations = HostPool().Stats().allocations - before.allocations;
    outcome.refusals = HostPool().Stats().refusals - before.refusals;
    outcome.memory = (*manager)->Info();
    outcome.history = (*manager)->History();
    for (int i = 0; i < (*manager)->device_count(); ++i) {
      if (!(*manager)->DeviceSharesHostPool(i))
        outcome.device_pools.push_back((*manager)->device(i).pool()->Stats());
    }
    if (result) {
      outcome.result = *std::move(result);
    } else {
      outcome.error = result.error().message;
      outcome.code = result.error().code;
    }
  }
  outcome.leaked = HostPool().Stats().live - live_before;
  return outcome;
}

std::string DetailsOf(const CommandResult& result) {
  std::string text;
  const Status written = result.details.Write([&](std::string_view piece) {
    text.append(piece);
    return Status();
  });
  return written ? text : written.error().message;
}

int RunLine(std::vector<std::string> words) {
  words.insert(words.begin(), "imgmill");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  std::fflush(stdout);
  const int kept_out = ::dup(STDOUT_FILENO);
  const int kept_err = ::dup(STDERR_FILENO);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  const int code = RunCommandLine(static_cast<int>(argv.size()), argv.data());
  std::fflush(stdout);
  ::dup2(kept_out, STDOUT_FILENO);
  ::dup2(kept_err, STDERR_FILENO);
  for (const int file : {kept_out, kept_err, nowhere}) ::close(file);
  return code;
}

std::vector<ListedFile> SampleFiles(const std::vector<std::string>& names) {
  std::vector<ListedFile> files;
  for (const std::string& name : names) {
    files.push_back(
        {files.size(), std::string(IMGMILL_SOURCE_DIR "/sample_data/") + name, name, NameClash::kNone});
  }
  return files;
}

std::vector<std::string> FolderDigests(const std::string& folder) {
  std::vector<std::string> digests;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const Result<ContentDigest> digest = DigestOf(entry.path().string());
    digests.push_back(fs::relative(entry.path(), folder).string() + " " +
                      (digest ? digest->Hex() : "unreadable"));
  }
  std::sort(digests.begin(), digests.end());
  return digests;
}

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "imgmill-sweep-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void MakeEmpty(const std::string& folder) {
  if (folder.empty()) return;
  fs::remove_all(folder);
  fs::create_directories(folder);
}

namespace {

/// The file, if there is a LibTorch module that can use it; else nothing.
std::string ForModule(std::string file) {
  const bool module = fs::exists(IMGMILL_BINARY_DIR "/lib/libimgmill_torch.so") ||
                      std::getenv("IMGMILL_TORCH_MODULE") != nullptr;
  return module && fs::exists(file) ? file : std::string();
}

}  // namespace

std::string ModelFile() {
  return ForModule(IMGMILL_SOURCE_DIR "/models/sr-x4.safetensors");
}

std::string NetworkFile() {
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  if (assets == nullptr) return {};
  return ForModule(std::string(assets) + "/weights/torchscript/mobilenet_v1_0.25_224_embed256_f32.pt");
}

bool IsMissing(const std::string& file) {
  if (file.empty()) MESSAGE("SKIPPED: no IMGMILL_TEST_ASSETS, or no LibTorch module");
  return file.empty();
}

}  // namespace imgmill
