// Runs the steps of a pipeline one after the other, in one session.
#include "pipeline.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "cli/command_table.h"
#include "cli/session/session.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "listing_order.h"
#include "made_files.h"
#include "pipeline_check.h"
#include "pipeline_table.h"
#include "step_leftovers.h"
#include "step_run.h"

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

/// Files that the next step is given in place of the images: shards and vectors are none.
bool MakesFiles(const Command& command) {
  return !command.output_folder().empty() && command.works_image_by_image();
}

/// The weight files that are needed after this step.
std::vector<std::string> WeightFilesAfter(const CommandPipeline& pipeline, size_t step) {
  std::vector<std::string> files;
  for (size_t next = step + 1; next < pipeline.steps.size(); ++next)
    files.push_back(pipeline.steps[next].command->weight_file());
  return files;
}

/// The steps of a pipeline one after the other, and what they come to.
class PipelineRun {
 public:
  PipelineRun(CommandPipeline& pipeline, std::unique_ptr<ItemSource> source, Session& session)
      : pipeline_(pipeline),
        session_(session),
        dry_run_(session.services().shared->mode != RunMode::kRun),
        source_(std::move(source)),
        table_(dry_run_, pipeline.prune),
        leftovers_(pipeline, session) {
    whole_.details.Objects("steps");
  }

  Result<CommandResult> Run() {
    // Known now, not after the steps before it have moved files.
    for (const PipelineStep& step : pipeline_.steps) {
      const std::string weights = step.command->weight_file();
      if (!weights.empty()) TRY(session_.services().RoomForLibraryOf(weights));
    }
    while (next_ < pipeline_.steps.size() && !whole_.counts.interrupted && !whole_.refusal) {
      if (CanBeTried(pipeline_.steps[next_])) {
        const bool first = next_ == 0;
        const Status ran = RunJoined();
        if (!ran && first) return ran.error();
        if (!ran) whole_.refusal = ran.error();  // what the steps before it have done is told all the same
      } else {
        ForeseeUnseen(pipeline_.steps[next_++]);
      }
    }
    return SumUp();
  }

 private:
  bool CanBeTried(const PipelineStep& step) const {
    if (dry_run_ && LacksWhatIsMade(step, session_.services())) return false;
    return ahead_.files == 0 || step.command->works_image_by_image();
  }

  /// The next step, and those that work over the same decodes.
  Status RunJoined() {
    session_.BeginStep(pipeline_.steps[next_].name);
    Result<JoinedSteps> begun = BeginWithThoseThatJoin(pipeline_, next_, *source_, session_);
    if (!begun && next_ > 0 && begun.error().code == Code::kUsage &&
        LacksWhatIsMade(pipeline_.steps[next_], session_.services()))
      return FailAll(begun.error());
    if (!begun) return begun.error();
    JoinedSteps joined = *std::move(begun);
    std::vector<CommandRun*> runs;
    for (const auto& each : joined.runs) runs.push_back(&each->run());
    if (!of_images_) runs.front()->engine.observer = nullptr;  // what was made of images is not on the page
    if (joined.given > 1) session_.BeginStep(NamesOf(joined));
    std::vector<CommandResult> mapped = TRY(RunEngine(*source_, runs));
    for (size_t i = 0; i < joined.given && !whole_.refusal; ++i, ++next_) {
      const PipelineStep& step = joined.runs[i]->step();
      joined.runs[i]->TakeTurn();
      if (i > 0 && !whole_.counts.interrupted && mapped[i].counts.listed != kept_.size())
        return NotGiven(step.name, mapped[i].counts.listed, kept_.size());
      TRY(Conclude(*joined.runs[i], std::move(mapped[i])));
    }
    joined.runs.clear();
    session_.KeepModels(WeightFilesAfter(pipeline_, next_ - 1));
    if (pipeline_.in_listing_order) {
      FileTable ordered = TRY(InListingOrder(kept_));
      kept_ = std::move(ordered);
    }
    source_ = SourceFromFiles(kept_);
    return {};
  }

