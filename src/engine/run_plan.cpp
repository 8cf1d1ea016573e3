// Walks over the leases as admission would grant them.
#include "imgmill/engine/run_plan.h"

#include <algorithm>
#include <cstdint>
#include <deque>

#include "imgmill/base/byte_size.h"

namespace imgmill {

RunPlanner::RunPlanner(MemoryManager& memory, int workers) : memory_(memory) {
  plan_.workers = workers;
}

void RunPlanner::AddLease(const Footprint& need) {
  ++plan_.images;
  leases_.push_back(static_cast<uint32_t>(std::min<size_t>(UINT32_MAX, (need.total() + kKiB - 1) / kKiB)));
}

void RunPlanner::AddTooLarge(const std::string& path, const Footprint& need) {
  ++plan_.too_large;
  plan_.enough_budget = std::max(plan_.enough_budget, memory_.BudgetFor(need));
  if (plan_.largest.size() < kMostTooLarge) plan_.largest.push_back({path, need.total()});
}

RunPlan RunPlanner::Finish() {
  const MemoryInfo info = memory_.Info();
  const size_t room = memory_.LargestLease();
  // First in, first out, as many at once as there are workers and as fit: an image leaves when the next one
  // needs its place.
  std::deque<size_t> in_work;
  size_t held = 0;
  size_t most = 0;
  plan_.at_once = 0;
  for (const uint32_t kib : leases_) {
    const size_t bytes = kib * kKiB;
    while (!in_work.empty() &&
           (in_work.size() >= static_cast<size_t>(plan_.workers) || held + bytes > room)) {
      held -= in_work.front();
      in_work.pop_front();
    }
    in_work.push_back(bytes);
    held += bytes;
    if (held > most) {
      most = held;
      plan_.at_once = static_cast<int>(in_work.size());
    }
  }
  std::sort(leases_.begin(), leases_.end());
  if (!leases_.empty()) {
    plan_.smallest_lease = leases_.front() * kKiB;
    plan_.median_lease = leases_[leases_.size() / 2] * kKiB;
    plan_.largest_lease = leases_.back() * kKiB;
  }
  for (const MemoryInfo::Reservation& reservation : info.reservations)
    if (!reservation.what.empty()) plan_.reservations.push_back(reservation);
  size_t reserved = 0;
  for (const MemoryInfo::Reservation& reservation : info.reservations) reserved += reservation.bytes;
  plan_.expected_peak = info.fixed + reserved + most;
  plan_.planned_budget = memory_.BudgetFor({most, 0});
  plan_.workers_budget =
      memory_.BudgetFor({static_cast<size_t>(plan_.MostAtOnce()) * plan_.largest_lease, 0});
  return std::move(plan_);
}

}  // namespace imgmill
