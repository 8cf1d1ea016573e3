// What a subcommand is to the command line and to a pipeline: options that can be checked, and one run over
// items.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imgmill/catalog/catalog.h"
#include "imgmill/commands/loaded_models.h"
#include "imgmill/engine/engine.h"
#include "imgmill/infer/model_runtime.h"
#include "imgmill/memory/memory_manager.h"
#include "imgmill/report/json_object.h"

namespace imgmill {

/// The words of --kernels.
inline const std::array<std::string, 2> kKernelChoices = {"auto", "reference"};

/// Options that every command takes; README and --help list them once.
struct SharedOptions {
  ListOptions list;

  /// Budget of the whole process in bytes; 0 derives it (see MemoryOptions).
  size_t memory = 0;
  /// Budget of each device in bytes; 0 derives it.
  size_t device_memory = 0;
  /// "auto", "cpu", "cpu:0,cpu:1", "cuda", "cuda:1", ...
  std::string device = "auto";
  /// What computes a model's layers on the CPU: "auto" for the fastest, "reference" for LibTorch alone.
  std::string kernels = "auto";
  /// Micro-batch in place of the plan's; 0 leaves it to the plan.
  int batch = 0;
  /// Strategies by name: when freed memory goes back, how many batches are in flight.
  std::string cache = "auto";
  std::string batch_sizing = "fit";
  /// Images processed at once, and threads a model computes with; 0: one for each core.
  int jobs = 0;

  /// Folder of the catalog; empty chooses one (see DefaultCatalogFolder).
  std::string catalog;
  bool no_catalog = false;
  /// Compute again what the catalog knows, and replace files that are not known outputs.
  bool force = false;
  RunMode mode = RunMode::kRun;

  ImageLimits limits;
  bool allow_truncated = false;

  /// One JSON document on stdout instead of text.
  bool json = false;
  /// A line of JSON for each image as it finishes, and one for the run, in place of that document.
  bool jsonl = false;
  /// A JSON report of the whole run, memory included.
  std::string report;
  /// One image at a time, with each one's peak of resident memory in the report.
  bool watch_memory = false;
  /// A page for people: what each step did with each image.
  std::string report_page;
  /// The run's figures as Prometheus text.
  std::string metrics_file;
  std::string log_file;
  int verbosity = 0;  ///< -1 quiet, 0 normal, 1 and 2 more

  std::optional<std::string> Check() const;
};

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// What a command works with. Not owned.
struct CommandServices {
  const SharedOptions* shared = nullptr;
  MemoryManager* memory = nullptr;
  Catalog* catalog = nullptr;
  const StopFlag* stop = nullptr;
  Progress* progress = nullptr;
  std::function<void(LogLevel, const std::string&)> log;
  /// Takes the line of --jsonl for an image, from one thread at a time; null without it.
  std::function<void(JsonObject)> put_line;
  /// Where LibTorch lives once a step needed it, for all steps of the run.
  std::unique_ptr<ModelRuntime>* models = nullptr;
  /// What they have loaded there, for steps with the same weight file. Null: each loads its own.
  LoadedModels* loaded = nullptr;
  /// A pipeline's step: CommandResult::kept is wanted.
  bool in_pipeline = false;
  /// Of a step of a pipeline's file: a name that no other step has, such as "dedup" or "dedup-2". Else empty.
  std::string step;
  /// Those of the other steps.
  std::vector<std::string> other_steps;
  /// Of a pipeline's later step: FirstUnlisted of what the pipeline was given.
  std::string unlisted_input;
  /// Likewise: it is given no image, since those before it have dropped all of them that they could read.
  bool all_dropped = false;
  /// What a dry run finds out goes here.
  std::optional<RunPlan>* plan = nullptr;
  /// Sees the rows that are decoded anyway; may be null.
  RowObserver* observer = nullptr;

