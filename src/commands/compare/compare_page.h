// Keeps the pictures of the worst pairs while the others come, and writes the page.
#pragma once

#include <string>

#include "compare_tables.h"
#include "imgmill/commands/command.h"

namespace imgmill {

class ComparePage {
 public:
  static constexpr size_t kMostPairs = 200;

  explicit ComparePage(const ComparePlan& plan) : plan_(plan), worst_(plan, kMostPairs) {}
  /// Each pair, in order.
  void Add(const PairEntry& entry, const PairPictureFiles& pictures);
  /// @param facts  lines under the heading
  Status Write(const std::string& file, const CompareSums& sums, const FailureTable& failed,
               const std::vector<std::string>& facts) const;

 private:
  struct Shown {
    PairEntry entry;
    std::string image, other, heat;

    template <typename Self, typename Each>
    static void EachField(Self& self, Each& each) {
      each(self.entry), each(self.image), each(self.other), each(self.heat);
    }
  };

  const ComparePlan& plan_;
  WorstPairs worst_;
  RecordTable<Shown> shown_;  ///< every pair that was among the worst when it came: on disk, however many
};

}  // namespace imgmill
