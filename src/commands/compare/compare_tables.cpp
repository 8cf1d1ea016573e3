// Rows are made while they are written, from the table of pairs.
#include "compare_tables.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/try.h"
#include "commands/csv_cell.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

constexpr size_t kMostShown = 20;
constexpr size_t kWorstShown = 10;
constexpr size_t kColumn = 10;

std::string Right(std::string text, size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string Line(const ComparePlan& plan, const std::function<std::string(Metric)>& cell,
                 const std::string& end) {
  std::string line;
  for (const Metric metric : plan.columns) line += Right(cell(metric), kColumn);
  return line + (end.empty() ? "" : "  " + end) + "\n";
}

std::string PairName(const PairEntry& entry) {
  std::string name = PrintablePath(entry.file.path);
  const Shift& shift = entry.measured.shift;
  if (shift.dx != 0 || shift.dy != 0)
    name += "  (shifted by " + std::to_string(shift.dx) + ", " + std::to_string(shift.dy) + ")";
  if (!shift.reliable) name += "  (no reliable shift found)";
  if (entry.measured.figures.alpha_differs()) name += "  (" + AlphaText(entry.measured.figures) + ")";
  return name;
}

/// Infinite and missing numbers have no place in JSON.
nlohmann::ordered_json NumberOrNull(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

std::string Exact(double value) {
  if (std::isnan(value)) return {};
  if (std::isinf(value)) return "inf";
  char text[32];
  const auto [end, problem] = std::to_chars(text, text + sizeof text, value);
  return problem == std::errc() ? std::string(text, end) : std::string();
}

}  // namespace

std::string AlphaText(const PairFigures& figures) {
  return "alpha differs by up to " + FigureText(Metric::kAlphaMax, figures[Metric::kAlphaMax]);
}

void CompareSums::Add(const ComparePlan& plan, const PairEntry& entry) {
  const PairFigures& figures = entry.measured.figures;
  ++pairs;
  equal += figures.equal ? 1 : 0;
  other_alpha += figures.alpha_differs() ? 1 : 0;
  broken += plan.BrokenBy(figures) ? 1 : 0;
  not_aligned += entry.measured.shift.reliable ? 0 : 1;
  for (size_t m = 0; m < kMetrics; ++m) {
    if (!std::isfinite(figures.values[m])) continue;
    sums[m] += figures.values[m];
    ++finite[m];
  }
}

double CompareSums::Mean(Metric metric) const {
  const auto m = static_cast<size_t>(metric);
  return finite[m] > 0 ? sums[m] / static_cast<double>(finite[m]) : std::numeric_limits<double>::quiet_NaN();
}

bool WorstPairs::Add(uint64_t row, const PairFigures& figures) {
  const Ranked ranked{plan_.Badness(figures), row};
  if (worst_.size() == most_) {
    if (!(ranked < worst_.front())) return false;
    std::pop_heap(worst_.begin(), worst_.end());
    worst_.pop_back();
  }
  worst_.push_back(ranked);
  std::push_heap(worst_.begin(), worst_.end());
  return true;
}

std::vector<uint64_t> WorstPairs::Rows() const {
  std::vector<Ranked> sorted = worst_;
  std::sort(sorted.begin(), sorted.end());
  std::vector<uint64_t> rows;
  for (const Ranked& each : sorted) rows.push_back(each.row);
  return rows;
}

TextWriter PairsText(const PairTable& pairs, const ComparePlan& plan, const CompareSums& sums) {
  return [pairs, plan, sums](const TextSink& put) -> Status {
    if (sums.pairs == 0) return {};
    const auto head = [](Metric metric) { return std::string(InfoOf(metric).name); };
    const auto line_of = [&](const PairEntry& entry) {
      const PairFigures& figures = entry.measured.figures;
      return Line(
          plan, [&](Metric metric) { return FigureText(metric, figures[metric]); }, PairName(entry));
    };
    if (sums.pairs <= kMostShown) {
      TRY(put(Line(plan, head, "")));
      TRY(pairs.ForEach([&](const PairEntry& entry) { return put(line_of(entry)); }));
    } else {
      WorstPairs worst(plan, kWorstShown);
      uint64_t row = 0;
      TRY(pairs.ForEach([&](const PairEntry& entry) {
        worst.Add(row++, entry.measured.figures);
        return Status();
      }));
      TRY(put(Line(plan, head,
                   "the worst " + std::to_string(kWorstShown) + " by " + head(plan.columns.front()))));
      for (const uint64_t each : worst.Rows()) {
        const PairEntry entry = TRY(pairs.At(each));
        TRY(put(line_of(entry)));
      }
    }
    std::string of = "mean of " + Counted(sums.pairs, "pair");
    if (sums.equal > 0) of += ", " + std::to_string(sums.equal) + " equal (left out of the mean PSNR)";
    TRY(put(Line(
        plan, [&](Metric metric) { return FigureText(metric, sums.Mean(metric)); }, of)));
    if (plan.limits.empty()) return {};
    return pairs.ForEach([&](const PairEntry& entry) -> Status {
      const PairFigures& figures = entry.measured.figures;
      if (!plan.BrokenBy(figures)) return {};
      return put("fails " + PrintablePath(entry.file.path) + "  (" + plan.Why(figures) + ")\n");
    });
  };
}

JsonObject PairJson(const PairEntry& entry, const ComparePlan& plan) {
  const MeasuredPair& measured = entry.measured;
  const PairFigures& figures = measured.figures;
  JsonObject pair;
  pair["path"] = PrintablePath(entry.file.path);
  pair["partner"] = PrintablePath(entry.partner);
  pair["width"] = measured.width;
  pair["height"] = measured.height;
  pair["equal"] = figures.equal;
  for (const Metric metric : plan.columns) pair[InfoOf(metric).field] = NumberOrNull(figures[metric]);
  if (figures.has_alpha) {
    pair["alpha_mae"] = figures[Metric::kAlphaMae];
    pair["alpha_max"] = figures[Metric::kAlphaMax];
  }
  const Shift& shift = measured.shift;
  if (plan.align)
    pair["shift"] = {{"x", shift.dx},
                     {"y", shift.dy},
                     {"exact_x", shift.exact_x},
                     {"exact_y", shift.exact_y},
                     {"reliable", shift.reliable}};
  if (plan.BrokenBy(figures)) pair["fails"] = plan.Why(figures);
  return pair;
}

void AddPairs(JsonObject& details, const PairTable& pairs, const ComparePlan& plan, const CompareSums& sums) {
  nlohmann::ordered_json mean = nlohmann::ordered_json::object();
  for (const Metric metric : plan.columns)
    mean[std::string(InfoOf(metric).field)] = NumberOrNull(sums.Mean(metric));
  details["compared"] = sums.pairs;
  details["equal"] = sums.equal;
  details["alpha_differs"] = sums.other_alpha;
  details["broken"] = sums.broken;
  if (plan.align) details["not_aligned"] = sums.not_aligned;
  details["mean"] = std::move(mean);
  details.SetRows("pairs", [pairs, plan](JsonElements& elements) {
    return pairs.ForEach([&](const PairEntry& entry) { return elements.Put(PairJson(entry, plan)); });
  });
}

TextWriter PairsCsv(const PairTable& pairs, const ComparePlan& plan) {
  return [pairs, plan](const TextSink& put) -> Status {
    std::string head = "path,partner,width,height,equal";
    for (const Metric metric : plan.columns)
      if (!IsOfAlpha(metric)) head += "," + std::string(InfoOf(metric).field);
    TRY(put(head + ",alpha_mae,alpha_max,shift_x,shift_y,shift_reliable,fails\n"));
    return pairs.ForEach([&](const PairEntry& entry) {
      const MeasuredPair& measured = entry.measured;
      const PairFigures& figures = measured.figures;
      std::string row = CsvCell(PrintablePath(entry.file.path)) + "," +
                        CsvCell(PrintablePath(entry.partner)) + "," + std::to_string(measured.width) + "," +
                        std::to_string(measured.height) + "," + (figures.equal ? "1" : "0");
      for (const Metric metric : plan.columns)
        if (!IsOfAlpha(metric)) row += "," + Exact(figures[metric]);
      for (const Metric metric : {Metric::kAlphaMae, Metric::kAlphaMax})
        row += "," + (figures.has_alpha ? Exact(figures[metric]) : std::string());
      row += "," + std::to_string(measured.shift.dx) + "," + std::to_string(measured.shift.dy);
      row += plan.align ? (measured.shift.reliable ? ",1" : ",0") : ",";
      return put(row + "," + CsvCell(plan.Why(figures)) + "\n");
    });
  };
}

}  // namespace imgmill
