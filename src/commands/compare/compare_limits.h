// What --metrics, --fail-below and --fail-above say.
#pragma once

#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/commands/compare.h"
#include "imgmill/metrics/pair_meter.h"

namespace imgmill {

/// "psnr=32" of --fail-below: pairs with less are findings.
struct CompareLimit {
  Metric metric = Metric::kPsnr;
  double number = 0;

  /// A metric without a value cannot show that it keeps the limit.
  bool BrokenBy(const PairFigures& figures) const;
  /// "psnr 28.312 is below 32"
  std::string Why(const PairFigures& figures) const;
};

struct ComparePlan {
  std::vector<Metric> columns;  ///< in the order in which they were asked for, and those of limits
  std::vector<CompareLimit> limits;
  bool align = false;

  MetricSet set() const;
  bool BrokenBy(const PairFigures& figures) const;
  /// There are limits, none of them looks at alpha, and there the two differ.
  bool MissesAlphaOf(const PairFigures& figures) const;
  /// The reasons of all limits that are broken.
  std::string Why(const PairFigures& figures) const;
  /// By the first column; larger is worse. Pairs without a value are no worst ones.
  double Badness(const PairFigures& figures) const;
};

/// kUsage for what is wrong, with the flag.
Result<ComparePlan> PlanOf(const CompareOptions& options);

/// Not of colours over white.
bool IsOfAlpha(Metric metric);

/// As tables show it: "32.123", "inf", and "-" for none.
std::string FigureText(Metric metric, double value);

}  // namespace imgmill
