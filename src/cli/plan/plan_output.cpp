// Words and fields of a plan.
#include "plan_output.h"

#include "base/counted.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/memory/memory_flag.h"
#include "memory_info.h"

namespace imgmill {
namespace {

std::string Leases(const RunPlan& plan) {
  if (plan.smallest_lease == plan.largest_lease) return FormatByteSize(plan.largest_lease) + " per image";
  return FormatByteSize(plan.smallest_lease) + " to " + FormatByteSize(plan.largest_lease) + " per image, " +
         FormatByteSize(plan.median_lease) + " median";
}

}  // namespace

nlohmann::ordered_json PlanJson(const RunPlan& plan, const MemoryInfo& memory) {
  nlohmann::ordered_json json = {{"images", plan.images},
                                 {"finished", plan.finished},
                                 {"refused", plan.refused},
                                 {"giving_nothing", plan.giving_nothing},
                                 {"smallest_lease", plan.smallest_lease},
                                 {"median_lease", plan.median_lease},
                                 {"largest_lease", plan.largest_lease},
                                 {"workers", plan.workers},
                                 {"at_once", plan.at_once},
                                 {"expected_peak", plan.expected_peak},
                                 {"budget", memory.budget},
                                 {"budget_source", memory.budget_source}};
  json["batches"] = nlohmann::ordered_json::array();
  for (const MemoryInfo::Reservation& reservation : plan.reservations)
    json["batches"].push_back({{"what", reservation.what}, {"bytes", reservation.bytes}});
  json["too_large"] = plan.too_large;
  if (plan.too_large > 0) {
    json["enough_budget"] = plan.enough_budget;
    json["too_large_images"] = nlohmann::ordered_json::array();
    for (const RunPlan::TooLarge& image : plan.largest)
      json["too_large_images"].push_back({{"path", PrintablePath(image.path)}, {"bytes", image.bytes}});
  }
  return json;
}

std::string PlanText(const RunPlan& plan, const MemoryInfo& memory) {
  std::string text =
      MemoryLine("images", Counted(plan.images, "image") + " to process, " + std::to_string(plan.finished) +
                               " finished already, " +
                               (plan.giving_nothing > 0
                                    ? std::to_string(plan.giving_nothing) + " too small to produce anything, "
                                    : "") +
                               std::to_string(plan.refused + plan.too_large) + " would fail" +
                               (plan.refused > 0 ? " (the log names them)" : ""));
  if (plan.images > 0) {
    text += MemoryLine("lease", Leases(plan));
    text += MemoryLine("at once", Counted(plan.at_once, "image") + ", by " + Counted(plan.workers, "worker"));
  }
  for (const MemoryInfo::Reservation& reservation : plan.reservations)
    text += MemoryLine("batches", reservation.what + ", " + FormatByteSize(reservation.bytes) + " in all");
  text += MemoryLine("expected peak", FormatByteSize(plan.expected_peak) + " of a budget of " +
                                          FormatByteSize(memory.budget) + " (" + memory.budget_source + ")");
  if (plan.too_large == 0) return text;
  text += MemoryLine("too large", Counted(plan.too_large, "image") + "; " + MemoryFlag(plan.enough_budget) +
                                      " is enough for all");
  for (const RunPlan::TooLarge& image : plan.largest)
    text += MemoryLine("", PrintablePath(image.path) + " needs " + FormatByteSize(image.bytes));
  if (plan.too_large > plan.largest.size())
    text += MemoryLine("", "and " + std::to_string(plan.too_large - plan.largest.size()) + " more");
  return text;
}

}  // namespace imgmill
