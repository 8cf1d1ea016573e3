// What is wrong with any step of a pipeline, before the first one begins.
#pragma once

#include "pipeline.h"

namespace imgmill {

/// Says of each step what those before it will have left.
void KnowStepsBefore(CommandPipeline& pipeline);

/// Asks all steps what is wrong with the files and folders that their options name. kUsage, with the file,
/// the line and the step; what may be otherwise a moment later, such as a lock, is passed on as it is.
/// @param services  of the run
Status CheckSteps(const CommandPipeline& pipeline, CommandServices services);

/// Of a dry run: whether a step cannot be tried, as those before it would make what it reads.
bool LacksWhatIsMade(const PipelineStep& step, CommandServices services);

}  // namespace imgmill
