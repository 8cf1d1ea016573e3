// Runs the steps of a pipeline one after the other, in one session.
#include "pipeline.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "session.h"

namespace imgmill {
namespace {

/// Where the sums of a step do not come out even, something was lost: that is a bug, and said.
Status Reconcile(const std::string& step, const CommandResult& result) {
  const uint64_t accounted = result.kept_images + result.dropped + result.counts.failed;
  if (result.counts.listed == accounted) return {};
  return Error{Stage::kReduce, Code::kInternal,
               "the counts of step \"" + step + "\" do not add up: " + std::to_string(result.counts.listed) +
                   " listed, " + std::to_string(result.kept_images) + " kept, " +
                   std::to_string(result.dropped) + " dropped, " + std::to_string(result.counts.failed) +
                   " failed"};
}

Error NotGiven(const std::string& step, uint64_t given, uint64_t kept) {
  return {Stage::kReduce, Code::kInternal,
          "step \"" + step + "\" was given " + std::to_string(given) + " images, and " +
              std::to_string(kept) + " were kept for it"};
}

std::string TableRow(const std::string& step, const std::string& listed, const std::string& kept,
                     const std::string& dropped, const std::string& failed) {
  char line[128];
  std::snprintf(line, sizeof line, "%-10s %8s %8s %8s %8s\n", step.c_str(), listed.c_str(), kept.c_str(),
                dropped.c_str(), failed.c_str());
  return line;
}

/// Adds one step's result to the pipeline's.
/// @param of_images  whether the step was given the images of the input, or files that were made from them.
Status Append(const PipelineStep& step, CommandResult& part, bool first, bool of_images, CommandResult& whole,
              std::string& table) {
  JsonObject json;
  json["step"] = step.name;
  json["kept"] = part.kept_images;
  json["dropped"] = part.dropped;
  AddResult(part, json);
  whole.details.Objects("steps").push_back(std::move(json));
  table += TableRow(step.name, std::to_string(part.counts.listed), std::to_string(part.kept_images),
                    std::to_string(part.dropped), std::to_string(part.counts.failed));
  if (first) {
    whole.counts.listed = part.counts.listed;
    whole.counts.ignored = part.counts.ignored;
  }
  if (of_images) {
    whole.kept_images = part.kept_images;
    whole.counts.failed += part.counts.failed;
    whole.dropped += part.dropped;
  }
  whole.counts.recalled += part.counts.recalled;
  whole.counts.off_plan += part.counts.off_plan;
  whole.counts.interrupted = part.counts.interrupted;
  whole.counts.interruption = part.counts.interruption;
  whole.findings = whole.findings || part.findings;
  for (const auto& [from, to] :
       {std::pair{&part.failed, &whole.failed}, std::pair{&part.action_failures, &whole.action_failures}}) {
    const Status added = from->ForEach([to = to](const FailedItem& item) {
      to->Add(item);
      return Status();
    });
    if (!added) return added;
  }
  return {};
}

/// One run of a step, with services of its own. What it logs before its turn is kept until then.
class StepRun {
 public:
  StepRun(Session& session, PipelineStep& step)
      : session_(session), step_(step), services_(session.services()) {
    services_.in_pipeline = true;
    services_.log = [this](LogLevel level, const std::string& text) {
      const std::lock_guard lock(mutex_);
      if (its_turn_ || level == LogLevel::kDebug) return session_.Log(level, text);
      held_.emplace_back(level, text);
    };
    if (services_.put_line) {
      services_.put_line = [this](JsonObject line) {
        JsonObject of_step;
        of_step["step"] = step_.name;
        of_step.Append(std::move(line));
        session_.PutLine(of_step);
      };
    }
  }
  Status Begin(ItemSource& source) {
    std::unique_ptr<CommandRun> run = TRY(step_.command->Begin(source, services_));
    run_ = std::move(run);
    return {};
  }
  void TakeTurn() {
    const std::lock_guard lock(mutex_);
    its_turn_ = true;
    for (const auto& [level, text] : held_) session_.Log(level, text);
    held_.clear();
  }
  const PipelineStep& step() const { return step_; }
  CommandRun& run() { return *run_; }
  void End() { run_.reset(); }

