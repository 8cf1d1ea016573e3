// Runs the steps of a pipeline one after the other, in one session.
#include "pipeline.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/path_parts.h"
#include "base/try.h"
#include "command_table.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "leftovers.h"
#include "pipeline_table.h"
#include "session.h"
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

/// Whether another step writes to this one's folder, or to one around it or in it. Where others' copies go
/// may be around it: no file of those is called as one in it.
/// @param own  the step's output folder, or the one that it copies to
bool SharesFolder(const CommandPipeline& pipeline, const PipelineStep& step, const std::string& own) {
  const std::string mine = AbsoluteEntry(own) + "/";
  const auto meets = [&](const std::string& folder, bool around) {
    const std::string theirs = AbsoluteEntry(folder) + "/";
    return !folder.empty() && (theirs.starts_with(mine) || (around && mine.starts_with(theirs)));
  };
  const bool places = step.command->output_folder().empty();
  return std::any_of(pipeline.steps.begin(), pipeline.steps.end(), [&](const PipelineStep& other) {
    return &other != &step && (meets(other.command->output_folder(), true) ||
                               meets(other.command->folder_to_leave_out(), places));
  });
}

/// What the run works on and writes to.
std::vector<std::string> OwnPaths(const CommandPipeline& pipeline, const ListOptions& list) {
  std::vector<std::string> paths = list.paths;
  for (const PipelineStep& step : pipeline.steps) {
    if (!step.command->output_folder().empty()) paths.push_back(step.command->output_folder());
  }
  return paths;
}

