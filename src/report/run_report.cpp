// Memory and failures as JSON.
#include "imgmill/report/run_report.h"

#include <nlohmann/json.hpp>

#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

nlohmann::ordered_json PoolJson(const PoolStats& pool) {
  return {{"cap", pool.cap},
          {"charged", pool.charged},
          {"live", pool.live},
          {"cached", pool.cached},
          {"peak_charged", pool.peak_charged},
          {"peak_live", pool.peak_live},
          {"allocations", pool.allocations},
          {"frees", pool.frees},
          {"refusals", pool.refusals},
          {"maps", pool.maps},
          {"clears", pool.clears},
          {"clear_ms", pool.clear_ms}};
}

nlohmann::ordered_json BatchJson(const BatchRecord& batch) {
  nlohmann::ordered_json json = {
      {"work", batch.work},
      {"device", batch.device},
      {"n", batch.shape.n},
      {"width", batch.shape.width},
      {"height", batch.shape.height},
      {"predicted", batch.predicted.total()},
      {"predicted_pooled", batch.predicted.pooled},
      {"actual_pooled", batch.pooled_peak},
  };
  if (batch.resident_peak > 0) {
    json["resident_before"] = batch.resident_before;
    json["actual"] = batch.resident_peak;
  }
  json["rung"] = ToString(batch.rung);
  json["attempts"] = batch.attempts;
  json["failed"] = batch.failed;
  json["start_ms"] = batch.start_ms;
  json["ms"] = batch.duration_ms;
  return json;
}

nlohmann::ordered_json PeakJson(const MemoryPeak& peak) {
  return {{"bytes", peak.bytes}, {"ms", peak.ms}};
}

double Share(uint64_t part, uint64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

nlohmann::ordered_json ErrorsJson(const PredictionErrors& errors) {
  nlohmann::ordered_json json = {{"batches", errors.batches}};
  if (errors.batches > 0) {
    json["median_error"] = errors.median;
    json["p95_error"] = errors.p95;
    json["worst_underestimate"] = errors.worst_underestimate;
  }
  return json;
}

}  // namespace

nlohmann::ordered_json SummaryJson(const RunSummary& summary) {
  nlohmann::ordered_json json = {{"batches", summary.batches}, {"failed", summary.failed}};
  nlohmann::ordered_json& rungs = json["rungs"] = nlohmann::ordered_json::object();
  for (size_t rung = 0; rung < summary.by_rung.size(); ++rung) {
    const uint64_t batches = summary.by_rung[rung];
    rungs[std::string(ToString(static_cast<Rung>(rung)))] = {{"batches", batches},
                                                             {"share", Share(batches, summary.batches)}};
  }
  json["prediction"] = ErrorsJson(summary.total);
  json["pooled_prediction"] = ErrorsJson(summary.pooled);
  json["pools"] = nlohmann::ordered_json::array();
  for (const PoolFigures& pool : summary.pools) {
    json["pools"].push_back({{"name", pool.name},
                             {"budget", pool.budget},
                             {"now", pool.now},
                             {"peak", pool.peak},
                             {"peak_share", Share(pool.peak, pool.budget)}});
  }
  json["clears"] = summary.clears;
  json["clear_share"] = summary.clear_share;
  return json;
}

nlohmann::ordered_json HistoryJson(const MemoryHistory& history, const RunSummary& summary) {
  nlohmann::ordered_json json = {{"summary", SummaryJson(summary)},
                                 {"peaks",
                                  {{"resident", PeakJson(history.resident)},
                                   {"charged", PeakJson(history.charged)},
                                   {"leased", PeakJson(history.leased)}}},
                                 {"batches_total", history.batches_total}};
  nlohmann::ordered_json& batches = json["batches"] = nlohmann::ordered_json::array();
  for (const BatchRecord& batch : history.batches) batches.push_back(BatchJson(batch));
  nlohmann::ordered_json& moments = json["moments"] = nlohmann::ordered_json::array();
  for (const MemoryMoment& moment : history.moments) {
    moments.push_back({{"ms", moment.ms},
                       {"resident", moment.resident},
                       {"charged", moment.charged},
                       {"leased", moment.leased},
                       {"budget", moment.budget}});
  }
  nlohmann::ordered_json& clears = json["clears"] = nlohmann::ordered_json::array();
  for (const ClearRecord& clear : history.clears) {
    clears.push_back({{"start_ms", clear.start_ms}, {"ms", clear.duration_ms}, {"bytes", clear.bytes}});
  }
  return json;
}

nlohmann::ordered_json MemoryJson(const MemoryInfo& info) {
  nlohmann::ordered_json json = {{"budget", info.budget},
                                 {"budget_source", info.budget_source},
                                 {"peak_resident", info.process.peak_resident},
                                 {"resident", info.process.resident},
                                 {"fixed", info.fixed},
                                 {"peak_leased", info.peak_leased},
                                 {"peak_unexplained", info.peak_unexplained},
                                 {"peak_unavailable", info.peak_unavailable},
                                 {"leases_granted", info.leases_granted},
                                 {"leases_waited", info.leases_waited},
                                 {"clears", info.clears},
                                 {"clear_ms", info.clear_ms},
                                 {"host_pool", PoolJson(info.host)}};
  nlohmann::ordered_json rungs = nlohmann::ordered_json::object();
  for (int rung = 1; rung <= static_cast<int>(Rung::kRecordedFailure); ++rung) {
    rungs[std::string(ToString(static_cast<Rung>(rung)))] = info.rungs[rung];
  }
  json["rungs"] = std::move(rungs);
  json["devices"] = nlohmann::ordered_json::array();
  for (const MemoryInfo::NamedDevice& device : info.devices) {
    json["devices"].push_back({{"name", device.name},
                               {"budget", device.budget},
                               {"peak", device.stats.peak_held},
                               {"context", device.stats.context},
                               {"peak_allocated", device.stats.peak_allocated},
                               {"allocated", device.stats.allocated},
                               {"reserved", device.stats.reserved},
                               {"out_of_memory_count", device.stats.out_of_memory_count},
                               {"lost", device.lost}});
    nlohmann::ordered_json& errors = json["devices"].back()["errors"] = nlohmann::ordered_json::array();
    for (const MemoryInfo::DeviceError& error : device.errors)
      errors.push_back({{"text", error.text}, {"count", error.count}});
  }
  json["warnings"] = info.warnings;
  return json;
}

nlohmann::ordered_json ErrorJson(const Error& error) {
  return {{"stage", ToString(error.stage)}, {"code", ToString(error.code)}, {"message", error.message}};
}

nlohmann::ordered_json FailureJson(const std::string& path, const Error& error) {
  nlohmann::ordered_json json = {{"path", PrintablePath(path)}};
  json.update(ErrorJson(error));
  return json;
}

std::string JsonText(const nlohmann::ordered_json& document) {
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace imgmill
