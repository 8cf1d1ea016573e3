// What compare says of its pairs: lines for a terminal, fields of the JSON document, a CSV file.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "compare_limits.h"
#include "compare_operation.h"
#include "imgmill/base/text_sink.h"
#include "imgmill/report/json_object.h"

namespace imgmill {

/// Over all pairs.
struct CompareSums {
  void Add(const ComparePlan& plan, const PairEntry& entry);
  /// Of the pairs with a finite value; NaN where there is none.
  double Mean(Metric metric) const;

  uint64_t pairs = 0;
  uint64_t equal = 0;
  uint64_t other_alpha = 0;  ///< pairs whose alpha differs
  uint64_t broken = 0;       ///< pairs that break a limit
  uint64_t not_aligned = 0;  ///< pairs of which no reliable shift was found
  std::array<double, kMetrics> sums{};
  std::array<uint64_t, kMetrics> finite{};
};

/// Rows of the worst pairs, at most `most`, the worst first; of equally bad ones the first listed.
class WorstPairs {
 public:
  WorstPairs(const ComparePlan& plan, size_t most) : plan_(plan), most_(most) {}
  /// Whether it is among the worst so far.
  bool Add(uint64_t row, const PairFigures& figures);
  std::vector<uint64_t> Rows() const;

 private:
  struct Ranked {
    double badness;
    uint64_t row;
    bool operator<(const Ranked& other) const {  // worse first
      return badness != other.badness ? badness > other.badness : row < other.row;
    }
  };
  const ComparePlan& plan_;
  size_t most_;
  std::vector<Ranked> worst_;  ///< a heap with the least bad one in front
};

/// What the columns of colours do not show: "alpha differs by up to 12.00".
std::string AlphaText(const PairFigures& figures);

/// All pairs if they are few, else the worst; then the means, and the pairs that break a limit.
TextWriter PairsText(const PairTable& pairs, const ComparePlan& plan, const CompareSums& sums);
/// "compared", "equal", "alpha_differs", "broken", "mean", "pairs".
void AddPairs(JsonObject& details, const PairTable& pairs, const ComparePlan& plan, const CompareSums& sums);
/// The fields of one pair.
JsonObject PairJson(const PairEntry& entry, const ComparePlan& plan);
TextWriter PairsCsv(const PairTable& pairs, const ComparePlan& plan);

}  // namespace imgmill
