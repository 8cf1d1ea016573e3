// `imgmill doctor`: versions, limits, devices, write access and a self-test of about a second, for bug
// reports and for the first minute on a new machine.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/try.h"
#include "cli/session/session.h"
#include "cli/shared_flags.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/catalog.h"
#include "imgmill/commands/command.h"
#include "imgmill/commands/flags.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/infer/libtorch_location.h"
#include "imgmill/infer/model_runtime.h"
#include "imgmill/report/run_report.h"
#include "self_test.h"
#include "tool.h"

namespace imgmill {
namespace {

/// Below this many open files a run with many workers may hit the limit.
constexpr rlim_t kEnoughFiles = 256;

class Doctor final : public Tool {
 public:
  explicit Doctor(Flags& flags) {
    flags.Footer("Example:\n  imgmill doctor");
    flags.Add("--device", shared_.device, "Devices to look for: auto, cpu, cuda ...")
        .Words(kSomeDevices)
        .ShowDefault()
        .Type("NAME");
    flags.AddSwitch("--json", json_, "One JSON document on stdout");
  }

  ExitCode Run() override {
    InitImageLibraries();
    Say("imgmill", Verdict::kGood, IMGMILL_VERSION ", built by GCC " __VERSION__);
    Say("libraries", Verdict::kGood, ImageLibraryVersions());
    LookAtMemory();
    LookAtFiles();
    LookAtFolders();
    for (const SelfTestPart& part : RunSelfTest()) {
      Say(part.name, part.status.ok() ? Verdict::kGood : Verdict::kBad,
          part.status.ok() ? part.what : part.status.error().message);
    }
    return Tell();
  }

 private:
  enum class Verdict { kGood, kNote, kBad };

  static const char* Word(Verdict verdict) {
    return verdict == Verdict::kGood ? "ok" : verdict == Verdict::kNote ? "note" : "BAD";
  }

  void Say(const std::string& subject, Verdict verdict, const std::string& text) {
    checks_.push_back({{"subject", subject}, {"verdict", Word(verdict)}, {"text", text}});
    if (verdict == Verdict::kBad) ++bad_;
    char head[64];
    std::snprintf(head, sizeof head, "%-5s %-14s ", Word(verdict), subject.c_str());
    text_ += head + text + "\n";
  }

  void LookAtMemory() {
    Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
    if (!manager) {
      Say("memory", Verdict::kBad, manager.error().message);
      return;
    }
    const MemoryInfo info = (*manager)->Info();
    Say("memory", Verdict::kGood,
        FormatByteSize(info.system.available) + " of " + FormatByteSize(info.system.total) +
            " available; a run without --memory takes up to " + FormatByteSize(info.budget) + " (" +
            info.budget_source + ")");
    for (const std::string& warning : info.warnings) Say("memory", Verdict::kNote, warning);

    CommandServices services;
    services.shared = &shared_;
    Say("cores", Verdict::kGood, std::to_string(services.workers()) + " that this process may use");
    Result<std::unique_ptr<ModelRuntime>> runtime = OpenModelRuntime(**manager, services.workers());
    if (!runtime) {
      Say("LibTorch", Verdict::kNote,
          "none, so of models only networks of convolutions that enlarge images can be used: " +
              runtime.error().message);
      return;
    }
    const LibTorchLocation* place = MappedLibTorch();
    Say("LibTorch", Verdict::kGood,
        place == nullptr
            ? (*runtime)->version()
            : place->version + " in " + PrintablePath(place->root) + " (" + place->found_by + ")");
    if (Result<int> devices = (*runtime)->AddDevices(shared_.device, 0); !devices) {
      Say("device", Verdict::kBad, devices.error().message);
    }
    for (int i = 0; i < (*manager)->device_count(); ++i) {
      Say("device", Verdict::kGood,
          (*manager)->device(i).name() + ", " + FormatByteSize((*manager)->DeviceRoom(i)) + " of room");
    }
  }

  void LookAtFiles() {
    struct rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= kEnoughFiles) {
      Say("open files", Verdict::kGood, "enough allowed");
    } else {
      Say("open files", Verdict::kNote,
          std::to_string(limit.rlim_cur) + " allowed: few for many workers (raise it with ulimit -n)");
    }
  }

  /// Whether it can be written.
  Status LookAtFolder(const std::string& what, const std::string& folder) {
    TRY(MakeFolders(folder));
    const std::string probe = folder + "/.imgmill-doctor-" + std::to_string(::getpid());
    const Status written = WriteFileAtomically(probe, "probe");
    ::unlink(probe.c_str());
    TRY(written);
    std::error_code problem;
    const std::filesystem::space_info space = std::filesystem::space(folder, problem);
    Say(what, Verdict::kGood,
        PrintablePath(folder) + " can be written" +
            (problem ? "" : ", " + FormatByteSize(space.available) + " free"));
    return {};
  }

  void LookAtFolders() {
    const Result<std::string> state = StateFolder();
    if (!state) {
      Say("catalogs", Verdict::kBad, state.error().message);
    } else if (const Status kept = LookAtFolder("catalogs", *state); !kept) {
      Say("catalogs", Verdict::kBad, NoPlaceForCatalog(kept.error()).message);
    }
    std::error_code problem;
    const std::filesystem::path temporary = std::filesystem::temp_directory_path(problem);
    if (problem) {
      Say("temporary", Verdict::kBad,
          "no folder for temporary files: " + problem.message() + " (set TMPDIR)");
    } else if (const Status kept = LookAtFolder("temporary", temporary.string()); !kept) {
      Say("temporary", Verdict::kBad, kept.error().message + " (set TMPDIR)");
    }
  }

  ExitCode Tell() {
    const std::string end = bad_ == 0 ? "all is well\n" : Counted(bad_, "check") + " failed: see BAD above\n";
    const nlohmann::ordered_json document = {{"well", bad_ == 0}, {"checks", checks_}};
    const std::string text = json_ ? JsonText(document) : text_ + end;
    return Print(text, bad_ == 0 ? ExitCode::kDone : ExitCode::kCannot);
  }

  SharedOptions shared_;
  bool json_ = false;
  int bad_ = 0;
  std::string text_;
  nlohmann::ordered_json checks_ = nlohmann::ordered_json::array();
};

}  // namespace

std::unique_ptr<Tool> AddDoctor(Flags& flags) {
  return std::make_unique<Doctor>(flags);
}

}  // namespace imgmill
