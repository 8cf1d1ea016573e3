// `imgmill verify DIR...`: whether output folders hold what was written to them, and only that.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/may_overwrite.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "cli/session/session.h"
#include "cli/session/stop_signals.h"
#include "forgotten_work.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/dataset/listing.h"
#include "missing_outputs.h"
#include "provenance.h"
#include "source_check.h"
#include "tool.h"

namespace imgmill {
namespace {

enum Finding { kAsWritten, kChanged, kMissing, kUnknown, kSourceChanged, kSourceGone, kFailed, kFindings };

constexpr std::array<const char*, kFindings> kNames = {"as written",     "changed",     "missing", "unknown",
                                                       "source changed", "source gone", "failed"};

/// As JSON has it: "source_changed".
std::string FieldOf(size_t finding) {
  std::string name = kNames[finding];
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

/// Where the record of a folder lies: in it or, of a folder of a pipeline's step, in one above.
std::string RecordOf(const std::string& folder) {
  if (!Exists(folder)) return folder;
  if (const auto record = OutputFolderOf(folder)) return *record;
  return OutputFolderOf(CanonicalOrEntry(folder)).value_or(folder);
}

/// A folder right in `folder` that has a record of its own; the first by name.
std::optional<std::string> RecordedBelow(const std::string& folder) {
  std::optional<std::string> first;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    std::string below = Join(folder, entry.path().filename().string());
    const bool recorded = entry.is_directory(none) && OutputFolderOf(below) == below;
    if (recorded && (!first || below < *first)) first = std::move(below);
  }
  return first;
}

/// Why there is no record to look into.
Error NoRecord(const std::string& folder, Error error) {
  if (error.code == Code::kNotFound) {
    error.code = Code::kUsage;
    if (!Exists(folder)) error.message = "there is no such folder";
    if (const auto below = RecordedBelow(folder))
      error.message = "there is no catalog in it (.imgmill/catalog.sqlite), but one in " +
                      PrintablePath(*below) + ": name that folder";
  }
  error.message = PrintablePath(folder) + ": " + error.message;
  return error;
}

/// The way down from the folder of the record, with a slash at its end; "" if that is the folder.
std::string WayDown(const std::string& record, const std::string& folder) {
  const std::string above = CanonicalOrEntry(record), below = CanonicalOrEntry(folder);
  return above == below || !IsAtOrBelow(below, above) ? "" : Join(below, "").substr(Join(above, "").size());
}

class Verify final : public Tool {
 public:
  explicit Verify(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill upscale photos -o large --method lanczos3\n"
        "  imgmill verify large --manifest large.jsonl");
    flags.Add("folders", folders_, "Output folders of upscale, tile, frames, pack or run, or folders in one")
        .Type("DIR")
        .Required();
    flags.AddSwitch("--sources", sources_, "Also check that what the files were made from is as it was");
    flags
        .Add("--manifest", manifest_,
             "Write a line of JSON for each file that is as written: how it was made, and of what")
        .Type("FILE.jsonl");
    flags.AddSwitch("--forget", forget_, "Say once more which files are missing, and look for them no more");
    flags.AddSwitch("--json", json_, "One JSON document on stdout");
  }

  ExitCode Run() override {
    stop_ = &InstallStopSignals();
    const Status may = MayOverwrite("--manifest", manifest_, WrittenAs::kManifest);
    if (!may) return Refuse(may.error());
    const Status looked =
        manifest_.empty() ? LookAtAll() : WriteNamedFile(manifest_, [this](const TextSink& put) {
          manifest_sink_ = &put;
          return LookAtAll();
        });
    return looked ? Finish() : Refuse(looked.error());
  }

 private:
  static ExitCode Refuse(const Error& error) {
    std::fprintf(stderr, "imgmill: error: %s\n", error.message.c_str());
    return ExitCodeFor(error);
  }

  Status LookAtAll() {
    for (const std::string& each : folders_) {
      const std::string folder = WithoutRedundancy(each);
      const std::string record = RecordOf(folder);
      Result<std::unique_ptr<ProvenanceFolder>> opened = ProvenanceFolder::Open(record);
      if (!opened) return NoRecord(folder, opened.error());
      const std::string way_down = WayDown(record, folder);
      record_ = CanonicalOrEntry(record);
      TRY(LookAtFiles(**opened, folder, way_down));
      MissingOutputs outputs(**opened, way_down.empty() ? "" : CanonicalOrEntry(folder), ToldOf(**opened));
      TRY(outputs.Look(*stop_));
      opened->reset();
      if (forget_) TRY(ForgetWork(record, outputs.works()));
    }
    return {};
  }

  /// The images that are there. @param way_down  from the folder of the record to `folder`
  Status LookAtFiles(ProvenanceFolder& record, const std::string& folder, const std::string& way_down) {
    ListOptions options;
    options.paths = {folder};
    options.stop = stop_;
    std::unique_ptr<Lister> files = TRY(Lister::Open(options));
    while (const std::optional<ListedFile> file = files->Next()) {
      if (stop_->StopRequested()) return LookInterrupted();
      TRY(LookAtFile(record, way_down + file->relative, file->path));
    }
    if (stop_->StopRequested()) return LookInterrupted();
    for (const ListProblem& problem : files->problems()) {
      std::fprintf(stderr, "imgmill: error: %s\n", Describe(problem.path, problem.error).c_str());
      Tell(kFailed, problem.path);
    }
    return {};
  }

