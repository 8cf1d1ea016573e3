// Opening, finishing and reporting a run.
#include "session.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/path_parts.h"
#include "base/try.h"
#include "dataset/set_aside.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/infer/library_pages.h"
#include "imgmill/report/prometheus.h"
#include "imgmill/report/report_page.h"
#include "imgmill/report/run_report.h"
#include "plan_advice.h"
#include "plan_output.h"
#include "session_paths.h"
#include "stop_signals.h"

namespace imgmill {
namespace {

ExitCode ExitCodeFor(const CommandResult& result) {
  if (result.counts.interrupted) return ExitCode::kRetry;
  if (result.refusal) return ExitCodeFor(*result.refusal);
  if (!result.failed.empty() || result.counts.failed > 0 || !result.action_failures.empty())
    return ExitCode::kSomeFailed;
  return result.findings ? ExitCode::kFindings : ExitCode::kDone;
}

Status Print(const TextWriter& text) {
  const auto failed = [] { return ErrnoError(Stage::kWrite, errno, "standard output could not be written"); };
  const Status printed = text([&](std::string_view piece) -> Status {
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size()) return {};
    return failed();
  });
  if (!printed) return printed;
  return std::fflush(stdout) == 0 ? Status() : failed();
}

TextWriter TextOf(const JsonObject& document) {
  return [&document](const TextSink& put) { return document.Write(put); };
}

JsonRows RowsOf(const FailureTable& failures) {
  return [failures](JsonElements& elements) {
    return failures.ForEach(
        [&](const FailedItem& item) { return elements.Put(FailureJson(item.path, item.error)); });
  };
}

std::string Headline(const RunCounts& counts) {
  std::string line = std::to_string(counts.listed) + (counts.listed == 1 ? " image: " : " images: ") +
                     std::to_string(counts.done) + " done, ";
  if (counts.skipped > 0) line += std::to_string(counts.skipped) + " skipped, ";
  return line + std::to_string(counts.failed) + " failed";
}

}  // namespace

ExitCode ExitCodeFor(const Error& error) {
  switch (error.code) {
    case Code::kUsage:
      return ExitCode::kUsage;
    case Code::kLocked:
    case Code::kInterrupted:
    case Code::kDiskFull:
      return ExitCode::kRetry;
    default:
      return ExitCode::kCannot;
  }
}

void AddResult(CommandResult& result, JsonObject& document) {
  const RunCounts& counts = result.counts;
  document["listed"] = counts.listed;
  document["done"] = counts.done;
  document["skipped"] = counts.skipped;
  document["off_plan"] = counts.off_plan;
  document["ignored"] = counts.ignored;
  document["interrupted"] = counts.interrupted;
  document.SetRows("failed", RowsOf(result.failed));
  if (!result.action_failures.empty()) document.SetRows("action_failures", RowsOf(result.action_failures));
  document.Append(std::exchange(result.details, {}));
  if (result.refusal) document["error"] = ErrorJson(*result.refusal);
}

Result<std::unique_ptr<Session>> Session::Open(const SessionPlan& plan, const SharedOptions& shared) {
  std::unique_ptr<Session> session(new Session(plan, shared));
  session->start_ = std::chrono::steady_clock::now();
  TRY(OverwritesNoImage(shared));
  std::unique_ptr<LogOutput> log = TRY(LogOutput::Open(shared.verbosity, shared.log_file));
  session->log_ = std::move(log);
  session->stop_ = &InstallStopSignals();
  TRY(CheckTargets(plan));
  TRY(TakeStdin(shared.list, *session->stop_));

  TRY(MakeReportFolders(shared));
  InitImageLibraries();  // before the manager looks at what the process holds
  TRY(session->OpenCatalog());
  MemoryOptions options;
  options.host_budget = shared.memory;
  options.least_lease = plan.least_lease;
  options.cache = shared.cache;
  options.batch_sizing = shared.batch_sizing;
  if (!session->catalog_->folder().empty()) options.cost_store = session->catalog_->folder() + "/costs.txt";
  Session* self = session.get();
  session->services_.shared = &shared;
  std::unique_ptr<MemoryManager> memory = TRY(MemoryManager::Create(options));
  session->memory_ = std::move(memory);

  session->services_.memory = self->memory_.get();
  session->services_.catalog = self->catalog_.get();
  session->services_.stop = self->stop_;
  session->services_.progress = &self->progress_;
  session->services_.models = &self->models_;
  session->services_.plan = &self->run_plan_;
  session->services_.loaded = &self->loaded_;
  session->services_.log = [self](LogLevel level, const std::string& text) {
    self->log_->Write(level, text);
  };
  if (session->services_.wants_verdicts())
    session->services_.observer = &session->thumbnails_.emplace(*session->catalog_, *session->memory_);
  if (shared.jsonl) session->services_.put_line = [self](const JsonObject& line) { self->PutLine(line); };
  session->progress_.Begin(plan.name);
  session->progress_line_ =
      std::make_unique<LogOutput::ProgressLine>(*self->log_, self->progress_, *self->memory_);
  return session;
}