 private:
  Session& session_;
  PipelineStep& step_;
  CommandServices services_;
  std::mutex mutex_;
  bool its_turn_ = false;
  std::vector<std::pair<LogLevel, std::string>> held_;
  std::unique_ptr<CommandRun> run_;
};

/// The step, and those right after it whose operations can run over the same decodes: see Engine::Run. Only
/// the first `given` of them are given all their images; the others may only note facts.
struct JoinedSteps {
  std::vector<std::unique_ptr<StepRun>> runs;
  size_t given = 1;
};

/// "filter+tile"
std::string NamesOf(const JoinedSteps& joined) {
  std::string names;
  for (size_t i = 0; i < joined.given; ++i) names += (i > 0 ? "+" : "") + joined.runs[i]->step().name;
  return names;
}

Result<JoinedSteps> BeginWithThoseThatJoin(CommandPipeline& pipeline, size_t step, ItemSource& source,
                                           Session& session) {
  JoinedSteps joined;
  joined.runs.push_back(std::make_unique<StepRun>(session, pipeline.steps[step]));
  joined.runs.front()->TakeTurn();
  TRY(joined.runs.front()->Begin(source));
  CommandRun& first = joined.runs.front()->run();
  if (first.options.mode == RunMode::kPlan || first.alone) return joined;
  if (!pipeline.steps[step].command->weight_file().empty()) return joined;
  bool judged = !first.operation().traits().judges_after_reduce;
  for (size_t next = step + 1; next < pipeline.steps.size(); ++next) {
    const Command& command = *pipeline.steps[next].command;
    if (!pipeline.steps[next - 1].command->output_folder().empty()) break;  // it is given other files
    if (!command.weight_file().empty()) break;                              // its batches need the room
    if (!judged && !command.output_folder().empty()) break;
    auto run = std::make_unique<StepRun>(session, pipeline.steps[next]);
    if (!run->Begin(source)) break;  // told when its turn comes
    const OperationTraits& traits = run->run().operation().traits();
    if (run->run().alone || run->run().options.mode != first.options.mode) break;
    if (!judged && !traits.leaves_only_facts) break;
    joined.given += judged ? 1 : 0;
    judged = judged && !traits.judges_after_reduce;
    joined.runs.push_back(std::move(run));
  }
  return joined;
}

/// The weight files that are needed after this step.
std::vector<std::string> WeightFilesAfter(const CommandPipeline& pipeline, size_t step) {
  std::vector<std::string> files;
  for (size_t next = step + 1; next < pipeline.steps.size(); ++next)
    files.push_back(pipeline.steps[next].command->weight_file());
  return files;
}

Result<CommandResult> RunSteps(CommandPipeline& pipeline, std::unique_ptr<ItemSource> source,
                               Session& session) {
  CommandResult whole;
  whole.details.Objects("steps");
  std::string table = TableRow("step", "listed", "kept", "dropped", "failed");
  // Known now, not after the steps before it have moved files.
  const bool needs_model =
      std::any_of(pipeline.steps.begin(), pipeline.steps.end(),
                  [](const PipelineStep& step) { return !step.command->weight_file().empty(); });
  if (needs_model) {
    TRY(session.services().RoomForLibTorch());
  }
  const bool dry_run = session.services().shared->mode != RunMode::kRun;
  FileTable kept;
  bool of_images = true;
  for (size_t i = 0; i < pipeline.steps.size() && !whole.counts.interrupted && !whole.refusal;) {
    session.BeginStep(pipeline.steps[i].name);
    JoinedSteps joined = TRY(BeginWithThoseThatJoin(pipeline, i, *source, session));
    std::vector<CommandRun*> runs;
    for (const auto& each : joined.runs) runs.push_back(&each->run());
    if (!of_images) runs.front()->engine.observer = nullptr;  // what was made of images is not on the page
    if (joined.given > 1) session.BeginStep(NamesOf(joined));
    std::vector<CommandResult> mapped = TRY(RunEngine(*source, runs));
    for (size_t j = 0; j < joined.given && !whole.refusal; ++j, ++i) {
      StepRun& each = *joined.runs[j];
      const PipelineStep& step = each.step();
      each.TakeTurn();
      if (j > 0 && !whole.counts.interrupted && mapped[j].counts.listed != kept.size())
        return NotGiven(step.name, mapped[j].counts.listed, kept.size());
      Result<CommandResult> result = each.run().Reduce(std::move(mapped[j]));
      each.End();
      if (!result) return result.error();
      TRY(Append(step, *result, i == 0, of_images, whole, table));
      of_images = of_images && step.command->output_folder().empty();
      session.TellPage(step.name, *result);
      if (!result->summary.empty()) session.Log(LogLevel::kInfo, step.name + ": " + result->summary);
      if (result->refusal) whole.refusal = std::move(result->refusal);
      if (whole.refusal) continue;
      if (!result->counts.interrupted) {
        TRY(Reconcile(step.name, *result));
      } else if (step.command->output_folder().empty()) {
        continue;  // what earlier steps made is still there, all of it
      }
      kept = std::move(result->kept);
    }
    joined.runs.clear();
    session.KeepModels(WeightFilesAfter(pipeline, i - 1));
    source = SourceFromFiles(kept);
    if (dry_run && !pipeline.steps[i - 1].command->output_folder().empty()) {
      if (i < pipeline.steps.size()) {
        session.Log(LogLevel::kInfo,
                    "dry run: the steps after " + pipeline.steps[i - 1].name + " need what it would write");
      }
      break;
    }
  }
  whole.text = WholeText(std::move(table));
  whole.counts.done = whole.kept_images;
  whole.headline = std::to_string(whole.counts.listed) +
                   (whole.counts.listed == 1 ? " image: " : " images: ") + std::to_string(whole.counts.done) +
                   " kept, " + std::to_string(whole.dropped) + " dropped, " +
                   std::to_string(whole.counts.failed) + " failed";
  if (!of_images && !dry_run) {
    whole.headline +=
        "; " + std::to_string(kept.size()) + (kept.size() == 1 ? " file" : " files") + " made from them";
  }
  whole.summary = dry_run ? "dry run: nothing was written" : "output in " + PrintablePath(pipeline.output);
  return whole;
}

}  // namespace

ExitCode RunPipeline(CommandPipeline pipeline, const SharedOptions& shared, std::string command_line,
                     bool advise) {
  SessionPlan plan{"run", std::move(command_line), {pipeline.output}, {}, {}, advise};
  plan.videos = !pipeline.steps.empty() && pipeline.steps.front().command->reads_videos();
  for (const PipelineStep& step : pipeline.steps) {
    const std::string output = step.command->output_folder();
    if (!output.empty() && output != step.folder) plan.output_folders.push_back(output);
    if (const std::string other = step.command->folder_to_leave_out(); !other.empty()) {
      plan.leave_out.push_back(other);
    }
  }
  return RunSession(plan, shared, [&](std::unique_ptr<ItemSource> source, Session& session) {
    return RunSteps(pipeline, std::move(source), session);
  });
}

}  // namespace imgmill
