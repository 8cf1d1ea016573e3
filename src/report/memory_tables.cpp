// The memory page's figures in words and tables.
#include <algorithm>
#include <map>
#include <vector>

#include "base/counted.h"
#include "imgmill/base/byte_size.h"
#include "memory_page_parts.h"
#include "page_parts.h"

namespace imgmill {
namespace {

/// A bar of 0..1 of a cell's width, with its percentage.
std::string Bar(double share, bool warn) {
  const double drawn = std::clamp(share, 0.0, 1.0);
  return "<span class=\"share\"><span class=\"bar" + std::string(warn ? " warn" : "") +
         "\"><i style=\"width:" + std::to_string(static_cast<int>(100 * drawn + 0.5)) + "%\"></i></span> " +
         PercentText(share) + "</span>";
}

std::string Row(const std::string& name, const std::string& value) {
  return "<tr><td>" + name + "</td><td>" + value + "</td></tr>\n";
}

std::string ErrorsRow(const std::string& name, const PredictionErrors& errors) {
  if (errors.batches == 0) return {};
  return Row(name, "off by " + PercentText(errors.median) + " (median), " + PercentText(errors.p95) +
                       " (95 of 100), at worst " + PercentText(errors.worst_underestimate) + " too low; " +
                       Counted(errors.batches, "batch", "batches"));
}

std::string FailureRows(const std::vector<StoredFailure>& failures) {
  std::string html;
  for (const StoredFailure& failure : failures) {
    html += "<li><b>" + Breakable(failure.path) + "</b> <span class=\"tag\">" + Escaped(failure.code) +
            "</span> cannot " + Escaped(failure.stage) + ": " + Breakable(failure.message) + "</li>\n";
  }
  return html;
}

std::string FailureList(const std::string& id, const std::string& title,
                        const std::vector<StoredFailure>& failures, uint64_t total) {
  if (total == 0) return {};
  std::string html = "<details id=\"" + id + "\"" + (total <= 20 ? " open" : "") + "><summary>" +
                     CountHtml(id + "-total", total) + " " + title + "</summary>\n<ul class=\"troubles\">\n" +
                     FailureRows(failures) + "</ul>";
  if (total > failures.size())
    html += "<p class=\"facts\">" + std::to_string(total - failures.size()) +
            " more are in the report, not on this page.</p>";
  return html + "</details>\n";
}

}  // namespace

std::string SummaryTable(const StoredReport& report) {
  const MemoryInfo& memory = report.memory;
  const RunSummary summary = report.summary();
  const PoolFigures& host = summary.pools.front();
  const double peak_share =
      host.budget > 0 ? static_cast<double>(host.peak) / static_cast<double>(host.budget) : 0;
  std::string html = "<section><h2>Summary</h2><table id=\"summary\" class=\"pairs\">\n";
  html += Row("budget", BytesHtml("budget", memory.budget) + ", by " + Escaped(memory.budget_source));
  html += Row("peak resident", BytesHtml("peak-resident", host.peak) + ", " +
                                   Bar(peak_share, peak_share > 1) + " of the budget");
  html += Row("program, libraries, weights", BytesHtml("fixed", memory.fixed));
  html += Row("most leased at once", BytesHtml("peak-leased", memory.peak_leased));
  html += Row("most not accounted for", BytesHtml("peak-unexplained", memory.peak_unexplained));
  if (memory.peak_unavailable > 0)
    html += Row("taken by others during the run", BytesHtml("peak-unavailable", memory.peak_unavailable));
  html += Row("leases", CountHtml("leases", memory.leases_granted) + " granted, " +
                            CountHtml("leases-waited", memory.leases_waited) + " had to wait");
  if (report.has_history) {
    html += Row("batches", CountHtml("batches", summary.batches) + ", " +
                               CountHtml("batches-failed", summary.failed) + " of them failed");
    html += ErrorsRow("predictions", summary.total);
    html += ErrorsRow("predictions, in pools", summary.pooled);
  }
  html += Row("caches emptied", CountHtml("clears", memory.clears) + " times in " +
                                    DurationText(memory.clear_ms / 1000) + ", " +
                                    PercentText(summary.clear_share) + " of the run");
  return html + "</table></section>\n";
}

std::string PoolsTable(const StoredReport& report) {
  std::string html =
      "<section><h2>Pools</h2><div class=\"wide\"><table "
      "id=\"pools\">\n<tr><th>pool</th><th>budget</th><th>peak</th>"
      "<th>at the end</th><th>peak of the budget</th></tr>\n";
  for (const PoolFigures& pool : report.summary().pools) {
    const double share =
        pool.budget > 0 ? static_cast<double>(pool.peak) / static_cast<double>(pool.budget) : 0;
    html += "<tr><td>" + Escaped(pool.name) + "</td><td>" + BytesHtml("pool-budget", pool.budget) +
            "</td><td>" + BytesHtml("pool-peak", pool.peak) + "</td><td>" + BytesHtml("pool-now", pool.now) +
            "</td><td>" + Bar(share, share > 1) + "</td></tr>\n";
  }
  return html + "</table></div></section>\n";
}

std::string DeviceErrorsTable(const StoredReport& report) {
  std::string rows;
  for (const MemoryInfo::NamedDevice& device : report.memory.devices) {
    for (const MemoryInfo::DeviceError& error : device.errors) {
      rows += "<tr><td>" + Escaped(device.name) + "</td><td>" + Escaped(error.text) + "</td><td>" +
              CountHtml("device-error", error.count) + "</td></tr>\n";
    }
  }
  if (rows.empty()) return {};
  return "<section><h2>Errors of devices</h2><div class=\"wide\"><table id=\"device-errors\">\n"
         "<tr><th>device</th><th>what it said</th><th>times</th></tr>\n" +
         rows + "</table></div></section>\n";
}

std::string RungsTable(const StoredReport& report) {
  static const std::map<Rung, const char*> kMeaning = {
      {Rung::kNone, "succeeded at once"},
      {Rung::kSameSize, "caches emptied, tried again"},
      {Rung::kFewerInFlight, "alone on its device"},
      {Rung::kHalfBatch, "fewer at once: last bits may differ"},
      {Rung::kHalfTile, "smaller tiles: last bits may differ"},
      {Rung::kCpu, "in host memory: last bits may differ"},
      {Rung::kRecordedFailure, "given up, and listed"},
  };
  const MemoryHistory& history = report.history;
  std::string html = "<section><h2>Rungs</h2><div class=\"wide\"><table id=\"rungs\">\n<tr><th>rung</th>" +
                     std::string(report.has_history ? "<th>batches</th>" : "") + "<th>times taken</th>" +
                     (report.has_history ? "<th>share of batches</th>" : "<th></th>") + "</tr>\n";
  for (const auto& [rung, meaning] : kMeaning) {
    const auto index = static_cast<size_t>(rung);
    if (rung == Rung::kNone && !report.has_history) continue;
    const uint64_t batches = history.batches_by_rung[index];
    const double share = history.batches_total > 0
                             ? static_cast<double>(batches) / static_cast<double>(history.batches_total)
                             : 0;
    html += "<tr><td>" + std::string(ToString(rung)) + "<small>" + meaning + "</small></td>";
    if (report.has_history) html += "<td>" + CountHtml("rung-batches", batches) + "</td>";
    html += "<td>" + (rung == Rung::kNone ? "" : CountHtml("rung-times", report.memory.rungs[index])) +
            "</td><td>" + (report.has_history ? Bar(share, rung >= Rung::kHalfBatch && batches > 0) : "") +
            "</td></tr>\n";
  }
  return html + "</table></div></section>\n";
}

std::string WorkTable(const StoredReport& report) {
  if (report.history.batches.empty()) return {};
  std::string html =
      "<section><h2>Work</h2><div class=\"wide\"><table id=\"work\">\n<tr><th>work</th><th>batches</th>"
      "<th>largest</th><th>most predicted</th><th>most in pools</th><th>time in all</th><th></th></tr>\n";
  for (const WorkSeries& series : SeriesOf(report.history)) {
    const BatchRecord* largest = series.batches.front();
    const auto pixels = [](const BatchRecord& batch) {
      return static_cast<double>(batch.shape.n) * static_cast<double>(batch.shape.width) *
             static_cast<double>(batch.shape.height);
    };
    size_t predicted = 0, pooled = 0;
    double ms = 0;
    for (const BatchRecord* batch : series.batches) {
      if (pixels(*batch) > pixels(*largest)) largest = batch;
      predicted = std::max(predicted, batch->predicted.total());
      pooled = std::max(pooled, batch->pooled_peak);
      ms += batch->duration_ms;
    }
    html += "<tr><td>" + Escaped(series.name) + "</td><td>" + std::to_string(series.batches.size()) +
            "</td><td>" + std::to_string(largest->shape.n) + " × " + std::to_string(largest->shape.width) +
            " × " + std::to_string(largest->shape.height) + "</td><td>" + FormatByteSize(predicted) +
            "</td><td>" + FormatByteSize(pooled) + "</td><td>" + DurationText(ms / 1000) +
            "</td><td></td></tr>\n";
  }
  return html + "</table></div></section>\n";
}

std::string StepsTable(const StoredReport& report) {
  if (report.steps.empty()) return {};
  std::string html =
      "<section><h2>Steps</h2><div class=\"wide\"><table "
      "id=\"steps\">\n<tr><th>step</th><th>listed</th><th>kept</th>"
      "<th>dropped</th><th>failed</th><th></th></tr>\n";
  for (const StoredStep& step : report.steps) {
    const uint64_t left = step.listed - std::min(step.listed, step.kept + step.dropped);
    html += "<tr><td>" + Escaped(step.name) + "</td>";
    for (const uint64_t count : {step.listed, step.kept, step.dropped, left})
      html += "<td>" + std::to_string(count) + "</td>";
    html += "<td></td></tr>\n";
  }
  return html + "</table></div></section>\n";
}

std::string Troubles(const StoredReport& report) {
  std::string html;
  if (report.error)
    html += "<p class=\"alert\" id=\"error\"><b>The run ended with an error</b> (" +
            Escaped(report.error->code) + "): " + Breakable(report.error->message) + "</p>\n";
  if (!report.memory.warnings.empty()) {
    html += "<ul class=\"alert mild\" id=\"warnings\">\n";
    for (const std::string& warning : report.memory.warnings) html += "<li>" + Breakable(warning) + "</li>\n";
    html += "</ul>\n";
  }
  return html +
         FailureList("failures", report.failed_total == 1 ? "image failed" : "images failed", report.failed,
                     report.failed_total) +
         FailureList("action-failures", "files could not be moved, copied, linked or deleted",
                     report.action_failed, report.action_failed_total);
}

}  // namespace imgmill
