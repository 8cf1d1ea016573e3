// Rules of advice, one function a flag.
#include "plan_advice.h"

#include <algorithm>
#include <string>

#include "base/counted.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/memory/memory_flag.h"
#include "memory_info.h"

namespace imgmill {
namespace {

/// A worker holds about this much beside the pixels of its image: decoder, encoder, stack. Only for advice.
constexpr size_t kBytesPerWorker = 32 * kMiB;

/// Of the first model; null without one.
const NumericsPlan* NumericsOf(const RunPlan& plan) {
  for (const MemoryInfo::Reservation& reservation : plan.reservations) {
    if (reservation.numerics) return &*reservation.numerics;
  }
  return nullptr;
}

size_t Reserved(const RunPlan& plan) {
  size_t bytes = 0;
  for (const MemoryInfo::Reservation& reservation : plan.reservations) bytes += reservation.bytes;
  return bytes;
}

Recommendation AdviseMemory(const RunPlan& plan, const MemoryInfo& memory) {
  const size_t most = std::max(memory.allowed, memory.budget);
  const std::string beyond = "; this machine allows " + FormatByteSize(most) + " now";
  if (plan.too_large > 0) {
    std::string reason = Counted(plan.too_large, "image") + " cannot fit " + FormatByteSize(memory.budget) +
                         "; with this budget all of them do";
    if (plan.enough_budget > most) reason += beyond + ", so they need another machine";
    return {MemoryFlag(plan.enough_budget), reason};
  }
  if (plan.at_once < plan.MostAtOnce() && plan.at_once > 0) {
    if (plan.workers_budget <= most)
      return {MemoryFlag(plan.workers_budget),
              std::to_string(plan.MostAtOnce()) + " of the largest images, " +
                  FormatByteSize(plan.largest_lease) + " each, then fit at once; " +
                  FormatByteSize(memory.budget) + " hold " + std::to_string(plan.at_once)};
    return {MemoryFlag(most), Counted(plan.at_once, "image") + " of up to " +
                                  FormatByteSize(plan.largest_lease) + " fit at once; " +
                                  std::to_string(plan.MostAtOnce()) + " workers would need " +
                                  FormatByteSize(plan.workers_budget) + beyond};
  }
  return {MemoryFlag(std::min(plan.planned_budget, memory.budget)),
          "the run is expected to hold " + FormatByteSize(plan.expected_peak) +
              " at its peak; this is enough, reserve included, and more would not be used"};
}

Recommendation AdviseWorkers(const RunPlan& plan, size_t room) {
  const std::string largest = "the largest image takes " + FormatByteSize(plan.largest_lease) + " of the " +
                              FormatByteSize(room) + " that can be leased: ";
  const std::string flag = "-j ";
  if (!plan.reservations.empty() || plan.at_once >= plan.MostAtOnce()) {
    const bool few = plan.MostAtOnce() < plan.workers;
    return {flag + std::to_string(plan.reservations.empty() ? plan.MostAtOnce() : plan.workers),
            largest + std::to_string(plan.at_once) + " at once" +
                (!plan.reservations.empty() ? "; the model computes on as many threads"
                 : few                      ? ", as many as there are images"
                                            : ", as many as there are workers")};
  }
  return {flag + std::to_string(plan.at_once), largest + "more workers would wait for each other's memory"};
}

void AdviseDevice(const MemoryInfo& memory, std::vector<Recommendation>& advice) {
  if (memory.devices.empty()) return;
  std::string names;
  size_t best = 0;
  for (size_t i = 0; i < memory.devices.size(); ++i) {
    const MemoryInfo::NamedDevice& device = memory.devices[i];
    names += (names.empty() ? "" : ",") + device.name;
    if (device.budget > memory.devices[best].budget) best = i;
  }
  const bool cpu = memory.devices[best].name.starts_with("cpu");
  advice.push_back({"--device " + names, (cpu ? std::string("computes in host memory, ")
                                              : std::string("has memory of its own, ")) +
                                             FormatByteSize(memory.devices[best].budget) + " of budget" +
                                             (cpu ? "; no accelerator was chosen or found" : "")});
}

void AdviseNumerics(const RunPlan& plan, std::vector<Recommendation>& advice) {
  const NumericsPlan* const numerics = NumericsOf(plan);
  if (numerics == nullptr) return;
  advice.push_back({"--batch " + std::to_string(numerics->micro_batch),
                    "measured as the fastest for this model; its batches take " +
                        FormatByteSize(Reserved(plan)) + " in all"});
  if (numerics->tile > 0)
    advice.push_back({"--tile " + std::to_string(numerics->tile),
                      "the plan's: a larger one saves overlap and takes more memory, in "
                      "proportion to its area"});
  if (numerics->precision == Precision::kHalf) {
    advice.push_back({"--precision half", "a trial came out within one level of 255; float32 is slower"});
  } else {
    advice.push_back({"precision float32", "what models compute in here: equal processors give equal bytes"});
  }
}

}  // namespace

std::vector<Recommendation> AdviseOnMachine(const MemoryInfo& memory, size_t room, int cores) {
  std::vector<Recommendation> advice;
  // Named, so that a run elsewhere or later behaves the same.
  if (memory.budget_source != "--memory") {
    advice.push_back({MemoryFlag(memory.budget / kMiB * kMiB),
                      "what this machine allows now (" + memory.budget_source + ")"});
  }
  const int workers = static_cast<int>(
      std::clamp<size_t>(room / kBytesPerWorker, 1, static_cast<size_t>(std::max(1, cores))));
  advice.push_back({"-j " + std::to_string(workers),
                    workers < cores ? "more of them would have to wait for each other's memory"
                                    : "one image in work for each core that this process may use"});
  return advice;
}

std::vector<Recommendation> AdviseOn(const RunPlan& plan, const MemoryInfo& memory, size_t room) {
  std::vector<Recommendation> advice;
  if (plan.images == 0 && plan.too_large == 0) return advice;
  advice.push_back(AdviseMemory(plan, memory));
  if (plan.images > 0) advice.push_back(AdviseWorkers(plan, room));
  AdviseDevice(memory, advice);
  AdviseNumerics(plan, advice);
  return advice;
}

nlohmann::ordered_json RecommendationsJson(const std::vector<Recommendation>& advice) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Recommendation& each : advice) json.push_back({{"flag", each.flag}, {"reason", each.reason}});
  return json;
}

std::string RecommendationsText(const std::vector<Recommendation>& advice) {
  std::string text;
  for (const Recommendation& each : advice) text += MemoryLine(each.flag, each.reason);
  return text;
}

}  // namespace imgmill