  /// Of a step that lacks what those before it might have made and have not, such as a folder of partners.
  /// What earlier runs made of the images stays.
  Status FailAll(const Error& why) {
    const PipelineStep& step = pipeline_.steps[next_];
    session_.Log(LogLevel::kError, step.name + ": " + why.message);
    CommandResult result;
    result.counts.listed = result.counts.failed = kept_.size();
    TRY(kept_.ForEach([&](const ListedFile& file) {
      result.failed.Add({file.path, {Stage::kList, Code::kNotFound, why.message}});
      return Status();
    }));
    TRY(leftovers_.Spare(result.failed));
    leftovers_.KeepAll(step.name + " lacked what a step before it makes");
    TRY(Append(step, result));
    ++next_;
    kept_ = {};
    source_ = SourceFromFiles(kept_);
    return {};
  }

  Status Conclude(StepRun& each, CommandResult mapped) {
    const PipelineStep& step = each.step();
    TRY(leftovers_.Spare(mapped.failed));
    if (next_ == 0) session_.set_unlisted_input(TRY(FirstUnlisted(mapped.failed)));
    leftovers_.Begin(step, AnyListed(mapped));
    TRY(leftovers_.AfterMap(each, mapped));
    Result<CommandResult> result = each.run().Reduce(std::move(mapped));
    if (!result) return result.error();
    TRY(leftovers_.AfterReduce(each, *result, ahead_));
    leftovers_.Tell(*result);
    TRY(leftovers_.NoteTold());
    each.End();
    const bool all_is_there = ahead_.files == 0;
    TRY(Append(step, *result));
    session_.TellPage(step.name, *result);
    // Where files are not there yet, it knows of the others only.
    if (!result->summary.empty() && all_is_there)
      session_.Log(LogLevel::kInfo, step.name + ": " + result->summary);
    if (result->refusal) whole_.refusal = std::move(result->refusal);
    if (whole_.refusal) return {};
    if (!result->counts.interrupted) {
      TRY(Reconcile(step.name, *result));
    } else if (step.command->output_folder().empty()) {
      return {};  // what earlier steps made is still there, all of it
    }
    kept_ = std::move(result->kept);
    all_dropped_ = kept_.size() == 0 && (result->dropped > 0 || all_dropped_);
    session_.set_all_dropped(all_dropped_);
    return {};
  }

  /// Of a step that cannot be tried, as files are not there yet that a step before it would write.
  void ForeseeUnseen(const PipelineStep& step) {
    StepForecast forecast = StepForecast::OfUnseen(kept_.size(), ahead_, *step.command);
    if (pipeline_.prune) forecast.to_remove = StepLeftovers::OfUnseen(*step.command);
    JsonObject json;
    json["step"] = step.name;
    json["forecast"] = forecast.Json();
    whole_.details.Objects("steps").push_back(std::move(json));
    table_.Add(step.name, forecast);
    if (!unseen_) {
      session_.Log(LogLevel::kInfo,
                   "dry run: " + step.name +
                       " needs files that steps before it would write: what it would do is not known");
    }
    unseen_ = true;
    ahead_.at_most = ahead_.at_most || !step.command->PassesOn(0);
  }

