// One sample after another into shards: each is written whole, or found finished.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/pack.h"
#include "imgmill/engine/output_folder.h"
#include "members_list.h"
#include "sample_writer.h"

namespace imgmill {

class ShardWriter final : public SampleWriter {
 public:
  /// Whether files that are not ours keep it from beginning: asked before any work.
  static Status MayOpen(const PackOptions& options, const CommandServices& services);
  static Result<std::unique_ptr<ShardWriter>> Open(const PackOptions& options,
                                                   const CommandServices& services, Lost lost);

  Footprint Held(uint64_t largest) const override;
  Status Add(ShardSample sample) override;
  Status Finish() override;
  bool HasSet() const override { return HasSamples(options_.output, NameOfShard(0)); }
  std::vector<std::pair<std::string, std::string>> Lists() const override {
    std::vector<std::pair<std::string, std::string>> lists = MembersList::Files(options_);
    lists.insert(lists.begin(), {"index", IndexPath(options_)});
    return lists;
  }
  std::vector<std::string> Others() const override;
  Result<uint64_t> Prune() override;

 private:
  ShardWriter(const PackOptions& options, const CommandServices& services, Lost lost);
  static std::string IndexPath(const PackOptions& options) { return options.output + "/index.json"; }
  std::string NameOfShard(uint64_t number) const;
  /// Of a shard of this prefix.
  std::optional<uint64_t> NumberOf(const std::string& name) const;
  bool IsAsWritten(const std::string& name, std::vector<std::pair<WorkKey, WorkRow>>& rows) const;
  Status WriteShard();
  /// @return those of pending_ that were packed
  Result<RecordTable<ShardSample>> WriteMembers(const std::string& temporary, const std::string& path);
  Status Describe(const std::string& shard, const RecordTable<ShardSample>& samples, bool finished);

  const PackOptions& options_;
  const CommandServices& services_;
  const Lost lost_;
  const bool dry_;
  const uint64_t most_bytes_;
  OutputFolder folder_;
  std::unique_ptr<MembersList> members_;  ///< null in a dry run
  nlohmann::ordered_json index_ = nlohmann::ordered_json::array();
  RecordTable<ShardSample> pending_;
  uint64_t pending_bytes_ = 0;
};

}  // namespace imgmill
