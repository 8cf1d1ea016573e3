// Leftovers asked for each step, and what they come to in words.
#include "step_leftovers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/finished_work.h"

namespace imgmill {
namespace {

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

/// Where files are made of images that later steps are given.
std::vector<std::string> FoldersOfMade(const CommandPipeline& pipeline) {
  std::vector<std::string> folders;
  for (const PipelineStep& step : pipeline.steps) {
    const std::string folder = step.command->output_folder();
    if (!folder.empty() && step.command->works_image_by_image()) folders.push_back(folder);
  }
  return folders;
}

/// Folders that were taken for what an output folder of another place had beside it, and of which no run has
/// told yet what is left over in them: whoever looks on may say that they are not. Each has a NUL behind it.
std::string CameAlong(Catalog& catalog) {
  return catalog.FindFact(ContentDigest{}, kCameAlongFact).value_or("");
}

/// Where the folder's line begins in these.
size_t PlaceIn(const std::string& all, const std::string& folder) {
  const std::string line = CanonicalOrEntry(folder) + '\0';
  if (all.starts_with(line)) return 0;
  const size_t found = all.find('\0' + line);
  return found == std::string::npos ? found : found + 1;
}

bool IsSure(const Prospect& prospect) {
  return prospect.files && (prospect.files == 0 || !prospect.at_most);
}

std::string Files(uint64_t count) {
  return Counted(count, "file") + " of earlier runs";
}

}  // namespace

StepLeftovers::StepLeftovers(const CommandPipeline& pipeline, Session& session)
    : pipeline_(pipeline),
      session_(session),
      dry_run_(session.services().shared->mode != RunMode::kRun),
      files_(*session.services().catalog, OwnPaths(pipeline, session.services().shared->list),
             FoldersOfMade(pipeline)) {
  if (pipeline.prune) why_not_ = WhyNotPrune(session.services().shared->list);
}

Pruning StepLeftovers::HowToPrune() const {
  if (!pipeline_.prune || !why_not_.empty() || !any_listed_ || came_along_) return Pruning::kNo;
  return dry_run_ ? Pruning::kRehearse : Pruning::kYes;
}

bool StepLeftovers::Shares(const std::string& folder) const {
  if (!SharesFolder(pipeline_, *step_, folder)) return false;
  if (pipeline_.prune)
    session_.Log(LogLevel::kWarning,
                 step_->name + ": nothing is removed from " + PrintablePath(folder) +
                     ", as another step writes to the same folder, or to one in or around it");
  return true;
}

void StepLeftovers::Begin(const PipelineStep& step, bool any_listed) {
  step_ = &step;
  any_listed_ = any_listed;
  folder_.clear();
  left_ = {};
  came_along_ = false;
  to_remove_ = {0};
}

Status StepLeftovers::AfterMap(StepRun& each, const CommandResult& mapped) {
  if (dry_run_ || !step_->command->works_image_by_image() || mapped.counts.interrupted) return {};
  const std::string folder = step_->command->output_folder();
  if (Shares(folder)) return {};
  folder_ = folder;
  LookWhetherItCame();
  LeftFiles found = TRY(files_.Look(folder, each.run().log.TakeOutputs(), HowToPrune()));
  left_ = std::move(found);
  return {};
}

Status StepLeftovers::AfterReduce(StepRun& each, CommandResult& result, const Prospect& ahead) {
  if (result.counts.interrupted || result.refusal) return {};
  if (dry_run_ && step_->command->works_image_by_image()) TRY(Foresee(each, result, ahead));
  return LookAtPlaced(result, ahead);
}

/// What is made of images that are there is known by its name, and so is what was made of those that a step
/// before this one would write; not what would be made of what would be made.
Status StepLeftovers::Foresee(StepRun& each, const CommandResult& result, const Prospect& ahead) {
  const std::string folder = step_->command->output_folder();
  std::vector<size_t> outputs = each.run().log.TakeOutputs();
  std::vector<size_t> foreseen = each.run().TakeForeseen();
  const bool known = ahead.files == 0 || awaits_all_;
  // As with tiles, of which only the best are kept.
  const bool some = !IsSure(result.ahead) || foreseen.size() > result.ahead.files;
  if (Shares(folder)) {
    to_remove_ = {0};
  } else if (!known) {
    to_remove_ = {std::nullopt};
  } else {
    folder_ = folder;
    LookWhetherItCame();
    std::vector<size_t> all = outputs;
    all.insert(all.end(), foreseen.begin(), foreseen.end());
    LeftFiles sure = TRY(files_.Look(folder, std::move(all), HowToPrune()));
    left_ = std::move(sure);
    to_remove_ = {left_.removed};
    if (HowToPrune() == Pruning::kRehearse && (some || !IsSure(ahead) || awaits_some_)) {
      files_.Await({}, {});
      const LeftFiles most = TRY(files_.Look(folder, std::move(outputs), Pruning::kRehearse));
      to_remove_ = {most.removed, most.removed > left_.removed};
    }
  }
  awaits_all_ = ahead.files == 0;
  awaits_some_ = some;
  files_.Await(folder, std::move(foreseen));
  return {};
}

Status StepLeftovers::LookAtPlaced(CommandResult& result, const Prospect& ahead) {
  if (result.placed.folder.empty()) return {};
  const std::string folder = result.placed.folder;
  if (ahead.files != 0) {
    to_remove_ = {std::nullopt};
    return {};
  }
  if (Shares(folder)) return {};
  folder_ = folder;
  LookWhetherItCame();
  LeftFiles found = TRY(files_.LookAtPlaced(step_->name, std::move(result.placed), HowToPrune()));
  left_ = std::move(found);
  to_remove_ = {left_.removed};
  return {};
}

void StepLeftovers::LookWhetherItCame() {
  came_along_ = PlaceIn(CameAlong(*session_.services().catalog), folder_) != std::string::npos;
}

Status StepLeftovers::NoteTold() {
  if (!came_along_ || dry_run_ || !any_listed_) return {};
  Catalog& catalog = *session_.services().catalog;
  std::string all = CameAlong(catalog);
  const size_t place = PlaceIn(all, folder_);
  if (place == std::string::npos) return {};
  all.erase(place, all.find('\0', place) + 1 - place);
  return catalog.PutFact(ContentDigest{}, kCameAlongFact, all);
}

Prospect StepLeftovers::OfUnseen(const Command& command) {
  return command.folder_to_leave_out().empty() || !command.output_folder().empty() ? Prospect{0}
                                                                                   : Prospect{std::nullopt};
}

std::string StepLeftovers::WhyTheyStay() const {
  std::string why = left_.changed > 0 ? "changed since they were written" : "";
  if (left_.only > 0)
    why += std::string(why.empty() ? "" : ", or ") +
           "of images that are gone or changed, and maybe the last copies";
  return why;
}

void StepLeftovers::Tell(CommandResult& result) const {
  if (left_.unread.count > 0) session_.Log(LogLevel::kWarning, step_->name + ": " + left_.unread.Warning());
  // A run puts copies that it finds there on its own record first.
  const bool others_are_known = !dry_run_ || !left_.others.placed;
  if (left_.others.files > 0 && HowToPrune() != Pruning::kNo && others_are_known) {
    result.details["files_of_other_inputs"] = left_.others.files;
    session_.Log(
        LogLevel::kInfo,
        step_->name + ": " + left_.others.Text(folder_, pipeline_.output, *session_.services().catalog));
  }
  const uint64_t removed = dry_run_ ? 0 : left_.removed;
  const uint64_t there = left_.files - removed;
  if (removed > 0) {
    result.details["removed_files_of_earlier_runs"] = removed;
    result.summary += ", " + Files(removed) + " removed";
  }
  if (there == 0) return;
  result.details["files_of_earlier_runs"] = there;
  std::string why = " (--prune removes them)";
  const std::string stay = WhyTheyStay();
  if (!stay.empty()) why = ": " + stay + ", and so not removed";
  if (dry_run_ && left_.removed > 0)
    why = stay.empty()
              ? ": they would be removed"
              : ": " + std::to_string(left_.removed) + " of them would be removed, the others are " + stay;
  if (pipeline_.prune && came_along_)
    why =
        ": not removed yet, as it was only now that the folder was found to have come here with the catalog";
  if (pipeline_.prune && !any_listed_) why = ": not removed, as no image was found";
  if (!why_not_.empty()) why = ": not removed, as " + why_not_;
  session_.Log(LogLevel::kWarning, step_->name + ": " + Files(there) +
                                       ", which this one neither made nor needs, " +
                                       (there == 1 ? "lies in " : "lie in ") + PrintablePath(folder_) +
                                       ", such as " + PrintablePath(left_.example) + why);
}

}  // namespace imgmill