  /// kUsage, naming a budget that would do, if this one cannot hold LibTorch, it is not open yet, and that
  /// model needs it.
  Status RoomForLibraryOf(const std::string& weight_file) const;
  /// Opens the devices of --device, the first time, and LibTorch if they need it.
  Result<ModelRuntime*> OpenModels() const;
  EngineServices engine() const {
    return {memory, catalog, stop, progress, nullptr, shared->watch_memory, plan, observer};
  }
  /// A dry run has to look at the images, to say what would be done with them: commands that can say so
  /// without set the engine's mode themselves.
  EngineOptions engine_options() const {
    const bool plan_only = shared->mode == RunMode::kPlan;
    return {workers(), shared->limits, shared->force, plan_only ? RunMode::kPlan : RunMode::kRun};
  }
  bool wants_verdicts() const { return !shared->report_page.empty(); }
  int workers() const;  ///< jobs, or one for each core this process may use
};

/// One image that failed, as JSON and report show it.
struct FailedItem {
  std::string path;
  Error error;

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.path), each(self.error.stage), each(self.error.code), each(self.error.message);
  }
};
using FailureTable = RecordTable<FailedItem>;

/// The first path, in their order, that is missing or could not be listed, so that images of it may be there
/// all the same; empty if there is none.
Result<std::string> FirstUnlisted(const FailureTable& failed);

/// What one step did with one image, for the report page.
///
/// More of them than a page can show are not kept: they would be the one thing here that grows with the
/// folder.
inline constexpr size_t kMostVerdicts = 20000;
struct ItemVerdict {
  enum class End { kKept, kDropped, kFailed };
  std::string path;  ///< as the step was given it
  End end = End::kKept;
  /// In words: "duplicate of a.jpg (distance 3)"; empty where there is nothing to say.
  std::string why;
  std::vector<std::string> outputs;  ///< paths of the files that were written: what the next step is given
  std::string moved_to;              ///< where its file is now, if the step has moved it
};

/// Files that a step of a pipeline puts beside its images by an action: copies and links.
struct PlacedFiles {
  std::string folder;           ///< empty: it puts none anywhere
  std::vector<size_t> sources;  ///< HashOfSource of each file that one is made of, or would be

  /// @param content  of an image: another one of the same path is another source. Nothing for a side-car.
  static size_t HashOfSource(const std::string& path, const std::optional<ContentDigest>& content);
};

/// What a command came to. What there is of each image is in tables, or is made while it is written.
struct CommandResult {
  RunCounts counts;
  FailureTable failed;
  /// Of the act phase: the image itself is done and counted, what should have happened to its file did not.
  FailureTable action_failures;
  /// The command's own fields of the JSON document ("groups", "outputs", ...).
  JsonObject details;
  /// What stdout shows instead of the JSON document, for people. It may be empty.
  TextWriter text;
  /// Replaces "32 images: 30 done, 2 failed"; empty keeps that.
  std::string headline;
  /// What follows it on the line for the end: "3 groups, 5 duplicates, 1.2 MiB in duplicates".
  std::string summary;
  /// What a next step of a pipeline works on, in order; only if CommandServices::in_pipeline.
  FileTable kept;
  /// Of the listed: those that stay, or that gave what is in `kept`.
  uint64_t kept_images = 0;
  /// One for each of the first kMostVerdicts listed images, in order; only if
  /// CommandServices::wants_verdicts().
  std::vector<ItemVerdict> verdicts;
  /// Of the listed: neither kept nor failed.
  uint64_t dropped = 0;
  PlacedFiles placed;
  /// Of a dry run: the files that it would add to `kept`.
  Prospect ahead{0};
  /// Why the command did not act on what it found, such as --max-drop: the run ends with this error, and with
  /// all that is known.
  std::optional<Error> refusal;
  /// --check was given and something was found.
  bool findings = false;

  bool HasVerdictOf(const ListedFile& file) const { return file.index < verdicts.size(); }
  /// A reduce dropped an image that its map had kept: gives --jsonl a line, and changes the image's verdict
  /// where verdicts are kept.
  /// @param why  makes the reason in words; only called where it is wanted
  void MarkDropped(const CommandServices& services, const ListedFile& file,
                   const std::function<std::string()>& why);
};

/// An array of the files' paths.
JsonRows PathsOf(const FileTable& files);

/// Logs and keeps the failures, notes and verdicts of a run, in order, and gives --jsonl its lines.
class OutcomeLog {
 public:
  /// @param output_folder  where the outcomes' outputs are, if there are any.
  explicit OutcomeLog(const CommandServices& services, std::string output_folder = {})
      : services_(services), output_folder_(std::move(output_folder)) {}
  void Record(const Outcome& outcome);
  const FailureTable& failures() const { return failures_; }
  /// Of a step of a pipeline: std::hash of each output's name in its folder.
  std::vector<size_t> TakeOutputs() { return std::move(outputs_); }
  /// Everything that did not fail counts as kept, until CommandResult::MarkDropped says otherwise.
  std::vector<ItemVerdict> TakeVerdicts() { return std::move(verdicts_); }

