// Weights are really gone after the last step that needs them, by the kernel's account; steps with one weight
// file load it once.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "imgmill/commands/embed.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/upscale.h"
#include "imgmill/infer/library_pages.h"
#include "sweep/command_run.h"
#include "torch/small_network.h"

using namespace imgmill;

namespace {

constexpr size_t kMiB = size_t{1} << 20;

/// By the kernel's account, pages of libraries included.
size_t Resident() {
  return ReadProcessMemory().resident;
}

/// What a session gives its steps, and what it does between them.
class Steps {
 public:
  Steps() {
    shared_.device = "cpu";
    shared_.jobs = 2;
    InitImageLibraries();
    auto manager = MemoryManager::Create({});
    auto catalog = Catalog::Open("");
    REQUIRE(manager.ok());
    REQUIRE(catalog.ok());
    manager_ = *std::move(manager);
    catalog_ = *std::move(catalog);
    services.shared = &shared_;
    services.memory = manager_.get();
    services.catalog = catalog_.get();
    services.stop = &stop_;
    services.progress = &progress_;
    services.models = &models_;
    services.loaded = &loaded_;
    services.log = [](LogLevel, const std::string&) {};
  }

  void Run(std::unique_ptr<Command> (*add)(Flags&), std::vector<std::string> arguments,
           const std::vector<std::string>& pictures) {
    CLI::App app;
    Flags flags(app);
    const std::unique_ptr<Command> command = add(flags);
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    std::unique_ptr<ItemSource> source = SourceFromFiles(SampleFiles(pictures));
    const Result<CommandResult> result = command->Run(*source, services);
    REQUIRE_MESSAGE(result.ok(), (result ? "" : result.error().message));
    CHECK(result->counts.failed == 0);
    CHECK(result->counts.done == pictures.size());
  }

  /// As Session::KeepModels.
  void Unload(const std::vector<std::string>& but = {}) {
    loaded_.KeepOnly(but);
    services.memory->ClearAll();
    ReleaseLibraryPages();
    services.memory->Rebaseline();
  }

  CommandServices services;

 private:
  SharedOptions shared_;
  std::unique_ptr<MemoryManager> manager_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ModelRuntime> models_;
  LoadedModels loaded_;
  StopFlag stop_;
  Progress progress_;
};

/// A network of 70 MB of weights, three times what the allowance below is.
std::string LargeNetwork(const WeightFolder& folder) {
  return SmallCompact(folder, 256, 32, 2, true, "");
}

/// Whether this process was started for one of the cases "alone: ...".
bool IsAlone() {
  return std::getenv("IMGMILL_ALONE") != nullptr;
}

/// Runs one of the cases below in a process of its own, whose memory nobody else has touched, and tells what
/// it found.
void RunAlone(const char* test_case) {
  const ScratchFolder scratch;
  const std::string log = scratch / "log";  // a second report on stdout would look like one of ours
  std::string self = "/proc/self/exe", filter = std::string("--test-case=") + test_case;
  char* arguments[] = {self.data(), filter.data(), nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, log.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t child = 0;
  ::setenv("IMGMILL_ALONE", "1", 1);
  REQUIRE(posix_spawn(&child, "/proc/self/exe", &quiet, nullptr, arguments, environ) == 0);
  ::unsetenv("IMGMILL_ALONE");
  posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    if (line.find("resident MiB") != std::string::npos || status != 0) MESSAGE(line);
  }
  CHECK(status == 0);
}

/// The rows of the table in docs/memory.md.
void TellAndCheck(const char* what, size_t before, size_t opened, size_t unloaded) {
  const size_t peak = ReadProcessMemory().peak_resident;
  MESSAGE(std::string(what) << ", resident MiB: before " << before / kMiB << ", opened " << opened / kMiB
                            << ", peak " << peak / kMiB << ", unloaded " << unloaded / kMiB);
  // LibTorch keeps some MB of its own of a first run, 5 to 8 here; the large network's weights are 70.
  CHECK(unloaded <= opened + 24 * kMiB);
}

}  // namespace

TEST_CASE("alone: upscale's weights are gone") {
  if (!IsAlone()) return;
  const WeightFolder weights;
  const ScratchFolder scratch;
  const std::string model = LargeNetwork(weights);
  Steps steps;
  const size_t before = Resident();
  REQUIRE(steps.services.OpenModels().ok());
  steps.Unload();
  const size_t opened = Resident();
  steps.Run(&AddUpscale, {"-o", scratch / "out", "--model", model, "--tile", "64"}, {"icon_tiny.png"});
  const size_t held = Resident();
  CHECK(held > opened + 60 * kMiB);
  const size_t room_with = steps.services.memory->LargestLease();
  steps.Unload();
  TellAndCheck("upscale", before, opened, Resident());
  CHECK(steps.services.memory->LargestLease() > room_with + 60 * kMiB);  // and lent out again
}

TEST_CASE("alone: embed's network is gone") {
  if (!IsAlone()) return;
  const ScratchFolder scratch;
  Steps steps;
  const size_t before = Resident();
  const auto models = steps.services.OpenModels();
  REQUIRE(models.ok());
  REQUIRE((*models)->Known().left_out.empty());  // which LibTorch's networks are among
  steps.Unload();
  const size_t opened = Resident();
  steps.Run(&AddEmbed,
            {"--export", scratch / "v.npy", "--model", NetworkFile(), "--scale", "1/127.5", "--shift", "-1"},
            {"icon_tiny.png", "harbour.jpg", "clock.jpg"});
  steps.Unload();
  TellAndCheck("embed", before, opened, Resident());
}

TEST_CASE("after the last step that needs a model, its weights are given back to the kernel") {
  if (IsMissing(NetworkFile())) return;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  MESSAGE("SKIPPED: a sanitizer keeps what is freed, and that is what is measured here");
  return;
#endif
  RunAlone("alone: upscale's weights are gone");
  RunAlone("alone: embed's network is gone");
}

TEST_CASE("two steps with the same weight file load it once; a changed file is loaded anew") {
  if (IsMissing(ModelFile())) return;
  const WeightFolder weights;
  const ScratchFolder scratch;
  const std::string model = SmallCompact(weights, 16, 18, 2, true, "");
  Steps steps;
  const auto allocations = [&](const std::string& output) {
    const uint64_t before = HostPool().Stats().allocations;
    steps.Run(&AddUpscale, {"-o", scratch / output, "--model", model, "--tile", "64"}, {"icon_tiny.png"});
    return HostPool().Stats().allocations - before;
  };
  const uint64_t first = allocations("a");
  steps.Unload({model});
  const uint64_t second = allocations("b");
  CHECK(first >= second + 18);  // a buffer at least for each of its convolutions
  CHECK(FolderDigests(scratch / "a") == FolderDigests(scratch / "b"));
  steps.Unload({"another"});
  CHECK(allocations("c") == first);
  std::filesystem::last_write_time(model, std::filesystem::file_time_type::clock::now());
  CHECK(allocations("d") == first);
}
