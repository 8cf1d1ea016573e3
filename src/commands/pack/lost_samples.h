// Samples that are not in what was packed: their images are not done.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "imgmill/commands/command.h"
#include "sample_writer.h"

namespace imgmill {

class LostSamples {
 public:
  /// As SampleWriter::Lost.
  void Add(const ShardSample& sample, const std::string& path, const Error& error);

  uint64_t samples() const { return reasons_.size(); }
  /// Whether a listed image was to be in one of them.
  bool Has(const ListedFile& image) const { return indexes_.contains(static_cast<int64_t>(image.index)); }

  /// Tells of each sample, and counts their images, which were done so far, as failed.
  Status CountAsFailed(const CommandServices& services, CommandResult& result) const;

 private:
  struct LostImage {
    int64_t index = 0;
    FailedItem failure;

    template <typename Self, typename Each>
    static void EachField(Self& self, Each& each) {
      each(self.index), each(self.failure);
    }
  };

  FailureTable reasons_;  ///< one for each, with the file that is the reason
  RecordTable<LostImage> images_;
  std::set<int64_t> indexes_;
};

}  // namespace imgmill
