// The summary's figures, against arithmetic by hand.
#include "imgmill/report/run_summary.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "imgmill/report/run_report.h"

using namespace imgmill;

namespace {

constexpr size_t kMiB = size_t{1} << 20;

/// All in MiB: of what is smaller no error is told.
BatchRecord Batch(Footprint predicted, size_t pooled_peak, size_t resident_peak) {
  BatchRecord batch;
  batch.predicted = {predicted.pooled * kMiB, predicted.untracked * kMiB};
  batch.pooled_peak = pooled_peak * kMiB;
  batch.resident_peak = resident_peak * kMiB;
  return batch;
}

}  // namespace

TEST_CASE("errors are relative to what was taken, and only where that is known") {
  MemoryHistory history;
  // Predicted 110 of 100, 95 of 100, 100 of 100 and 150 of 100: |error| 0.10, 0.05, 0 and 0.5.
  history.batches = {Batch({100, 10}, 90, 100), Batch({90, 5}, 90, 100), Batch({100, 0}, 100, 0),
                     Batch({100, 50}, 50, 100)};
  // On top of 900 that were resident before: 1040 expected, 1000 reached.
  BatchRecord among = Batch({140, 0}, 0, 100);
  among.resident_before = 900 * kMiB;
  CHECK(TotalOf(among).predicted == 1040 * kMiB);
  CHECK(TotalOf(among).actual == 1000 * kMiB);
  history.batches.push_back(Batch({100, 50}, 0, 0));  // nothing is known of this one
  BatchRecord failed = Batch({1000, 0}, 1, 1);        // nor does a failure say what it would have taken
  failed.failed = true;
  history.batches.push_back(failed);
  BatchRecord thumbnail = Batch({2, 0}, 0, 0);  // predicted a hundred times too high, and nobody cares
  thumbnail.pooled_peak = thumbnail.resident_peak = kMiB / 50;
  history.batches.push_back(thumbnail);
  const RunSummary summary = Summarise(history, {}, 1);
  CHECK(summary.total.batches == 4);
  CHECK(summary.total.median == doctest::Approx(0.05));  // 0, 0.05 | 0.10, 0.5: the second of four
  CHECK(summary.total.p95 == doctest::Approx(0.5));      // rank ceil(3.8) = 4
  CHECK(summary.total.worst_underestimate == doctest::Approx(0.05));
  // In pools: 100 of 90, 90 of 90, 100 of 100, 100 of 50.
  CHECK(summary.pooled.batches == 4);
  CHECK(summary.pooled.p95 == doctest::Approx(1.0));
  CHECK(summary.pooled.worst_underestimate == 0);
}

TEST_CASE("pools: the host by what is resident, devices by what they allocated; clears by their share") {
  MemoryInfo info;
  info.budget = 1000;
  info.process.resident = 300;
  info.process.peak_resident = 600;
  info.clears = 4;
  info.clear_ms = 50;
  MemoryInfo::NamedDevice device;
  device.name = "cpu:0";
  device.budget = 200;
  device.stats.allocated = 20;
  device.stats.peak_allocated = 150;
  info.devices.push_back(device);
  MemoryHistory history;
  history.resident.bytes = 700;  // seen by the sampler after the kernel's counter was reset
  history.batches_total = 8;
  history.batches_by_rung[static_cast<size_t>(Rung::kNone)] = 6;
  history.batches_by_rung[static_cast<size_t>(Rung::kCpu)] = 2;
  const nlohmann::ordered_json json = SummaryJson(Summarise(history, info, 10));
  CHECK(json["pools"][0]["name"] == "host");
  CHECK(json["pools"][0]["now"] == 300);
  CHECK(json["pools"][0]["peak"] == 700);
  CHECK(json["pools"][0]["peak_share"] == doctest::Approx(0.7));
  CHECK(json["pools"][1]["name"] == "cpu:0");
  CHECK(json["pools"][1]["peak_share"] == doctest::Approx(0.75));
  CHECK(json["clear_share"] == doctest::Approx(0.005));  // 50 ms of 10 s
  CHECK(json["rungs"]["cpu"]["batches"] == 2);
  CHECK(json["rungs"]["cpu"]["share"] == doctest::Approx(0.25));
  CHECK(json["prediction"]["batches"] == 0);
  CHECK_FALSE(json["prediction"].contains("median_error"));  // no error is not an error of 0
}

TEST_CASE("a device: most that was held there, its context, and what it said that is no shortage of memory") {
  MemoryInfo info;
  MemoryInfo::NamedDevice device;
  device.name = "cuda:0";
  device.budget = 1000;
  device.stats.peak_allocated = 150;  // of tensors, and of the last batch alone
  device.stats.peak_held = 900;
  device.stats.context = 600;
  device.errors = {{"CUDNN_STATUS_INTERNAL_ERROR", 7}};
  info.devices.push_back(device);
  const nlohmann::ordered_json json = MemoryJson(info);
  CHECK(json["devices"][0]["peak"] == 900);
  CHECK(json["devices"][0]["context"] == 600);
  CHECK(json["devices"][0]["errors"].dump() == R"([{"text":"CUDNN_STATUS_INTERNAL_ERROR","count":7}])");
  const nlohmann::ordered_json summary = SummaryJson(Summarise(MemoryHistory(), info, 10));
  CHECK(summary["pools"][1]["peak_share"] == doctest::Approx(0.9));
}
