// `imgmill explain FILE...`: how a file was made, back to the image that it came from.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "provenance.h"
#include "tool.h"

namespace imgmill {
namespace {

using Json = nlohmann::ordered_json;

/// Where a way that leads in a circle ends.
constexpr int kMostSteps = 64;

class Explain final : public Tool {
 public:
  explicit Explain(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill run configs/quickstart.yaml\n"
        "  imgmill explain quickstart_out/upscale/mountains_00000_00000.png");
    flags.Add("files", files_, "Files in output folders of upscale, tile, frames, pack or run")
        .Type("FILE")
        .Required();
    flags.AddSwitch("--json", json_, "One JSON document on stdout");
  }

  ExitCode Run() override {
    ExitCode code = ExitCode::kDone;
    Json all = Json::array();
    for (const std::string& file : files_) {
      Result<Json> way = WayOf(file);
      if (!way) {
        std::fprintf(stderr, "imgmill: error: %s: %s\n", PrintablePath(file).c_str(),
                     way.error().message.c_str());
        code = ExitCode::kSomeFailed;
        continue;
      }
      if (json_) {
        all.push_back(*std::move(way));
      } else {
        Tell(*way);
      }
    }
    if (json_) {
      const Json document = {{"schema", "imgmill/1"}, {"command", "explain"}, {"files", all}};
      std::printf("%s\n", document.dump(2).c_str());
    }
    return Print({}, code);
  }

 private:
  static Error Unknown(std::string message) { return {Stage::kCatalog, Code::kNotFound, std::move(message)}; }

  /// Of a file that is there: its content, and the steps that made it, the last one first. A link may be an
  /// output itself, or lead to one.
  static Result<Json> WayOf(const std::string& file) {
    std::error_code none;
    const std::string canonical = std::filesystem::canonical(file, none).string();
    if (none) return Unknown("there is no such file");
    if (const std::string entry = AbsoluteEntry(file); entry != canonical) {
      if (Result<Json> way = WayOfEntry(file, entry)) return way;
    }
    return WayOfEntry(file, canonical);
  }

  /// @param file  as the user gave it
  static Result<Json> WayOfEntry(const std::string& file, const std::string& absolute) {
    const std::optional<std::string> folder = OutputFolderOf(std::filesystem::path(absolute).parent_path());
    if (!folder)
      return Unknown(
          "neither its folder nor any above has a catalog (.imgmill): imgmill did not write it, or it "
          "was copied elsewhere");
    std::unique_ptr<ProvenanceFolder> opened = TRY(ProvenanceFolder::Open(*folder));
    const Provenance found = TRY(opened->Of(absolute.substr(folder->size() + 1)));
    if (found.state == Provenance::State::kUnknown)
      return Unknown("the catalog of " + PrintablePath(*folder) + " knows no output of this name");
    if (found.state == Provenance::State::kChanged)
      return Unknown("it is not what imgmill wrote under this name: it was changed or replaced since");
    Json way = {{"path", PrintablePath(file)}, {"digest", found.content.Hex()}, {"steps", Json::array()}};
    TRY(AddSteps(found.work, std::move(opened), way["steps"]));
    return way;
  }

  static Status AddSteps(FoundWork work, std::unique_ptr<ProvenanceFolder> folder, Json& steps) {
    for (int i = 0; i < kMostSteps; ++i) {
      const SourceState state = TRY(StateOf(work));
      std::optional<std::string> below = folder->Below(work.key.source);
      steps.push_back({{"made_by", PrintablePath(work.key.fingerprint)},
                       {"source", PrintablePath(work.key.source)},
                       {"source_digest", work.key.content.Hex()},
                       {"source_state", ToString(state)}});
      if (state == SourceState::kSeveral || state == SourceState::kStdin) return {};
      if (!below) {
        const std::optional<std::string> other =
            OutputFolderOf(std::filesystem::path(work.key.source).parent_path());
        if (!other) return {};
        folder = TRY(ProvenanceFolder::Open(*other));
        below = work.key.source.substr(other->size() + 1);
      }
      std::optional<FoundWork> made = TRY(folder->ThatGave(*below, work.key.content));
      if (!made) return {};
      work = *std::move(made);
    }
    return {};
  }

  static void Tell(const Json& way) {
    std::printf("%s\n", way["path"].get<std::string>().c_str());
    for (const Json& step : way["steps"]) {
      const auto text = [&](const char* field) { return step[field].get<std::string>(); };
      const bool several = text("source_state") == ToString(SourceState::kSeveral);
      std::printf(
          "  made by  %s\n  from     %s\n", text("made_by").c_str(),
          (several ? text("source_state") : text("source") + " (" + text("source_state") + ")").c_str());
    }
  }

  std::vector<std::string> files_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Tool> AddExplain(Flags& flags) {
  return std::make_unique<Explain>(flags);
}

}  // namespace imgmill
