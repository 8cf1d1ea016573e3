// What lies beside shards and databases: the files of each sample, line by line, and its images as a table.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/pack.h"
#include "imgmill/memory/footprint.h"
#include "sample_writer.h"

namespace imgmill {

class MembersList {
 public:
  /// Their names in the JSON document, and their paths.
  static std::vector<std::pair<std::string, std::string>> Files(const PackOptions& options);
  /// What Create would refuse.
  static Status MayCreate(const PackOptions& options, const CommandServices& services);
  /// What one holds while samples are added.
  static Footprint Held(const PackOptions& options);
  /// The table of an earlier run, where this one writes none; empty if there is none.
  static std::string StaleTable(const PackOptions& options);

  static Result<std::unique_ptr<MembersList>> Create(const PackOptions& options,
                                                     const CommandServices& services);
  virtual ~MembersList() = default;
  /// Reads the sample's texts once more where there is a table of them.
  virtual Status Add(const std::string& shard, const ShardSample& sample) = 0;
  virtual Status Commit() = 0;
};

}  // namespace imgmill
