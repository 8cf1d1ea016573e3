// What `imgmill memory recommend` says: flags for this machine, or, drawn from its plan, for one command on
// it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "imgmill/engine/run_plan.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// One line of advice: what to pass, and why.
struct Recommendation {
  std::string flag;  ///< "--memory 3GiB"
  std::string reason;
};

/// @param room   the most that one image may lease.
/// @param cores  that this process may use.
std::vector<Recommendation> AdviseOnMachine(const MemoryInfo& memory, size_t room, int cores);

/// @param memory  after the plan was made: models are loaded, devices are known.
/// @param room    the most that one image may lease under the present budget.
/// @return flags in the order of their weight, each with its reason in numbers.
std::vector<Recommendation> AdviseOn(const RunPlan& plan, const MemoryInfo& memory, size_t room);

/// [{"flag", "reason"}, ...]
nlohmann::ordered_json RecommendationsJson(const std::vector<Recommendation>& advice);
/// A line each.
std::string RecommendationsText(const std::vector<Recommendation>& advice);

}  // namespace imgmill
