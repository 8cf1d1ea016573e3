// Names of metrics and numbers, checked before any image is read.
#include "compare_limits.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/try.h"
#include "base/usage_error.h"
#include "commands/choice.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

std::vector<std::string> Names(bool with_all) {
  std::vector<std::string> names;
  for (const MetricInfo& info : AllMetrics()) names.emplace_back(info.name);
  if (with_all) names.emplace_back("all");
  return names;
}

Result<Metric> ParseMetric(const char* flag, const std::string& name, bool with_all) {
  if (const auto metric = MetricFromName(name)) return *metric;
  return UsageError(*CheckChoice(flag, PrintablePath(name), Names(with_all)));
}

Result<CompareLimit> ParseLimit(const std::string& text, bool below) {
  const char* flag = below ? "--fail-below" : "--fail-above";
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return UsageError(std::string(flag) + " takes NAME=NUMBER, such as " + (below ? "psnr=32" : "mae=2") +
                      ", not \"" + PrintablePath(text) + "\"");
  }
  CompareLimit limit;
  limit.metric = TRY(ParseMetric(flag, text.substr(0, equals), /*with_all=*/false));
  const MetricInfo& info = InfoOf(limit.metric);
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data() + equals + 1, end, limit.number);
  if (problem != std::errc() || stop != end || !std::isfinite(limit.number)) {
    return UsageError(std::string(flag) + " " + std::string(info.name) + "= takes a number, not \"" +
                      PrintablePath(text.substr(equals + 1)) + "\"");
  }
  if (info.more_is_better != below) {
    return UsageError(std::string(flag) + " " + PrintablePath(text) + ": of " + std::string(info.name) +
                      (below ? " less is better (use --fail-above)" : " more is better (use --fail-below)"));
  }
  return limit;
}

std::string Plain(double number) {
  char text[32];
  const auto [end, problem] = std::to_chars(text, text + sizeof text, number);
  return problem == std::errc() ? std::string(text, end) : std::string();
}

void AddOnce(std::vector<Metric>& columns, Metric metric) {
  if (std::find(columns.begin(), columns.end(), metric) == columns.end()) columns.push_back(metric);
}

bool LooksAtAlpha(const CompareLimit& limit) {
  return IsOfAlpha(limit.metric);
}

/// Alpha is samples, too: the largest or mean error that is allowed of colours is allowed of it, unless it
/// has limits of its own.
void AddImpliedLimits(std::vector<CompareLimit>& limits) {
  if (std::any_of(limits.begin(), limits.end(), LooksAtAlpha)) return;
  for (size_t i = 0, given = limits.size(); i < given; ++i) {
    const CompareLimit limit = limits[i];
    if (limit.metric == Metric::kMax) limits.push_back({Metric::kAlphaMax, limit.number});
    if (limit.metric == Metric::kMae) limits.push_back({Metric::kAlphaMae, limit.number});
  }
}

}  // namespace

bool CompareLimit::BrokenBy(const PairFigures& figures) const {
  const double value = figures[metric];
  return !(InfoOf(metric).more_is_better ? value >= number : value <= number);
}

std::string CompareLimit::Why(const PairFigures& figures) const {
  const MetricInfo& info = InfoOf(metric);
  const std::string name(info.name);
  const double value = figures[metric];
  if (std::isnan(value)) return "no " + name + ", the images are too small";
  return name + " " + FigureText(metric, value) + (info.more_is_better ? " is below " : " is above ") +
         Plain(number);
}

MetricSet ComparePlan::set() const {
  MetricSet metrics;
  for (const Metric metric : columns) metrics.Add(metric);
  return metrics;
}

bool ComparePlan::BrokenBy(const PairFigures& figures) const {
  return std::any_of(limits.begin(), limits.end(),
                     [&](const CompareLimit& limit) { return limit.BrokenBy(figures); });
}

bool ComparePlan::MissesAlphaOf(const PairFigures& figures) const {
  return figures.alpha_differs() && !limits.empty() &&
         std::none_of(limits.begin(), limits.end(), LooksAtAlpha);
}

std::string ComparePlan::Why(const PairFigures& figures) const {
  std::string why;
  for (const CompareLimit& limit : limits) {
    if (limit.BrokenBy(figures)) why += (why.empty() ? "" : "; ") + limit.Why(figures);
  }
  return why;
}

double ComparePlan::Badness(const PairFigures& figures) const {
  const Metric metric = columns.front();
  const double value = figures[metric];
  if (std::isnan(value)) return -std::numeric_limits<double>::infinity();
  return InfoOf(metric).more_is_better ? -value : value;
}

Result<ComparePlan> PlanOf(const CompareOptions& options) {
  ComparePlan plan;
  plan.align = options.align;
  for (const std::string& name : options.metrics) {
    if (name == "all") {
      for (const MetricInfo& info : AllMetrics()) {
        if (!info.by_network && !IsOfAlpha(info.metric)) AddOnce(plan.columns, info.metric);
      }
      continue;
    }
    const Metric metric = TRY(ParseMetric("--metrics", name, /*with_all=*/true));
    AddOnce(plan.columns, metric);
  }
  if (plan.columns.empty()) return UsageError("--metrics takes at least one name");
  for (const bool below : {true, false}) {
    for (const std::string& text : below ? options.fail_below : options.fail_above) {
      const CompareLimit limit = TRY(ParseLimit(text, below));
      plan.limits.push_back(limit);
      AddOnce(plan.columns, limit.metric);
    }
  }
  AddImpliedLimits(plan.limits);
  if (options.lpips.empty()) {
    if (plan.set().Has(Metric::kLpips))
      return UsageError("lpips is measured by a network: give its --lpips FILE");
  } else {
    AddOnce(plan.columns, Metric::kLpips);
  }
  return plan;
}

bool IsOfAlpha(Metric metric) {
  return metric == Metric::kAlphaMae || metric == Metric::kAlphaMax;
}

std::string FigureText(Metric metric, double value) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return "inf";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", InfoOf(metric).decimals, value);
  return text;
}

}  // namespace imgmill
