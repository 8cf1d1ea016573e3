// A plan for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "imgmill/engine/run_plan.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// The document's "plan": bytes unless the name says otherwise.
nlohmann::ordered_json PlanJson(const RunPlan& plan, const MemoryInfo& memory);

/// A line a fact; what does not fit, and what would make it fit, last.
std::string PlanText(const RunPlan& plan, const MemoryInfo& memory);

}  // namespace imgmill