Session::~Session() = default;

void Session::KeepModels(std::span<const std::string> weight_files) {
  if (loaded_.KeepOnly(weight_files) == 0) return;
  memory_->ClearAll();
  ReleaseLibraryPages();
  memory_->Rebaseline();  // the weights are no fixed part any more
}

Status Session::OpenCatalog() {
  const std::vector<std::string>& outputs = plan_.output_folders;
  std::string folder = shared_.catalog;
  ListOptions listed = shared_.list;
  if (!plan_.catalog_of.empty()) {
    listed = {};
    listed.paths = {plan_.catalog_of};
  }
  const std::vector<std::string> roots = InputRoots(listed);
  if (folder.empty() && !shared_.no_catalog) {
    std::string chosen = TRY(DefaultCatalogFolder(outputs.empty() ? "" : outputs.front(), roots));
    folder = std::move(chosen);
  }
  const auto placed = [&](Status there) -> Status {
    if (!there && shared_.catalog.empty() && outputs.empty()) return NoPlaceForCatalog(there.error());
    return there;
  };
  if (!folder.empty()) {
    TRY(placed(CheckTargetFolder(folder)));
  }
  if (shared_.mode == RunMode::kPlan || (shared_.mode == RunMode::kDryRun && !outputs.empty())) {
    // Not even a folder may appear; but what is finished already is known only to a catalog that is there.
    if (::access((folder + "/catalog.sqlite").c_str(), R_OK | W_OK) != 0) folder.clear();
  } else {
    // Runs with other catalogs, or with none, must not meet in one output folder either: so it has a lock of
    // its own, even where the catalog lies in it.
    std::vector<std::string> to_lock = outputs;
    if (!folder.empty()) to_lock.insert(to_lock.begin(), folder);
    for (const std::string& each : to_lock) {
      TRY(placed(MakeFolders(each)));
      std::unique_ptr<FolderLock> lock = TRY(FolderLock::Take(each, plan_.command_line));
      locks_.push_back(std::move(lock));
    }
    for (const std::string& output : outputs) SweepTemporaries(output);
  }
  std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(folder));
  catalog_ = std::move(catalog);
  if (folder.empty()) return {};
  if (shared_.mode == RunMode::kRun) KeepLink(folder, roots);
  for (const std::string& root : roots) {
    const std::optional<FolderIdentity> identity = root == "/" ? std::nullopt : IdentityOf(root);
    if (!identity) continue;
    TRY(catalog_->KnowFolder(root, *identity));
  }
  return {};
}

JsonObject Session::Header() const {
  JsonObject header;
  header["schema"] = "imgmill/1";
  header["command"] = plan_.name;
  header["version"] = IMGMILL_VERSION;
  return header;
}

double Session::Seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool Session::WriteOut(const std::string& path, const TextWriter& text) {
  const Status written = WriteNamedFile(path, text);
  if (!written) Log(LogLevel::kError, Describe(path, written.error()));
  return written.ok();
}

void Session::PutLine(const JsonObject& line) {
  if (printed_) printed_ = Print([&](const TextSink& put) { return line.WriteLine(put); });
  if (!printed_) stop_->RequestStop();
}

bool Session::PrintResult(const JsonObject& document, const TextWriter& text) {
  if (shared_.jsonl) {
    JsonObject line;
    line["event"] = "end";
    line.Append(document);
    PutLine(line);
  } else if (shared_.json) {
    printed_ = Print(TextOf(document));
  } else if (text) {
    printed_ = Print(text);
  }
  if (!printed_) Log(LogLevel::kError, printed_.error().message + " (the results are not complete there)");
  return printed_.ok();
}

