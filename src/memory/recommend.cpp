// Advice drawn from the machine and from what the run has met so far.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "imgmill/base/byte_size.h"
#include "memory/memory_manager_impl.h"

namespace imgmill {
namespace {

/// Share of a run's time that clearing caches may take before it is worth a word.
constexpr double kTolerableClearing = 0.01;

std::string Percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

/// How often a rung from kHalfBatch on was taken: results then differ in the last bits.
uint64_t OffPlanRungs(const MemoryInfo& info) {
  uint64_t rungs = 0;
  for (size_t i = static_cast<size_t>(Rung::kHalfBatch); i < std::size(info.rungs); ++i)
    rungs += info.rungs[i];
  return rungs;
}

}  // namespace

std::vector<Recommendation> MemoryManager::Recommend() const {
  const MemoryInfo info = Info();
  const AdmissionStats admission = impl_->admission.Stats();
  const HostLedger& ledger = admission.ledger;
  std::vector<Recommendation> advice;

  if (admission.largest_refused > 0) {
    const size_t enough = ledger.BudgetFor(admission.largest_refused);
    advice.push_back({MemoryFlag(enough), "the largest image that was refused needs " +
                                              FormatByteSize(admission.largest_refused) + " at once"});
  } else if (info.leases_granted >= 20 && info.leases_waited * 2 > info.leases_granted) {
    advice.push_back({MemoryFlag(ledger.budget + ledger.Room()),
                      "more than half of the images had to wait for memory; this would double the room"});
  } else if (info.budget_source != "--memory") {
    // Named, so that a run elsewhere or later behaves the same.
    advice.push_back(
        {MemoryFlag(info.budget / kMiB * kMiB), "what this machine allows now (" + info.budget_source + ")"});
  }

  const uint64_t off_plan = OffPlanRungs(info);
  const bool own_memory = std::any_of(info.devices.begin(), info.devices.end(),
                                      [&](const auto& device) { return device.budget < info.budget; });
  if (off_plan > 0) {
    advice.push_back({own_memory ? "--device-memory or a smaller --batch" : "--memory or a smaller --batch",
                      std::to_string(off_plan) +
                          " times work had to be made smaller to fit, at the cost of time "
                          "and of the last bits of those results"});
  }

  const std::chrono::duration<double, std::milli> run = std::chrono::steady_clock::now() - impl_->start;
  if (info.clears >= 10 && info.clear_ms > kTolerableClearing * run.count()) {
    advice.push_back({impl_->cache->name() == "every" ? "--cache auto" : "--cache never",
                      "clearing caches took " + Percent(info.clear_ms / run.count()) + " of the run"});
  }

  if (info.peak_unexplained > std::max(ledger.Reserve(), size_t{1})) {
    advice.push_back(
        {"-j with fewer workers", FormatByteSize(info.peak_unexplained) +
                                      " were held by libraries beyond what their formulas say, more "
                                      "than the reserve of " +
                                      FormatByteSize(ledger.Reserve())});
  }
  return advice;
}

}  // namespace imgmill
