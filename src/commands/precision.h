// What a model that enlarges computes in: half precision where a GPU has it and nobody can see the
// difference.
#pragma once

#include <array>
#include <string>

#include "imgmill/commands/command.h"
#include "imgmill/infer/model_runtime.h"
#include "imgmill/memory/numerics_plan.h"

namespace imgmill {

/// The words of --precision.
inline const std::array<std::string, 3> kPrecisions = {"auto", "float32", "half"};

/// Half precision, if the run's devices have it and the model gives a picture that we draw within 1 of 255
/// levels of float32 there. The picture is always the same: with the user's own, what a run gives would
/// depend on which of them comes first. What came of it is a fact of the weights that the catalog keeps.
/// @param path   of the weights
/// @param asked  one of kPrecisions. kUsage for half where no device has it
Result<Precision> ChoosePrecision(const CommandServices& services, const std::string& path,
                                  UpscaleModel& model, const NumericsPlan& plan, const std::string& asked);

}  // namespace imgmill
