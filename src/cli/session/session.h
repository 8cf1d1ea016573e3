// Everything that a run needs, opened in order and closed in order: log, catalog, lock, MemoryManager,
// progress.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/dataset/publish.h"
#include "log_output.h"
#include "run_trace.h"

namespace imgmill {

/// What a run is about, as far as the session must know.
struct SessionPlan {
  std::string name;          ///< "dedup", "upscale", "run"
  std::string command_line;  ///< for lock and report
  /// Folders that the run writes to; each is locked, and the first holds the catalog. Empty for commands that
  /// write none: their catalog is chosen by their input.
  std::vector<std::string> output_folders;
  /// Folders, beside those, whose files are no input.
  std::vector<std::string> leave_out;
  /// The folder whose default catalog is used in place of the input's; empty for the input's.
  std::string catalog_of;
  /// Of a run of which only the plan is wanted: say which flags would suit it, in place of the plan.
  bool advise = false;
  /// Videos are listed as images are.
  bool videos = false;
  /// As Command::least_lease.
  size_t least_lease = 0;
  /// Folders below the input that an earlier dedup or filter has put images into are not read.
  bool leaves_set_aside = false;
  /// A plan is of the first of several steps.
  bool is_pipeline = false;
  /// What can be known to be wrong before anything is written; may be empty. It is given a catalog, the
  /// options, the stop flag and the log, and no memory.
  std::function<Status(const CommandServices&)> check = {};
};

class Session {
 public:
  /// With the log open, and nothing written yet.
  static Result<std::unique_ptr<Session>> Open(const SessionPlan& plan, const SharedOptions& shared);
  /// The plan's own check.
  Status Check();
  /// Makes folders, takes locks, opens the catalog.
  Status Start();
  ~Session();

  const CommandServices& services() const { return services_; }
  /// For the steps that begin from now on; see CommandServices.
  void set_unlisted_input(const std::string& path) { services_.unlisted_input = path; }
  void set_all_dropped(bool all) { services_.all_dropped = all; }
  /// A step of a pipeline starts: progress counts afresh.
  void BeginStep(const std::string& name) { progress_.Begin(name); }
  /// Adds folders that are not to be read to the list, and says so, now and in the document.
  void LeaveSetAside(ListOptions& list);
  /// Of such folders that a list names files in, it warns: an explicit name is followed.
  std::unique_ptr<ItemSource> TellOfSetAside(std::unique_ptr<ItemSource> source, const ListOptions& list);
  void Log(LogLevel level, const std::string& text) { log_->Write(level, text); }
  /// A line of --jsonl, read during the run: where it cannot be written, the run ends.
  void PutLine(const JsonObject& line);

  /// Unloads all models but those of these weight files, and gives what they held back to the kernel.
  void KeepModels(std::span<const std::string> weight_files);

  /// What the report page, if there is one, is to show of a step.
  void TellPage(const std::string& step, const CommandResult& result);
  /// Prints document or text, writes the report, logs the summary. @return the process's exit code
  ExitCode Finish(CommandResult result);
  /// Ends a run of which only the plan was wanted: prints the plan. @return the process's exit code
  ExitCode FinishPlan(const CommandResult& result);
  /// Ends a run that an error stopped: prints it as the document. @return the process's exit code
  ExitCode Finish(const Error& error);
  /// Ends one that was not started, of which nothing is to be left. @return the process's exit code
  ExitCode Refuse(const Error& error);

 private:
  Session(const SessionPlan& plan, const SharedOptions& shared) : plan_(plan), shared_(shared) {}
  /// What the default catalog is chosen by.
  std::vector<std::string> CatalogRoots() const;
  /// Where the catalog lies, or would; empty for none.
  Result<std::string> CatalogFolder() const;
  Status OpenCatalog();
  JsonObject Header() const;
  void CloseMemory();
  /// Says that patterns left no image to work on.
  void WarnOfNoImages(const RunCounts& counts);
  double Seconds() const;
  /// @return `code`, or kCannot if --log-file could not be written, which is said
  ExitCode CloseLog(ExitCode code);
  /// Document, lines or text, as was asked for. What cannot be printed is said.
  bool PrintResult(const JsonObject& document, const TextWriter& text);
  bool WriteReport(JsonObject& document);
  bool WritePage(const std::string& outcome);
  bool WriteMetrics(const CommandResult& result, ExitCode code);
  bool WriteOut(const std::string& path, const TextWriter& text);

  SessionPlan plan_;
  const SharedOptions& shared_;
  std::unique_ptr<LogOutput> log_;
  std::vector<std::unique_ptr<FolderLock>> locks_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<MemoryManager> memory_;
  std::unique_ptr<ModelRuntime> models_;      // after the manager whose devices it serves
  LoadedModels loaded_;                       // after the runtime that they come from
  std::optional<PageThumbnails> thumbnails_;  // if a page is wanted
  std::optional<RunTrace> trace_;
  std::optional<RunPlan> run_plan_;  // of a dry run
  StopFlag* stop_ = nullptr;
  Status printed_;  // what went to stdout until now
  Progress progress_;
  std::vector<std::string> set_aside_;  // folders that are not read
  std::vector<std::string> set_aside_read_;
  uint64_t recalled_ = 0;  // of the images done: answered by the catalog alone
  CommandServices services_;
  std::unique_ptr<LogOutput::ProgressLine> progress_line_;
  std::chrono::steady_clock::time_point start_;
};

/// Adds the fields of a result that every command's document has: listed, done, skipped, failed[], and its
/// own, which are moved.
void AddResult(CommandResult& result, JsonObject& document);

/// What a run that an error ended exits with.
ExitCode ExitCodeFor(const Error& error);

/// The way of every run over images, of one command or a pipeline: opens a session, lists, runs `body`,
/// finishes.
ExitCode RunSession(const SessionPlan& plan, const SharedOptions& shared,
                    const std::function<Result<CommandResult>(std::unique_ptr<ItemSource>, Session&)>& body);

}  // namespace imgmill
