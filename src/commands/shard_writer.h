// One sample after another into shards: each is written whole, or found finished.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "growing_file.h"
#include "imgmill/commands/command.h"
#include "imgmill/commands/pack.h"
#include "imgmill/engine/output_folder.h"
#include "pack_operation.h"

namespace imgmill {

/// Images of one key, and their side-cars.
struct ShardSample {
  std::string key;
  std::vector<PackedFile> files;  ///< by member, each once

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.key), each(self.files);
  }
};

class ShardWriter {
 public:
  /// Is told of a file that could not be packed; its whole sample is left out.
  using Lost = std::function<void(const ShardSample&, const std::string& path, const Error&)>;

  /// What keeps it from beginning is said before any work: files in the folder that are not ours.
  static Result<std::unique_ptr<ShardWriter>> Open(const PackOptions& options,
                                                   const CommandServices& services, Lost lost);

  /// What writing holds.
  static Footprint Held();
  Status Add(ShardSample sample);
  /// The last shard, index.json and members.jsonl.
  Status Finish();

  struct Totals {
    uint64_t shards = 0;
    uint64_t finished = 0;  ///< of these, before this run
    uint64_t samples = 0;
    uint64_t images = 0;
    uint64_t files = 0;  ///< these and side-cars
    uint64_t bytes = 0;  ///< of the shards
  };
  const Totals& totals() const { return totals_; }
  std::string IndexPath() const { return options_.output + "/index.json"; }
  std::string MembersPath() const { return options_.output + "/members.jsonl"; }
  /// Tar files in the folder that are none of this run's, in order.
  std::vector<std::string> Others() const;

 private:
  ShardWriter(const PackOptions& options, const CommandServices& services, Lost lost);
  std::string NameOfShard(uint64_t number) const;
  Status WriteShard();
  /// @return those of pending_ that were packed
  Result<RecordTable<ShardSample>> WriteMembers(const std::string& temporary);
  Status Describe(const std::string& shard, const RecordTable<ShardSample>& samples);

  const PackOptions& options_;
  const CommandServices& services_;
  const Lost lost_;
  const bool dry_;
  const uint64_t most_bytes_;
  OutputFolder folder_;
  std::unique_ptr<GrowingFile> members_;  ///< null in a dry run
  nlohmann::ordered_json index_ = nlohmann::ordered_json::array();
  RecordTable<ShardSample> pending_;
  uint64_t pending_bytes_ = 0;
  Totals totals_;
};

}  // namespace imgmill
