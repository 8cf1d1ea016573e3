// What takes the samples that `pack` has put together: shards, or a database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/commands/command.h"
#include "pack_operation.h"

namespace imgmill {

/// Images of one key, and their side-cars.
struct ShardSample {
  std::string key;
  std::vector<PackedFile> files;  ///< by member, each once
  uint64_t listed = 0;            ///< of these, images that were listed: no partners, no side-cars

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.key), each(self.files), each(self.listed);
  }
};

class SampleWriter {
 public:
  /// Is told of a file that could not be packed; its whole sample is left out. An empty path: more images of
  /// the sample that it was told of.
  using Lost = std::function<void(const ShardSample& sample, const std::string& path, const Error& error)>;

  virtual ~SampleWriter() = default;
  /// What writing holds.
  /// @param largest  bytes of the largest file
  virtual Footprint Held(uint64_t largest) const = 0;
  virtual Status Add(ShardSample sample) = 0;
  /// What is not written yet, and the lists.
  virtual Status Finish() = 0;

  struct Totals {
    uint64_t shards = 0;           ///< or databases
    uint64_t finished = 0;         ///< of these, before this run
    uint64_t finished_listed = 0;  ///< images in those that were listed: no partners
    uint64_t samples = 0;
    uint64_t images = 0;  ///< partners among them
    uint64_t files = 0;   ///< these and side-cars
    uint64_t bytes = 0;   ///< of the shards
  };
  const Totals& totals() const { return totals_; }
  /// The files that a user begins with, under their names in JSON; the first is printed.
  virtual std::vector<std::pair<std::string, std::string>> Lists() const = 0;
  /// Whether the folder has samples of an earlier run that this one would replace.
  virtual bool HasSet() const = 0;
  /// Of an earlier run that are none of this one's, in order.
  virtual std::vector<std::string> Others() const { return {}; }
  /// After Finish, removes those of them that follow on this run's, as an earlier run wrote them; of a dry
  /// run counts them.
  virtual Result<uint64_t> Prune() { return uint64_t{0}; }

 protected:
  Totals totals_;
};

/// kConflict where the folder has `file`, which what is packed in the other format leaves: both have a
/// members.jsonl, and it tells of one of them.
Status IsOfOneFormat(const std::string& folder, const char* file, const char* what, bool overwrite);

/// Whether the folder has `file`, or a list of samples that is not empty.
bool HasSamples(const std::string& folder, const std::string& file);

inline constexpr size_t kCopyBytes = size_t{256} << 10;

/// In the place of a source's path.
inline constexpr char kPackedSource[] = "pack";

/// Shards and databases have no one source: they are filed under a digest of their members, so that a rerun
/// knows those that are finished.
Result<Item> ItemOfMembers(const RecordTable<ShardSample>& samples);

/// Hands on the bytes of a file whose content is known; other bytes are an error.
Status CopyContent(const PackedFile& file, std::span<char> buffer,
                   const std::function<Status(const char* data, size_t bytes)>& put);

/// What members.jsonl says of a sample.
nlohmann::ordered_json LineOf(const std::string& shard, const ShardSample& sample);

}  // namespace imgmill
