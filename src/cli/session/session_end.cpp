// How a session ends: its document, lines or text, its report and pages, its metrics, its summary and exit
// code.
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "cli/plan/plan_advice.h"
#include "cli/plan/plan_output.h"
#include "cli/standard_output.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/report/prometheus.h"
#include "imgmill/report/report_page.h"
#include "imgmill/report/run_report.h"
#include "session.h"
#include "session_paths.h"
#include "unread_files.h"

namespace imgmill {
namespace {

ExitCode ExitCodeFor(const CommandResult& result) {
  if (result.counts.interrupted) return ExitCode::kRetry;
  if (result.refusal) return ExitCodeFor(*result.refusal);
  if (!result.failed.empty() || result.counts.failed > 0 || !result.action_failures.empty())
    return ExitCode::kSomeFailed;
  return result.findings ? ExitCode::kFindings : ExitCode::kDone;
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
  std::string line = Counted(counts.listed, "image") + ": " + std::to_string(counts.done) + " done, ";
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
  document["ignored"] = counts.ignored.files();
  document["interrupted"] = counts.interrupted;
  document.SetRows("failed", RowsOf(result.failed));
  if (!result.action_failures.empty()) document.SetRows("action_failures", RowsOf(result.action_failures));
  document.Append(std::exchange(result.details, {}));
  if (result.refusal) document["error"] = ErrorJson(*result.refusal);
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
  if (printed_) printed_ = PrintOut([&](const TextSink& put) { return line.WriteLine(put); });
  if (!printed_) stop_->RequestStop();
}

bool Session::PrintResult(const JsonObject& document, const TextWriter& text) {
  if (shared_.jsonl) {
    JsonObject line;
    line["event"] = "end";
    line.Append(document);
    PutLine(line);
  } else if (shared_.json) {
    printed_ = PrintOut(TextOf(document));
  } else if (text) {
    printed_ = PrintOut(text);
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
  for (const std::string& unread : UnreadSentences(counts.ignored))
    Log(LogLevel::kWarning, "no image was found, but " + unread);
}

ExitCode Session::CloseLog(ExitCode code) {
  const Status written = log_->Close();
  if (written) return code;
  Log(LogLevel::kError, Describe(shared_.log_file, written.error()));
  return ExitCode::kCannot;
}

ExitCode Session::FinishPlan(const CommandResult& result) {
  CloseMemory();
  WarnOfNoImages(result.counts);
  const MemoryInfo memory = memory_->Info();
  JsonObject document = Header();
  std::string text;
  ExitCode code = result.counts.failed > 0 ? ExitCode::kSomeFailed : ExitCode::kDone;
  const bool interrupted = run_plan_ && !run_plan_->whole;
  document["interrupted"] = interrupted;
  if (interrupted) {
    // Figures of a part, and advice drawn from them, would mislead.
    code = ExitCode::kRetry;
    Log(LogLevel::kWarning, "not finished: " + result.counts.interruption);
  } else if (run_plan_) {
    document["plan"] = PlanJson(*run_plan_, memory);
    text = PlanText(*run_plan_, memory);
    if (plan_.advise) {
      const std::vector<Recommendation> advice = AdviseOn(*run_plan_, memory, memory_->LargestLease());
      document["recommendations"] = RecommendationsJson(advice);
      text = RecommendationsText(advice);
      if (advice.empty()) text = "there is nothing left to do: no flag is needed\n";
    }
    if (plan_.is_pipeline)
      text +=
          "these figures cover only the first step: what later steps need, above all for models, is not in "
          "them\n";
  } else {
    text = "nothing to plan: this run works on no images\n";
  }
  const bool reported = WriteReport(document);
  if (!PrintResult(document, WholeText(std::move(text))) || !reported) return CloseLog(ExitCode::kCannot);
  return CloseLog(code);
}

ExitCode Session::Finish(CommandResult result) {
  if (shared_.mode == RunMode::kPlan) return FinishPlan(result);
  CloseMemory();
  JsonObject document = Header();
  for (const std::string& folder : set_aside_) document["set_aside"].push_back(PrintablePath(folder));
  for (const std::string& folder : set_aside_read_)
    document["set_aside_read"].push_back(PrintablePath(folder));
  for (const auto& [extension, pictures] : result.counts.ignored.pictures())
    document["unread"][extension] = pictures.files;
  AddResult(result, document);
  if (run_plan_) document["plan"] = PlanJson(*run_plan_, memory_->Info());
  recalled_ = result.counts.recalled;
  const RunCounts& counts = result.counts;
  std::string line = result.headline.empty() ? Headline(counts) : result.headline;
  if (!result.summary.empty()) line += "; " + result.summary;
  if (const uint64_t ignored = counts.ignored.files(); ignored > 0)
    line += "; " + Counted(ignored, "non-image file ignored", "non-image files ignored");

  bool told = WriteReport(document);
  if (!trace_) TellPage(plan_.name, result);
  told = WritePage(line) && told;
  told = PrintResult(document, result.text) && told;
  ExitCode code = told ? ExitCodeFor(result) : ExitCode::kCannot;
  if (!WriteMetrics(result, code)) code = ExitCode::kCannot;
  Log(LogLevel::kInfo, line);
  WarnOfNoImages(counts);
  if (counts.listed > 0 && !counts.ignored.pictures().empty())
    Log(LogLevel::kWarning, UnreadText(counts.ignored));
  if (counts.interrupted) {
    const std::string why = printed_ ? counts.interruption : printed_.error().message;
    Log(LogLevel::kWarning, "not finished: " + why);
  }
  if (result.refusal) Log(LogLevel::kError, result.refusal->message);
  return CloseLog(code);
}

ExitCode Session::Refuse(const Error& error) {
  JsonObject document = Header();
  document["error"] = ErrorJson(error);
  const bool told = PrintResult(document, {});
  Log(LogLevel::kError, error.message);
  return CloseLog(told ? ExitCodeFor(error) : ExitCode::kCannot);
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
  return CloseLog(WriteMetrics(nothing, code) ? code : ExitCode::kCannot);
}

}  // namespace imgmill
