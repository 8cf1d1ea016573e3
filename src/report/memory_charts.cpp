// Which curves and dots the memory page shows, and how far their axes go.
#include <algorithm>
#include <cstdint>

#include "base/counted.h"
#include "chart.h"
#include "imgmill/base/byte_size.h"
#include "memory_page_parts.h"

namespace imgmill {
namespace {

/// Rungs that can be pointed at one by one; more would make the page large for little.
constexpr size_t kMostMarks = 300;
/// A budget further above the curves than this would press them flat: it is named at the upper edge instead.
constexpr double kTallest = 4;

double Top(const MemoryHistory& history) {
  size_t top = std::max({history.resident.bytes, history.charged.bytes, history.leased.bytes});
  for (const MemoryMoment& moment : history.moments)
    top = std::max({top, moment.resident, moment.charged, moment.leased});
  return static_cast<double>(top);
}

double End(const StoredReport& report) {
  double end = 0;
  for (const MemoryMoment& moment : report.history.moments) end = std::max(end, moment.ms);
  for (const BatchRecord& batch : report.history.batches)
    end = std::max(end, batch.start_ms + batch.duration_ms);
  return end > 0 ? end : 1000 * report.seconds;
}

std::vector<Chart::Point> Points(const std::vector<MemoryMoment>& moments, size_t MemoryMoment::*level) {
  std::vector<Chart::Point> points;
  for (const MemoryMoment& moment : moments)
    points.push_back({moment.ms, static_cast<double>(moment.*level)});
  return points;
}

std::string Colour(size_t series) {
  return "s" + std::to_string(series);
}

std::string Shape(const BatchRecord& batch) {
  return std::to_string(batch.shape.n) + " × " + std::to_string(batch.shape.width) + " × " +
         std::to_string(batch.shape.height);
}

double Megapixels(const BatchRecord& batch) {
  return static_cast<double>(batch.shape.n) * static_cast<double>(batch.shape.width) *
         static_cast<double>(batch.shape.height) / 1e6;
}

/// Marks for what was short of memory. @return how many there are
size_t MarkRungs(const MemoryHistory& history, Chart& chart) {
  size_t marks = 0;
  for (const BatchRecord& batch : history.batches) {
    if (batch.rung == Rung::kNone) continue;  // an image that failed for another reason is none of these
    if (++marks > kMostMarks) continue;
    const bool off_plan = batch.rung >= Rung::kHalfBatch;
    chart.Mark(off_plan ? "severe" : "mild", {batch.start_ms, 0},
               std::string(batch.failed ? "failed, " : "") + std::string(ToString(batch.rung)) + ": " +
                   batch.work + " on " + batch.device + ", " + Shape(batch) + ", attempt " +
                   std::to_string(batch.attempts));
  }
  return marks;
}

}  // namespace

std::string MemoryOverTime(const StoredReport& report) {
  const MemoryHistory& history = report.history;
  if (history.moments.empty()) return {};
  const auto budget = static_cast<double>(report.memory.budget);
  const double top = Top(history);
  const bool far = budget > kTallest * top;
  Chart chart(ChartAxis::OfTime(End(report)), ChartAxis::OfBytes(far ? 1.25 * top : std::max(top, budget)));
  const auto resident = Points(history.moments, &MemoryMoment::resident);
  chart.Area("resident", resident);
  std::vector<double> clears;
  for (const ClearRecord& clear : history.clears) clears.push_back(clear.start_ms);
  chart.Stroke("clear", clears);
  if (!far) chart.Curve("budget", Points(history.moments, &MemoryMoment::budget));
  chart.Curve("leased", Points(history.moments, &MemoryMoment::leased));
  chart.Curve("charged", Points(history.moments, &MemoryMoment::charged));
  chart.Curve("resident", resident);
  const size_t rungs = MarkRungs(history, chart);
  if (history.resident.bytes > 0) {
    const Chart::Point peak = {history.resident.ms, static_cast<double>(history.resident.bytes)};
    const std::string text = "peak " + FormatByteSize(history.resident.bytes);
    chart.Mark("peak", peak, text);
    chart.Label("peak", peak, text);
  }
  const std::string budget_text = "budget " + FormatByteSize(report.memory.budget);
  if (far) chart.Label("budget", {0, chart.top()}, budget_text + ", above this chart");
  std::vector<std::pair<std::string, std::string>> legend = {
      {"resident", "resident: what the process holds"},
      {"charged", "charged: images and tensors, caches included"},
      {"leased", "leased: promised to images in work"},
      {"budget", budget_text}};
  if (!clears.empty()) legend.emplace_back("clear", "caches emptied");
  if (rungs > 0) {
    legend.emplace_back("mild", "tried again");
    legend.emplace_back("severe", "made smaller, moved to the CPU, or failed");
  }
  return chart.Html("memory", "Memory over time",
                    Counted(history.moments.size(), "moment") + " of the run" +
                        (far ? "." : "; the dashed line is the budget, which no other line may cross."),
                    legend, "time since the start", "bytes held");
}

std::string BatchesOverTime(const StoredReport& report) {
  const MemoryHistory& history = report.history;
  if (history.batches.empty()) return {};
  int64_t most = 0;
  double largest = 0;
  for (const BatchRecord& batch : history.batches) {
    most = std::max(most, batch.shape.n);
    largest = std::max(largest, Megapixels(batch));
  }
  const bool by_number = most > 1;
  Chart chart(ChartAxis::OfTime(End(report)),
              ChartAxis::OfNumbers(by_number ? static_cast<double>(most) : largest, by_number));
  std::vector<std::pair<std::string, std::string>> legend;
  size_t colour = 0;
  for (const WorkSeries& series : SeriesOf(history)) {
    std::vector<Chart::Point> points;
    std::vector<double> widths;
    for (const BatchRecord* batch : series.batches) {
      points.push_back(
          {batch->start_ms, by_number ? static_cast<double>(batch->shape.n) : Megapixels(*batch)});
      widths.push_back(batch->duration_ms);
    }
    chart.Dots(Colour(colour), points, widths);
    legend.emplace_back(Colour(colour++), series.name);
  }
  std::string text = Counted(history.batches_total, "batch", "batches");
  if (history.batches_total > history.batches.size())
    text += ", of which " + std::to_string(history.batches.size()) + " are drawn";
  text += "; each is as wide as the time it took. ";
  text += by_number ? "Their height is the number of images or tiles in them."
                    : "Each holds one image; its height is that image's size.";
  return chart.Html("batches", "Batch sizes over time", text, legend, "time since the start",
                    by_number ? "images in a batch" : "megapixels");
}

std::string PredictedAgainstActual(const StoredReport& report) {
  const MemoryHistory& history = report.history;
  const RunSummary summary = report.summary();
  const bool total = summary.total.batches > 0 && summary.total.batches * 2 >= summary.pooled.batches;
  const auto bytes_of = total ? &TotalOf : &PooledOf;
  size_t low = SIZE_MAX, high = 0;
  for (const BatchRecord& batch : history.batches) {
    const PredictedActual bytes = bytes_of(batch);
    if (bytes.actual == 0 || bytes.predicted == 0) continue;
    low = std::min({low, bytes.actual, bytes.predicted});
    high = std::max({high, bytes.actual, bytes.predicted});
  }
  if (high == 0) return {};
  const ChartAxis axis = ChartAxis::OfByteMagnitudes(static_cast<double>(low), static_cast<double>(high));
  Chart chart(axis, axis);
  chart.Curve("even", {{axis.ticks().front().at, axis.ticks().front().at}, {axis.high(), axis.high()}});
  std::vector<std::pair<std::string, std::string>> legend;
  size_t colour = 0;
  for (const WorkSeries& series : SeriesOf(history)) {
    std::vector<Chart::Point> points;
    for (const BatchRecord* batch : series.batches) {
      const PredictedActual bytes = bytes_of(*batch);
      if (bytes.actual > 0 && bytes.predicted > 0)
        points.push_back({static_cast<double>(bytes.predicted), static_cast<double>(bytes.actual)});
    }
    if (!points.empty()) legend.emplace_back(Colour(colour), series.name);
    chart.Dots(Colour(colour++), points);
  }
  legend.emplace_back("even", "as predicted");
  return chart.Html("prediction", "Predicted against actual",
                    std::string("Each dot is a batch: what it was given, and the most it took") +
                        (total ? ". " : ", of images and tensors alone. ") +
                        "Below the line it took less, above it more.",
                    legend, "bytes predicted", "bytes taken");
}

}  // namespace imgmill
