// What `imgmill memory recommend COMMAND` says: flags for one command on this machine, drawn from its plan.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "imgmill/engine/run_plan.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// @param memory  after the plan was made: models are loaded, devices are known.
/// @param room    the most that one image may lease under the present budget.
/// @return flags in the order of their weight, each with its reason in numbers.
std::vector<Recommendation> AdviseOn(const RunPlan& plan, const MemoryInfo& memory, size_t room);

/// [{"flag", "reason"}, ...]
nlohmann::ordered_json RecommendationsJson(const std::vector<Recommendation>& advice);
/// A line each.
std::string RecommendationsText(const std::vector<Recommendation>& advice);

}  // namespace imgmill