  Status LookAtFile(ProvenanceFolder& folder, const std::string& relative, const std::string& path) {
    const Result<Provenance> found = folder.Of(relative, path);
    if (!found) {
      std::fprintf(stderr, "imgmill: error: %s\n", Describe(path, found.error()).c_str());
      Tell(kFailed, path);
      return {};
    }
    switch (found->state) {
      case Provenance::State::kUnknown:
        Tell(kUnknown, path);
        NoteOtherRecord(path);
        break;
      case Provenance::State::kChanged:
        Tell(kChanged, path);
        break;
      case Provenance::State::kAsWritten:
        ++counts_[kAsWritten];
        TRY(PutManifest(path, found->work));
        TRY(LookAtSource(folder, path, found->work));
    }
    return {};
  }

  /// An output folder within one has a record of its own, which is not looked into.
  void NoteOtherRecord(const std::string& path) {
    const std::string folder = ParentOf(path);
    if (folder != last_folder_) last_record_ = OutputFolderOf(CanonicalOrEntry(folder));
    last_folder_ = folder;
    if (last_record_ && *last_record_ != record_) ++elsewhere_[*last_record_];
  }

  Status LookAtSource(ProvenanceFolder& folder, const std::string& path, const FoundWork& work) {
    if (!sources_) return {};
    const auto tell = [this](const Result<SourceState>& state, const std::string& of,
                             const std::string& source) {
      if (!state) std::fprintf(stderr, "imgmill: error: %s\n", Describe(source, state.error()).c_str());
      Tell(!state ? kFailed : *state == SourceState::kChanged ? kSourceChanged : kSourceGone, of, source);
    };
    return SourceCheck(folder.work(), *stop_, tell).Look(path, work);
  }

  MissingOutputs::Told ToldOf(ProvenanceFolder& folder) {
    return {[this](const std::string& path) { Tell(kMissing, path); },
            [this, &folder](const std::string& relative, const std::string& path) {
              return LookAtFile(folder, relative, path);
            }};
  }

  Status PutManifest(const std::string& path, const FoundWork& work) {
    if (manifest_sink_ == nullptr) return {};
    const nlohmann::ordered_json line = {
        {"output", PrintablePath(path)},           {"bytes", work.row.size},
        {"digest", work.row.digest.Hex()},         {"source", PrintablePath(work.key.source)},
        {"source_digest", work.key.content.Hex()}, {"made_by", PrintablePath(work.key.fingerprint)}};
    return (*manifest_sink_)(line.dump() + "\n");
  }

  void Tell(Finding finding, const std::string& path, const std::string& source = {}) {
    ++counts_[finding];
    if (!json_) {
      std::printf("%s  %s%s\n", kNames[finding], PrintablePath(path).c_str(),
                  source.empty() ? "" : ("  made from " + PrintablePath(source)).c_str());
      return;
    }
    nlohmann::ordered_json found = {{"path", PrintablePath(path)}, {"finding", FieldOf(finding)}};
    if (!source.empty()) found["source"] = PrintablePath(source);
    findings_.push_back(std::move(found));
  }

  ExitCode Finish() {
    std::string sum;
    uint64_t found = 0;
    nlohmann::ordered_json counts;
    for (size_t f = 0; f < kFindings; ++f) {
      counts[FieldOf(f)] = counts_[f];
      if (f != kAsWritten) found += counts_[f];
      if (f == kAsWritten || counts_[f] > 0 || f <= kUnknown)
        sum += (sum.empty() ? "" : ", ") + std::to_string(counts_[f]) + " " + kNames[f];
    }
    if (json_) {
      const nlohmann::ordered_json document = {
          {"schema", "imgmill/1"}, {"command", "verify"}, {"counts", counts}, {"findings", findings_}};
      std::printf("%s\n", document.dump(2).c_str());
    }
    std::fprintf(stderr, "imgmill: info: %s\n", sum.c_str());
    if (counts_[kMissing] > 0)
      std::fprintf(stderr, "imgmill: info: %s\n",
                   forget_ ? "what is missing is looked for no more from now on"
                           : "what is gone for good is looked for no more after --forget");
    for (const auto& [folder, files] : elsewhere_)
      std::fprintf(stderr,
                   "imgmill: warning: %s has a record of its own, which was not looked into: %llu of the "
                   "unknown files lie there (imgmill verify %s looks at them)\n",
                   PrintablePath(folder).c_str(), static_cast<unsigned long long>(files),
                   PrintablePath(folder).c_str());
    if (Print({}) != ExitCode::kDone) return ExitCode::kCannot;
    if (counts_[kFailed] > 0) return ExitCode::kSomeFailed;
    return found > 0 ? ExitCode::kFindings : ExitCode::kDone;
  }

  std::vector<std::string> folders_;
  std::string manifest_;
  bool sources_ = false;
  bool json_ = false;
  bool forget_ = false;
  const StopFlag* stop_ = nullptr;
  const TextSink* manifest_sink_ = nullptr;
  std::array<uint64_t, kFindings> counts_{};
  std::string record_;                         ///< the output folder that is looked at, canonical
  std::string last_folder_;                    ///< of an unknown file
  std::optional<std::string> last_record_;     ///< that it belongs to
  std::map<std::string, uint64_t> elsewhere_;  ///< unknown files of other output folders
  nlohmann::ordered_json findings_ = nlohmann::ordered_json::array();
};

}  // namespace

std::unique_ptr<Tool> AddVerify(Flags& flags) {
  return std::make_unique<Verify>(flags);
}

}  // namespace imgmill
