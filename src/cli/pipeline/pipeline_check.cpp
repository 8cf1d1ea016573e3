// Each step by its command's own checks, with what will be there by then.
#include "pipeline_check.h"

#include <utility>

#include "base/try.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// What the file says, or does not fit what is there: not that something cannot be read or written.
bool IsOfFile(Code code) {
  return code == Code::kUsage || code == Code::kNotFound || code == Code::kConflict ||
         code == Code::kMalformed || code == Code::kUnsupported || code == Code::kModelError;
}

/// @param wrong  with the files or folders of a step
Error OfStep(const CommandPipeline& pipeline, const PipelineStep& step, const Error& wrong) {
  const bool of_file = !pipeline.file.empty() && IsOfFile(wrong.code);
  const std::string place = step.place.empty() ? "" : step.place + ": ";
  return {wrong.stage, of_file ? Code::kUsage : wrong.code, place + wrong.message};
}

Status CheckStep(const PipelineStep& step, const CommandServices& services) {
  if (const std::string output = step.command->output_folder(); !output.empty())
    TRY(CheckTargetFolder(output));
  const ChecksAhead& checks = ChecksAhead::Of(*step.command);
  TRY(checks.MayRead(services, step.before));
  return checks.MayWrite(services, step.before);
}

}  // namespace

void KnowStepsBefore(CommandPipeline& pipeline) {
  StepsBefore before;
  before.output = pipeline.output;
  for (PipelineStep& step : pipeline.steps) {
    step.before = before;
    for (const PipelineStep& other : pipeline.steps)
      if (&other != &step) step.other_titles.push_back(other.title);
    const Command& command = *step.command;
    // Where a command makes files of images, that is its output folder: else it acts on these.
    for (const std::string& folder : {command.output_folder(), command.folder_to_leave_out()})
      if (!folder.empty()) before.folders.push_back(folder);
    const ChecksAhead& checks = ChecksAhead::Of(command);
    if (const auto maker = checks.vector_maker()) before.vector_makers.push_back(*maker);
    if (checks.output_ending().empty()) continue;
    before.given_by = step.name;
    before.given_in = command.output_folder();
    before.given_ending = checks.output_ending();
  }
}

Status CheckSteps(const CommandPipeline& pipeline, CommandServices services) {
  services.in_pipeline = true;
  for (const PipelineStep& step : pipeline.steps) {
    const Status right = CheckStep(step, services);
    if (!right) return OfStep(pipeline, step, right.error());
  }
  return {};
}

bool LacksWhatIsMade(const PipelineStep& step, CommandServices services) {
  services.in_pipeline = true;
  return !ChecksAhead::Of(*step.command).MayRead(services, step.before.OfFilesGiven());
}

}  // namespace imgmill