  /// Adds one step's result to the pipeline's.
  Status Append(const PipelineStep& step, CommandResult& part) {
    JsonObject json;
    json["step"] = step.name;
    json["kept"] = part.kept_images;
    json["dropped"] = part.dropped;
    AddResult(part, json);
    if (dry_run_) {
      StepForecast forecast = StepForecast::Of(part, ahead_, *step.command);
      if (pipeline_.prune) forecast.to_remove = leftovers_.to_remove();
      json["forecast"] = forecast.Json();
      table_.Add(step.name, forecast);
      if (step.command->works_image_by_image()) ahead_ = forecast.to_write;
    } else {
      table_.Add(step.name, part);
    }
    whole_.details.Objects("steps").push_back(std::move(json));
    if (next_ == 0) {
      whole_.counts.listed = part.counts.listed;
      whole_.counts.ignored = part.counts.ignored;
    }
    if (of_images_) {
      whole_.kept_images = part.kept_images;
      whole_.counts.failed += part.counts.failed;
      whole_.dropped += part.dropped;
    }
    made_.Take(part);
    if (MakesFiles(*step.command)) {
      of_images_ = false;
      made_.Add(step.name, part.kept.size());
    }
    whole_.counts.recalled += part.counts.recalled;
    whole_.counts.off_plan += part.counts.off_plan;
    whole_.counts.interrupted = part.counts.interrupted;
    whole_.counts.interruption = part.counts.interruption;
    whole_.findings = whole_.findings || part.findings;
    for (const auto& [from, to] : {std::pair{&part.failed, &whole_.failed},
                                   std::pair{&part.action_failures, &whole_.action_failures}}) {
      const Status added = from->ForEach([to = to](const FailedItem& item) {
        to->Add(item);
        return Status();
      });
      if (!added) return added;
    }
    return {};
  }

  /// Whether the first step was given any image. @param part  the step's result
  bool AnyListed(const CommandResult& part) const {
    return (next_ == 0 ? part.counts : whole_.counts).listed > 0;
  }

  CommandResult SumUp() {
    const RunCounts& counts = whole_.counts;
    whole_.text = WholeText(table_.text());
    whole_.counts.done = whole_.kept_images;
    whole_.headline = Counted(counts.listed, "image") + ": " + std::to_string(counts.done) + " kept, " +
                      std::to_string(whole_.dropped) + " dropped, " + std::to_string(counts.failed) +
                      " failed";
    if (!of_images_ && !dry_run_) {
      whole_.headline += made_.Text();
      whole_.details["dropped_files"] = made_.dropped();
    }
    whole_.summary =
        dry_run_ ? "dry run: nothing was written" : "output in " + PrintablePath(pipeline_.output);
    return std::move(whole_);
  }

  CommandPipeline& pipeline_;
  Session& session_;
  const bool dry_run_;
  std::unique_ptr<ItemSource> source_;
  size_t next_ = 0;           ///< step
  FileTable kept_;            ///< what it is given
  bool all_dropped_ = false;  ///< as CommandServices has it
  Prospect ahead_{0};         ///< of a dry run: and what it would be given beside that
  bool unseen_ = false;       ///< of a dry run: a step needs what is not there
  bool of_images_ = true;     ///< it is given images of the input, not files that were made from them
  MadeFiles made_;
  CommandResult whole_;
  PipelineTable table_;
  StepLeftovers leftovers_;
};

}  // namespace

ExitCode RunPipeline(CommandPipeline pipeline, const SharedOptions& shared, std::string command_line,
                     bool advise) {
  SessionPlan plan{"run", std::move(command_line), {pipeline.output}, {}, {}, advise};
  plan.is_pipeline = true;
  plan.videos = !pipeline.steps.empty() && pipeline.steps.front().command->reads_videos();
  plan.check = [&pipeline](const CommandServices& services) { return CheckSteps(pipeline, services); };
  for (const PipelineStep& step : pipeline.steps) {
    plan.leaves_set_aside = plan.leaves_set_aside || step.leaves_set_aside;
    const std::string output = step.command->output_folder();
    const auto same = [&](const std::string& other) { return AbsoluteEntry(other) == AbsoluteEntry(output); };
    if (!output.empty() && output != step.folder && std::ranges::none_of(plan.output_folders, same))
      plan.output_folders.push_back(output);
    if (const std::string other = step.command->folder_to_leave_out(); !other.empty()) {
      plan.leave_out.push_back(other);
    }
    plan.least_lease = std::max(plan.least_lease, step.command->least_lease());
  }
  return RunSession(plan, shared, [&](std::unique_ptr<ItemSource> source, Session& session) {
    return PipelineRun(pipeline, std::move(source), session).Run();
  });
}

}  // namespace imgmill
