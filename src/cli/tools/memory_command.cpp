// `imgmill memory info|recommend|clear`: what the MemoryManager sees on this machine, what it advises, and
// what it has learned, to be forgotten.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/try.h"
#include "base/usage_error.h"
#include "catalog/catalog_database.h"
#include "cli/plan/memory_info.h"
#include "cli/plan/plan_advice.h"
#include "cli/session/session.h"
#include "cli/shared_flags.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"
#include "imgmill/catalog/catalog.h"
#include "imgmill/commands/command.h"
#include "imgmill/commands/flags.h"
#include "imgmill/infer/model_runtime.h"
#include "imgmill/report/run_report.h"
#include "tool.h"

namespace imgmill {
namespace {

namespace fs = std::filesystem;

class Memory final : public Tool {
 public:
  explicit Memory(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill memory info\n"
        "  imgmill memory recommend --device auto\n"
        "  imgmill memory recommend upscale photos -o large --model realesr-animevideov3-x4.safetensors\n"
        "  imgmill memory clear --catalog tiles/.imgmill");
    flags.Add("what", what_, "info, recommend or clear").Words(kWhat).Required().Type("WHAT");
    flags.Add("command", command_, "recommend: a command and its flags, for advice on just that run")
        .Type("COMMAND ...");
    AddByteSize(flags, "--memory", shared_.memory,
                "Budget to look at [the cgroup's limit, or 80 % of what is free]");
    AddByteSize(flags, "--device-memory", shared_.device_memory,
                "Budget of each device [what is free there]");
    flags.Add("--device", device_, "Also look at devices: auto, cpu, cuda ...")
        .Words(kSomeDevices)
        .Type("NAME");
    flags.Add("--catalog", catalog_, "clear: only this catalog's learned costs [all in the state folder]")
        .Type("DIR");
    flags.AddSwitch("--json", json_, "One JSON document on stdout");
  }

  ExitCode Run() override {
    if (std::find(kWhat.begin(), kWhat.end(), what_) == kWhat.end()) {
      const auto guess = DidYouMean(what_, kWhat);
      const std::string hint = guess ? "; did you mean \"" + *guess + "\"?" : " (info, recommend or clear)";
      std::fprintf(stderr, "imgmill: error: unknown argument \"%s\"%s\n", PrintablePath(what_).c_str(),
                   hint.c_str());
      return ExitCode::kUsage;
    }
    if (!command_.empty()) {
      std::fprintf(stderr,
                   "imgmill: error: \"%s\" is misplaced: a command that works on images, with its flags, "
                   "goes right after recommend\n",
                   PrintablePath(command_).c_str());
      return ExitCode::kUsage;
    }
    const Result<nlohmann::ordered_json> document = what_ == "clear" ? Clear() : Look();
    if (!document) {
      std::fprintf(stderr, "imgmill: error: %s\n", document.error().message.c_str());
      return ExitCodeFor(document.error());
    }
    return Print(json_ ? JsonText(*document) : text_);
  }

 private:
  static inline const std::vector<std::string> kWhat = {"info", "recommend", "clear"};

  Result<nlohmann::ordered_json> Look() {
    MemoryOptions options;
    options.host_budget = shared_.memory;
    std::unique_ptr<MemoryManager> manager = TRY(MemoryManager::Create(options));
    std::unique_ptr<ModelRuntime> models;
    if (!device_.empty()) {
      shared_.device = device_;
      CommandServices services;
      services.shared = &shared_;
      services.memory = manager.get();
      services.models = &models;
      if (Result<ModelRuntime*> opened = services.OpenModels(); !opened) return opened.error();
      manager->Rebaseline();
    }
    if (what_ == "recommend") return Recommend(*manager);
    MemoryFigures figures = LookAtMemory(*manager);
    text_ = std::move(figures.text);
    return std::move(figures.json);
  }

  nlohmann::ordered_json Recommend(const MemoryManager& manager) {
    CommandServices services;
    services.shared = &shared_;
    const std::vector<Recommendation> advice =
        AdviseOnMachine(manager.Info(), manager.LargestLease(), services.workers());
    text_ = RecommendationsText(advice);
    return {{"recommendations", RecommendationsJson(advice)}};
  }

  /// Costs that runs have learned are all that is kept between them; a process's caches end with it.
  Result<nlohmann::ordered_json> Clear() {
    std::vector<fs::path> folders;
    if (!catalog_.empty()) {
      if (!HoldsCatalog(catalog_)) {
        return UsageError(PrintablePath(catalog_) + " holds no catalog");
      }
      folders.emplace_back(catalog_);
    } else {
      const std::string state = TRY(StateFolder());
      std::error_code none;
      for (fs::directory_iterator at(state, none), end; !none && at != end; at.increment(none))
        folders.push_back(at->path());
    }
    std::sort(folders.begin(), folders.end());
    nlohmann::ordered_json json = {{"removed", nlohmann::ordered_json::array()}};
    for (const fs::path& folder : folders) {
      const fs::path costs = folder / "costs.txt";
      std::error_code problem;
      if (fs::remove(costs, problem)) {
        json["removed"].push_back(PrintablePath(costs.string()));
        text_ += "removed " + PrintablePath(costs.string()) + "\n";
      } else if (problem) {
        return Error{Stage::kAct, Code::kPermission,
                     PrintablePath(costs.string()) + ": cannot be removed: " + problem.message()};
      }
    }
    if (json["removed"].empty()) text_ = "nothing to clear: no costs have been learned yet\n";
    return json;
  }

  std::string what_;
  std::string command_;
  std::string device_;
  std::string catalog_;
  bool json_ = false;
  SharedOptions shared_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Tool> AddMemory(Flags& flags) {
  return std::make_unique<Memory>(flags);
}

}  // namespace imgmill
