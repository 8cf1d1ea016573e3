// Runs the steps of a pipeline one after the other, in one session.
#include "pipeline.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "imgmill/base/path_text.h"
#include "session.h"

namespace imgmill {
namespace {

/// Where the sums of a step do not come out even, something was lost: that is a bug, and said.
Status Reconcile(const std::string& step, const CommandResult& result) {
  const uint64_t accounted = result.kept_images() + result.dropped + result.counts.failed;
  if (result.counts.listed == accounted) return {};
  return Error{Stage::kReduce, Code::kInternal,
               "the counts of step \"" + step + "\" do not add up: " + std::to_string(result.counts.listed) +
                   " listed, " + std::to_string(result.kept_images()) + " kept, " +
                   std::to_string(result.dropped) + " dropped, " + std::to_string(result.counts.failed) +
                   " failed"};
}

std::string TableRow(const std::string& step, const std::string& listed, const std::string& kept,
                     const std::string& dropped, const std::string& failed) {
  char line[128];
  std::snprintf(line, sizeof line, "%-10s %8s %8s %8s %8s\n", step.c_str(), listed.c_str(), kept.c_str(),
                dropped.c_str(), failed.c_str());
  return line;
}

/// Adds one step's result to the pipeline's.
/// @param of_images  whether the step was given the images of the input, or files that were made of them.
void Append(const PipelineStep& step, CommandResult& part, bool first, bool of_images, CommandResult& whole) {
  nlohmann::ordered_json json = {{"step", step.name}};
  json["kept"] = part.kept_images();
  json["dropped"] = part.dropped;
  AddResult(part, json);
  whole.details["steps"].push_back(std::move(json));
  whole.text += TableRow(step.name, std::to_string(part.counts.listed), std::to_string(part.kept_images()),
                         std::to_string(part.dropped), std::to_string(part.counts.failed));
  if (first) {
    whole.counts.listed = part.counts.listed;
    whole.counts.ignored = part.counts.ignored;
  }
  if (of_images) {
    whole.kept_sources = part.kept_images();
    whole.counts.failed += part.counts.failed;
    whole.dropped += part.dropped;
  }
  whole.counts.recalled += part.counts.recalled;
  whole.counts.off_plan += part.counts.off_plan;
  whole.counts.interrupted = part.counts.interrupted;
  whole.counts.interruption = part.counts.interruption;
  whole.findings = whole.findings || part.findings;
  whole.failed.insert(whole.failed.end(), part.failed.begin(), part.failed.end());
  whole.action_failures.insert(whole.action_failures.end(), part.action_failures.begin(),
                               part.action_failures.end());
}

/// The steps right after this one that, like it, only note facts about the images they are given: they will
/// be given images that this one has just decoded.
std::vector<std::unique_ptr<Operation>> StepsThatLookOn(const CommandPipeline& pipeline, size_t step,
                                                        const CommandServices& services) {
  std::vector<std::unique_ptr<Operation>> guests;
  if (!pipeline.steps[step].command->FactsOnly(services)) return guests;
  for (size_t next = step + 1; next < pipeline.steps.size(); ++next) {
    std::unique_ptr<Operation> guest = pipeline.steps[next].command->FactsOnly(services);
    if (!guest) break;
    guests.push_back(std::move(guest));
  }
  return guests;
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
  whole.details["steps"] = nlohmann::ordered_json::array();
  whole.text = TableRow("step", "listed", "kept", "dropped", "failed");
  // Known now, not after the steps before it have moved files.
  const bool needs_model =
      std::any_of(pipeline.steps.begin(), pipeline.steps.end(),
                  [](const PipelineStep& step) { return !step.command->weight_file().empty(); });
  if (needs_model) {
    if (Status room = session.services().RoomForLibTorch(); !room) return room.error();
  }
  std::vector<ListedFile> kept;
  bool of_images = true;
  for (size_t i = 0; i < pipeline.steps.size(); ++i) {
    const PipelineStep& step = pipeline.steps[i];
    session.BeginStep(step.name);
    const std::vector<std::unique_ptr<Operation>> guests = StepsThatLookOn(pipeline, i, session.services());
    std::vector<Operation*> looking_on;
    for (const auto& guest : guests) looking_on.push_back(guest.get());
    CommandServices services = session.services();
    services.guests = looking_on;
    services.in_pipeline = true;
    Result<CommandResult> result = step.command->Run(*source, services);
    session.KeepModels(WeightFilesAfter(pipeline, i));
    if (!result) return result.error();
    Append(step, *result, i == 0, of_images, whole);
    of_images = of_images && step.command->output_folder().empty();
    session.TellPage(step.name, *result);
    if (!result->summary.empty()) session.Log(LogLevel::kInfo, step.name + ": " + result->summary);
    if (result->counts.interrupted) break;
    if (result->refusal) {
      whole.refusal = std::move(result->refusal);
      break;
    }
    if (Status even = Reconcile(step.name, *result); !even) return even.error();
    kept = std::move(result->kept);
    source = SourceFromFiles(kept);
    if (session.services().shared->dry_run && !step.command->output_folder().empty()) {
      if (i + 1 < pipeline.steps.size())
        session.Log(LogLevel::kInfo, "dry run: the steps after " + step.name + " need what it would write");
      break;
    }
  }
  whole.counts.done = whole.kept_images();
  whole.headline = std::to_string(whole.counts.listed) +
                   (whole.counts.listed == 1 ? " image: " : " images: ") + std::to_string(whole.counts.done) +
                   " came through, " + std::to_string(whole.dropped) + " dropped, " +
                   std::to_string(whole.counts.failed) + " failed";
  if (!of_images && !session.services().shared->dry_run) {
    whole.headline +=
        "; " + std::to_string(kept.size()) + (kept.size() == 1 ? " file" : " files") + " made of them";
  }
  whole.summary = session.services().shared->dry_run ? "dry run: nothing was written"
                                                     : "output in " + PrintablePath(pipeline.output);
  return whole;
}

}  // namespace

ExitCode RunPipeline(CommandPipeline pipeline, const SharedOptions& shared, std::string command_line,
                     bool advise) {
  SessionPlan plan{"run", std::move(command_line), {pipeline.output}, {}, {}, advise};
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