/// Why nothing may be removed; empty if that is none. A folder that is missing or has nothing in it is rather
/// a drive that is not mounted than a wish.
std::string WhyNotPrune(const ListOptions& list) {
  for (const std::string& path : list.paths) {
    if (!Exists(path)) return PrintablePath(path) + " is not there";
    std::error_code unreadable;
    if (std::filesystem::is_directory(path, unreadable) && std::filesystem::is_empty(path, unreadable))
      return PrintablePath(path) + " is empty";
    if (unreadable) return PrintablePath(path) + " cannot be read";
  }
  return {};
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
        table_(dry_run_),
        leftovers_(*session.services().catalog, OwnPaths(pipeline, session.services().shared->list)) {
    whole_.details.Objects("steps");
    if (pipeline.prune) why_not_prune_ = WhyNotPrune(session.services().shared->list);
  }

  Result<CommandResult> Run() {
    // Known now, not after the steps before it have moved files.
    const bool needs_model =
        std::any_of(pipeline_.steps.begin(), pipeline_.steps.end(),
                    [](const PipelineStep& step) { return !step.command->weight_file().empty(); });
    if (needs_model) TRY(session_.services().RoomForLibTorch());
    while (next_ < pipeline_.steps.size() && !whole_.counts.interrupted && !whole_.refusal) {
      const bool all_is_there = ahead_.files == 0;
      if (all_is_there || pipeline_.steps[next_].command->works_image_by_image()) {
        TRY(RunJoined());
      } else {
        ForeseeUnseen(pipeline_.steps[next_++]);
      }
    }
    return SumUp();
  }

 private:
  /// The next step, and those that work over the same decodes.
  Status RunJoined() {
    session_.BeginStep(pipeline_.steps[next_].name);
    JoinedSteps joined = TRY(BeginWithThoseThatJoin(pipeline_, next_, *source_, session_));
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
    source_ = SourceFromFiles(kept_);
    return {};
  }

  Status Conclude(StepRun& each, CommandResult mapped) {
    const PipelineStep& step = each.step();
    TRY(leftovers_.Spare(mapped.failed));
    if (next_ == 0) session_.set_unlisted_input(TRY(FirstUnlisted(mapped.failed)));
    LeftFiles left;
    // Before the reduce, which lists what is in the folder.
    if (!dry_run_) TRY(LookForLeftovers(each, mapped, left));
    Result<CommandResult> result = each.run().Reduce(std::move(mapped));
    if (!result) return result.error();
    if (dry_run_ && ahead_.files == 0 && result->ahead.files == 0) TRY(LookForLeftovers(each, *result, left));
    // Copies are made in the reduce.
    if (ahead_.files == 0) TRY(LookAtPlaced(step, *result, left));
    TellLeftovers(step, left, *result);
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
    return {};
  }

  /// Of a step that cannot be tried, as files are not there yet that a step before it would write.
  void ForeseeUnseen(const PipelineStep& step) {
    const StepForecast forecast = StepForecast::OfUnseen(kept_.size(), ahead_, *step.command);
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
      const StepForecast forecast = StepForecast::Of(part, ahead_, *step.command);
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
    } else {
      dropped_files_ += part.dropped;
    }
    of_images_ = of_images_ && step.command->output_folder().empty();
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

  bool Removes(const CommandResult& part) const {
    return pipeline_.prune && !dry_run_ && why_not_prune_.empty() && AnyListed(part);
  }

  /// Says so where files are to be removed.
  bool SharesFolderOf(const PipelineStep& step, const std::string& folder) const {
    if (!SharesFolder(pipeline_, step, folder)) return false;
    if (pipeline_.prune)
      session_.Log(LogLevel::kWarning,
                   step.name + ": nothing is removed from " + PrintablePath(folder) +
                       ", as another step writes to the same folder, or to one in or around it");
    return true;
  }

  Status LookForLeftovers(StepRun& each, const CommandResult& mapped, LeftFiles& left) {
    const PipelineStep& step = each.step();
    if (!step.command->works_image_by_image() || mapped.counts.interrupted) return {};
    const std::string folder = step.command->output_folder();
    if (SharesFolderOf(step, folder)) return {};
    LeftFiles found = TRY(leftovers_.Look(folder, each.run().log.TakeOutputs(), Removes(mapped)));
    left = std::move(found);
    left.folder = folder;
    return {};
  }

  Status LookAtPlaced(const PipelineStep& step, CommandResult& result, LeftFiles& left) {
    if (result.placed.folder.empty() || result.counts.interrupted || result.refusal) return {};
    const std::string folder = result.placed.folder;
    if (SharesFolderOf(step, folder)) return {};
    LeftFiles found = TRY(leftovers_.LookAtPlaced(step.name, std::move(result.placed), Removes(result)));
    left = std::move(found);
    left.folder = folder;
    return {};
  }

  void TellLeftovers(const PipelineStep& step, const LeftFiles& left, CommandResult& result) const {
    const uint64_t there = left.files - left.removed;
    const auto files = [](uint64_t count) {
      return std::to_string(count) + (count == 1 ? " file" : " files") + " of earlier runs";
    };
    if (left.removed > 0) {
      result.details["removed_files_of_earlier_runs"] = left.removed;
      result.summary += ", " + files(left.removed) + " removed";
    }
    if (there == 0) return;
    result.details["files_of_earlier_runs"] = there;
    std::string why = " (--prune removes them)";
    const std::string original = "of images that are gone or changed, and maybe the last copies";
    if (left.only > 0) why = ": " + original + ", and so not removed";
    if (left.changed > 0)
      why = ": changed since they were written" + (left.only > 0 ? ", or " + original : std::string()) +
            ", and so not removed";
    if (pipeline_.prune && dry_run_) why = ": they would be removed";
    if (pipeline_.prune && !AnyListed(result)) why = ": not removed, as no image was found";
    if (!why_not_prune_.empty()) why = ": not removed, as " + why_not_prune_;
    session_.Log(LogLevel::kWarning, step.name + ": " + files(there) +
                                         ", which this one neither made nor needs, " +
                                         (there == 1 ? "lies in " : "lie in ") + PrintablePath(left.folder) +
                                         ", such as " + PrintablePath(left.example) + why);
  }

  CommandResult SumUp() {
    const RunCounts& counts = whole_.counts;
    whole_.text = WholeText(table_.text());
    whole_.counts.done = whole_.kept_images;
    whole_.headline = std::to_string(counts.listed) + (counts.listed == 1 ? " image: " : " images: ") +
                      std::to_string(counts.done) + " kept, " + std::to_string(whole_.dropped) +
                      " dropped, " + std::to_string(counts.failed) + " failed";
    if (!of_images_ && !dry_run_) {
      whole_.headline +=
          "; " + std::to_string(kept_.size()) + (kept_.size() == 1 ? " file" : " files") + " made from them";
      if (dropped_files_ > 0) whole_.headline += ", " + std::to_string(dropped_files_) + " more dropped";
      whole_.details["dropped_files"] = dropped_files_;
    }
    whole_.summary =
        dry_run_ ? "dry run: nothing was written" : "output in " + PrintablePath(pipeline_.output);
    return std::move(whole_);
  }

  CommandPipeline& pipeline_;
  Session& session_;
  const bool dry_run_;
  std::unique_ptr<ItemSource> source_;
  size_t next_ = 0;  ///< step
  FileTable kept_;   ///< what it is given
  std::string why_not_prune_;
  Prospect ahead_{0};           ///< of a dry run: and what it would be given beside that
  bool unseen_ = false;         ///< of a dry run: a step needs what is not there
  bool of_images_ = true;       ///< it is given images of the input, not files that were made from them
  uint64_t dropped_files_ = 0;  ///< of these
  CommandResult whole_;
  PipelineTable table_;
  Leftovers leftovers_;
};

}  // namespace

ExitCode RunPipeline(CommandPipeline pipeline, const SharedOptions& shared, std::string command_line,
                     bool advise) {
  SessionPlan plan{"run", std::move(command_line), {pipeline.output}, {}, {}, advise};
  plan.videos = !pipeline.steps.empty() && pipeline.steps.front().command->reads_videos();
  for (const PipelineStep& step : pipeline.steps) {
    plan.leaves_set_aside = plan.leaves_set_aside || LeavesSetAside(step.name);
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