bool Session::WriteReport(JsonObject& document) {
  if (shared_.report.empty()) return true;
  const size_t results = document.size();
  document["recalled"] = recalled_;  // differs from run to run, so it is no part of the result
  document["command_line"] = plan_.command_line;
  document["libraries"] = ImageLibraryVersions();
  const double seconds = Seconds();
  const MemoryInfo memory = memory_->Info();
  const MemoryHistory history = memory_->History();
  document["seconds"] = seconds;
  document["memory"] = MemoryJson(memory);
  document["history"] = HistoryJson(history, Summarise(history, memory, seconds));
  const bool written = WriteOut(shared_.report, TextOf(document));
  document.Truncate(results);  // for --json
  return written;
}

void Session::TellPage(const std::string& step, const CommandResult& result) {
  if (services_.wants_verdicts() && !trace_) trace_.emplace(shared_.report_page);
  if (trace_) trace_->Add(step, result);
}

bool Session::WritePage(const std::string& outcome) {
  if (!trace_) return true;
  const MemoryInfo memory = memory_->Info();
  ReportPage page;
  page.command_line = plan_.command_line;
  page.outcome = outcome;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", Seconds());
  page.facts = {std::string(seconds) + ", at most " + FormatByteSize(memory.process.peak_resident) +
                    " of memory, of a budget of " + FormatByteSize(memory.budget) + " (" +
                    memory.budget_source + ")",
                std::string("imgmill " IMGMILL_VERSION ", ") + ImageLibraryVersions()};
  trace_->Fill(page, *thumbnails_);
  return WriteOut(shared_.report_page, WholeText(PageHtml(page)));
}

bool Session::WriteMetrics(const CommandResult& result, ExitCode code) {
  if (shared_.metrics_file.empty()) return true;
  const MemoryInfo memory = memory_->Info();
  RunMetrics metrics;
  metrics.command = plan_.name;
  metrics.listed = result.counts.listed;
  metrics.kept = result.kept_images;
  metrics.skipped = result.counts.skipped;
  metrics.dropped = result.dropped;
  metrics.failed = result.counts.failed;
  metrics.exit_code = static_cast<int>(code);
  metrics.seconds = Seconds();
  metrics.finished_at = std::time(nullptr);
  metrics.memory = Summarise(memory_->History(), memory, metrics.seconds);
  std::copy(std::begin(memory.rungs), std::end(memory.rungs), metrics.rungs.begin());
  metrics.clear_seconds = memory.clear_ms / 1000;
  return WriteOut(shared_.metrics_file, WholeText(PrometheusText(metrics)));
}

/// What the MemoryManager has to say, and what it has learned.
void Session::CloseMemory() {
  progress_line_.reset();
  for (const std::string& warning : memory_->Info().warnings) Log(LogLevel::kWarning, warning);
  if (Status saved = memory_->SaveCosts(); !saved) Log(LogLevel::kWarning, saved.error().message);
}

// Without a word, a pattern that lets nothing through would look like a run that went well.
void Session::WarnOfNoImages(const RunCounts& counts) {
  const ListOptions& list = shared_.list;
  if (counts.interrupted || counts.listed > 0 || counts.failed > 0 || list.NamesNothing()) return;
  std::string patterns = list.include.empty() ? "" : "--include";
  if (!list.exclude.empty()) patterns += patterns.empty() ? "--exclude" : " and --exclude";
  if (!patterns.empty())
    Log(LogLevel::kWarning, "no image was found that " + patterns + " would let through");
  if (const std::optional<std::string> archive = FindUnnamedArchive(list))
    Log(LogLevel::kWarning, "no image was found, but tar archives, which are read where they are named: " +
                                PrintablePath(*archive));
}

ExitCode Session::FinishPlan(const CommandResult& result) {
  CloseMemory();
  WarnOfNoImages(result.counts);
  const MemoryInfo memory = memory_->Info();
  JsonObject document = Header();
  std::string text;
  if (run_plan_) {
    document["plan"] = PlanJson(*run_plan_, memory);
    text = PlanText(*run_plan_, memory);
    if (plan_.advise) {
      const std::vector<Recommendation> advice = AdviseOn(*run_plan_, memory, memory_->LargestLease());
      document["recommendations"] = RecommendationsJson(advice);
      text = RecommendationsText(advice);
      if (advice.empty()) text = "there is nothing left to do: no flag is needed\n";
    }
    if (plan_.name == "run")
      text +=
          "these figures cover only the first step: what later steps need, above all for models, is not in "
          "them\n";
  } else {
    text = "nothing to plan: this run works on no images\n";
  }
  const bool reported = WriteReport(document);
  if (!PrintResult(document, WholeText(std::move(text))) || !reported) return ExitCode::kCannot;
  return result.counts.failed > 0 ? ExitCode::kSomeFailed : ExitCode::kDone;
}

