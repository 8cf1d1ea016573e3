// `imgmill pack`: images and their side-cars into tar shards, as WebDataset reads them, or an LMDB database.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"

namespace imgmill {

class Flags;

/// What `imgmill pack` is asked to do.
struct PackOptions {
  /// Folder for the shards, index.json and members.jsonl.
  std::string output;

  /// "tar", shards for WebDataset; or "lmdb", one database whose keys are the images' names without their
  /// endings, as BasicSR reads it. The latter goes with group "image" and without pairs.
  std::string format = "tar";

  /// What a sample is: "image", each with its side-cars; or "prefix", all images whose names are the same up
  /// to the first dot, as WebDataset reads names.
  std::string group = "image";

  /// Folders of partners: the images there with the same path below the folder, whatever their extension, are
  /// members of the image's sample, under the folder's name. With group "image".
  std::vector<std::string> pairs;

  /// A shard ends before it would grow beyond this, as ParseByteSize reads it. A sample is never taken apart:
  /// one that is larger has a shard to itself.
  std::string shard_size = "1GiB";
  /// And before it has more samples than this, 1 or more.
  std::optional<int64_t> shard_samples;
  /// Shards are called PREFIX-000000.tar and so on.
  std::string prefix = "shard";

  /// Files beside an image that belong to its sample. Empty: captions and JSON. "none": none.
  std::vector<std::string> sidecars;

  /// What the lists beside them are: "jsonl", members.jsonl; or "parquet", members.parquet besides, a row for
  /// each image with its size and its caption.
  std::string metadata = "jsonl";

  /// Remove shards of earlier runs that are called as this run's would be, had it more of them: else they
  /// stay, and are named. With format "tar".
  bool prune = false;

  /// The first thing that is wrong, in words a user can act on; nothing when all is well.
  std::optional<std::string> Check() const;
};

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddPack(Flags& flags);

}  // namespace imgmill
