// Samples into one LMDB database, as BasicSR and its descendants read it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/commands/pack.h"
#include "imgmill/engine/output_folder.h"
#include "members_list.h"
#include "sample_writer.h"
#include "tables/lmdb_writer.h"

namespace imgmill {

/// data.mdb, with each image's file under its key and each side-car's under its member name; meta_info.txt, a
/// line "NAME (HEIGHT,WIDTH,CHANNELS) 1" for each image; members.jsonl, as beside shards.
class LmdbSampleWriter final : public SampleWriter {
 public:
  /// As ShardWriter::MayOpen.
  static Status MayOpen(const PackOptions& options, const CommandServices& services);
  static Result<std::unique_ptr<LmdbSampleWriter>> Open(const PackOptions& options,
                                                        const CommandServices& services, Lost lost);

  /// What Held says where files have no more than a few MiB.
  static constexpr size_t kUsuallyHeld = LmdbWriter::kHeldBytes + kCopyBytes + (size_t{4} << 20);

  Footprint Held(uint64_t largest) const override;
  Status Add(ShardSample sample) override;
  Status Finish() override;
  bool HasSet() const override;
  std::vector<std::pair<std::string, std::string>> Lists() const override {
    std::vector<std::pair<std::string, std::string>> lists = MembersList::Files(options_);
    lists.insert(lists.begin(), {"meta_info", MetaInfoPath(options_)});
    return lists;
  }

 private:
  LmdbSampleWriter(const PackOptions& options, const CommandServices& services, Lost lost);
  static std::string MetaInfoPath(const PackOptions& options) { return options.output + "/meta_info.txt"; }
  /// @return those of samples_ that are in it
  Result<RecordTable<ShardSample>> WriteDatabase(const std::string& temporary);
  /// @return whether all of its files could be read
  Result<bool> Put(const ShardSample& sample, LmdbWriter& database, std::vector<char>& buffer);
  Status WriteLists(const RecordTable<ShardSample>& samples);

  const PackOptions& options_;
  const CommandServices& services_;
  const Lost lost_;
  const bool dry_;
  OutputFolder folder_;
  RecordTable<ShardSample> samples_;
  uint64_t bytes_ = 0;  ///< that they take in the file at most
};

}  // namespace imgmill