void Session::LeaveSetAside(ListOptions& list) {
  if (!plan_.leaves_set_aside) return;
  set_aside_ = SetAsideFolders(list);
  for (const std::string& folder : set_aside_) {
    Log(LogLevel::kInfo, PrintablePath(folder) +
                             " is not read, since dedup or filter has put images there (name it as an input, "
                             "or remove its " +
                             kSetAsideMark + ", to have it read)");
  }
  list.leave_out.insert(list.leave_out.end(), set_aside_.begin(), set_aside_.end());
}

ExitCode Session::Finish(CommandResult result) {
  if (shared_.mode == RunMode::kPlan) return FinishPlan(result);
  CloseMemory();
  JsonObject document = Header();
  for (const std::string& folder : set_aside_) document["set_aside"].push_back(PrintablePath(folder));
  AddResult(result, document);
  if (run_plan_) document["plan"] = PlanJson(*run_plan_, memory_->Info());
  recalled_ = result.counts.recalled;
  const RunCounts& counts = result.counts;
  std::string line = result.headline.empty() ? Headline(counts) : result.headline;
  if (!result.summary.empty()) line += "; " + result.summary;
  if (counts.ignored > 0)
    line += "; " + std::to_string(counts.ignored) +
            (counts.ignored == 1 ? " non-image file ignored" : " non-image files ignored");

  bool told = WriteReport(document);
  if (!trace_) TellPage(plan_.name, result);
  told = WritePage(line) && told;
  told = PrintResult(document, result.text) && told;
  ExitCode code = told ? ExitCodeFor(result) : ExitCode::kCannot;
  if (!WriteMetrics(result, code)) code = ExitCode::kCannot;
  Log(LogLevel::kInfo, line);
  WarnOfNoImages(counts);
  if (counts.interrupted) {
    const std::string why = printed_ ? counts.interruption : printed_.error().message;
    Log(LogLevel::kWarning, "not finished: " + why);
  }
  if (result.refusal) Log(LogLevel::kError, result.refusal->message);
  return code;
}

ExitCode Session::Finish(const Error& error) {
  CloseMemory();
  JsonObject document = Header();
  document["error"] = ErrorJson(error);
  bool told = WriteReport(document);
  told = PrintResult(document, {}) && told;
  Log(LogLevel::kError, error.message);
  const ExitCode code = told ? ExitCodeFor(error) : ExitCode::kCannot;
  const CommandResult nothing;
  return WriteMetrics(nothing, code) ? code : ExitCode::kCannot;
}

ExitCode RunSession(const SessionPlan& plan, const SharedOptions& shared,
                    const std::function<Result<CommandResult>(std::unique_ptr<ItemSource>, Session&)>& body) {
  for (const auto* folders : {&plan.output_folders, &plan.leave_out}) {
    if (const auto wrong = OutputIsInput(*folders, shared.list)) {
      std::fprintf(stderr, "imgmill: error: %s\n", wrong->c_str());
      return ExitCode::kUsage;
    }
  }
  Result<std::unique_ptr<Session>> opened = Session::Open(plan, shared);
  if (!opened) {
    std::fprintf(stderr, "imgmill: error: %s\n", opened.error().message.c_str());
    return ExitCodeFor(opened.error());
  }
  Session& session = **opened;
  ListOptions list = ListingOf(plan, shared);
  list.stop = session.services().stop;
  session.LeaveSetAside(list);
  Result<std::unique_ptr<ItemSource>> source = SourceFromListing(list, /*count=*/true);
  if (!source) return session.Finish(source.error());
  try {
    Result<CommandResult> result = body(*std::move(source), session);
    return result ? session.Finish(*std::move(result)) : session.Finish(result.error());
  } catch (const std::bad_alloc&) {
    return session.Finish(
        Error{Stage::kAdmit, Code::kOutOfMemory, "out of memory outside of any image's work"});
  } catch (const std::exception& problem) {
    return session.Finish(
        Error{Stage::kReduce, Code::kInternal, std::string("the run cannot continue: ") + problem.what()});
  }
}

}  // namespace imgmill
