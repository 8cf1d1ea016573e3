// What is wrong with any step of a pipeline, before the first one begins.
#pragma once

#include "pipeline.h"

namespace imgmill {

/// Says of each step what those before it will have left.
void KnowStepsBefore(CommandPipeline& pipeline);

/// Asks all steps what is wrong with the files and folders that their options name. kUsage, with the file,
/// the line and the step; what may be otherwise a moment later, such as a lock, is passed on as it is.
/// Without a file all is passed on as the commands by themselves would end with it.
/// @param services  of the run
Status CheckSteps(const CommandPipeline& pipeline, CommandServices services);

/// Whether a step, now that its turn has come, cannot be tried: what it reads is not there. In a dry run,
/// those before it would make it.
bool LacksWhatIsMade(const PipelineStep& step, CommandServices services);

}  // namespace imgmill