 private:
  const CommandServices& services_;
  std::string output_folder_;
  FailureTable failures_;
  std::vector<size_t> outputs_;
  std::vector<ItemVerdict> verdicts_;
};

/// One run of a command: what the engine does with each image for it, and what it concludes from all of them.
class CommandRun {
 public:
  /// @param output_folder  where the outcomes' outputs are, if there are any.
  explicit CommandRun(const CommandServices& services, std::string output_folder = {})
      : options(services.engine_options()),
        engine(services.engine()),
        log(services, std::move(output_folder)) {}
  virtual ~CommandRun() = default;
  virtual Operation& operation() = 0;
  /// Memory that Reduce will lease after a run over so many images.
  virtual size_t ReduceBytes(uint64_t /*images*/) const { return 0; }
  /// Reduces and acts. `mapped` has counts, failures and verdicts, also of an interrupted run.
  virtual Result<CommandResult> Reduce(CommandResult mapped) = 0;
  /// Of a dry run in a pipeline: std::hash of the name of each file that the step would write, or might.
  virtual std::vector<size_t> TakeForeseen() { return {}; }

  EngineOptions options;
  EngineServices engine;
  OutcomeLog log;
  std::unique_ptr<ItemSource> source;  ///< in place of the one that it was given
  bool alone = false;                  ///< no other command's operation can run together with its own
};

class Command {
 public:
  virtual ~Command() = default;
  /// The first option that is wrong.
  virtual std::optional<std::string> Check() const { return std::nullopt; }
  /// Takes paths that are no images to list, such as what these are compared with. Not asked of a step of a
  /// pipeline. Before Check. @return what is wrong with them
  virtual std::optional<std::string> TakePaths(ListOptions&) { return std::nullopt; }
  /// The first option that does not fit the shared ones. Not asked of a step of a pipeline, since there the
  /// catalog is the pipeline's.
  virtual std::optional<std::string> CheckAlone(const SharedOptions&) const { return std::nullopt; }
  /// A YAML file beside what the options name, whose values stand where no flag does; it need not exist.
  virtual std::string defaults_file() const { return {}; }
  /// The weight file of the model that it runs; empty if it runs none.
  virtual std::string weight_file() const { return {}; }
  /// Whether it is nothing without images. Otherwise it may be given none.
  virtual bool needs_images() const { return true; }
  /// The folder whose default catalog is used, if it is not that of the images that the command is given.
  virtual std::string catalog_of() const { return {}; }
  /// The folder that outputs go to, empty if the command writes none. A pipeline sets it for its steps.
  virtual std::string output_folder() const { return {}; }
  /// A folder whose files are never this command's input; empty if there is none.
  virtual std::string folder_to_leave_out() const { return output_folder(); }
  virtual void set_output_folder(const std::string&) {}
  /// Whether each of its files is made of one image, and hangs on no other: so a dry run can look at those
  /// images that are there, and files of images that it was not given are left over from earlier runs.
  virtual bool works_image_by_image() const { return false; }
  /// The files that it passes on of so many images, if that does not hang on the images.
  virtual std::optional<uint64_t> PassesOn(uint64_t /*images*/) const { return std::nullopt; }
  /// Bytes of a lease that a run asks for whatever its images are; 0 where that depends on them.
  virtual size_t least_lease() const { return 0; }
  /// Whether videos in its folders are input, too.
  virtual bool reads_videos() const { return false; }
  /// Checks and opens what a run over `source` needs before its first image. Both outlive the run.
  virtual Result<std::unique_ptr<CommandRun>> Begin(ItemSource& source, const CommandServices& services) = 0;
  /// A whole run of this command alone.
  Result<CommandResult> Run(ItemSource& source, const CommandServices& services);
};

/// Runs the engine once for all of these, each given what the one before it keeps; see Engine::Run. A result
/// each with counts, failures and verdicts, also of an interrupted run.
Result<std::vector<CommandResult>> RunEngine(ItemSource& source, std::span<CommandRun* const> runs);

}  // namespace imgmill
