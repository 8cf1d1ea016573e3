// Counts, percentiles and shares.
#include "imgmill/report/run_summary.h"

#include <algorithm>
#include <cmath>

namespace imgmill {
namespace {

/// The value that `share` of all are not above, by the nearest rank. `values` is put in another order.
double Percentile(std::vector<double>& values, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto place = values.begin() + static_cast<ptrdiff_t>(std::max<size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

/// Of smaller ones an error says nothing: budgets do not depend on them, and thumbnails by the thousand would
/// bury what they do depend on.
constexpr size_t kLeastJudged = size_t{1} << 20;

PredictionErrors Errors(const std::vector<BatchRecord>& batches,
                        PredictedActual (*bytes_of)(const BatchRecord&)) {
  PredictionErrors errors;
  std::vector<double> sizes;
  for (const BatchRecord& batch : batches) {
    const PredictedActual bytes = bytes_of(batch);
    if (bytes.actual < kLeastJudged || batch.failed) continue;
    const auto actual = static_cast<double>(bytes.actual);
    const double error = (static_cast<double>(bytes.predicted) - actual) / actual;
    sizes.push_back(std::abs(error));
    errors.worst_underestimate = std::max(errors.worst_underestimate, -error);
  }
  errors.batches = sizes.size();
  if (sizes.empty()) return errors;
  errors.median = Percentile(sizes, 0.5);
  errors.p95 = Percentile(sizes, 0.95);
  return errors;
}

}  // namespace

PredictedActual TotalOf(const BatchRecord& batch) {
  if (batch.resident_peak > 0)
    return {batch.resident_before + batch.predicted.total(), batch.resident_before + batch.resident_peak};
  if (batch.predicted.untracked == 0) return {batch.predicted.pooled, batch.pooled_peak};
  return {batch.predicted.total(), 0};
}

PredictedActual PooledOf(const BatchRecord& batch) {
  return {batch.predicted.pooled, batch.pooled_peak};
}

std::vector<PoolFigures> PoolsOf(const MemoryInfo& info) {
  std::vector<PoolFigures> pools = {{"host", info.budget, info.process.resident, info.process.peak_resident}};
  for (const MemoryInfo::NamedDevice& device : info.devices) {
    // Reports of older versions know of live tensors only.
    pools.push_back({device.name, device.budget, device.stats.allocated,
                     std::max(device.stats.peak_held, device.stats.peak_allocated)});
  }
  return pools;
}

RunSummary Summarise(const MemoryHistory& history, const MemoryInfo& info, double seconds) {
  RunSummary summary;
  summary.batches = history.batches_total;
  summary.failed = history.batches_failed;
  summary.by_rung = history.batches_by_rung;
  summary.total = Errors(history.batches, &TotalOf);
  summary.pooled = Errors(history.batches, &PooledOf);
  summary.pools = PoolsOf(info);
  // Where the kernel's counter was reset on the way, the sampler still knows.
  summary.pools.front().peak = std::max(summary.pools.front().peak, history.resident.bytes);
  summary.clears = info.clears;
  summary.clear_share = seconds > 0 ? info.clear_ms / 1000 / seconds : 0;
  return summary;
}

}  // namespace imgmill
