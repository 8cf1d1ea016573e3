// Where items come from: a listing, or what an earlier step of a pipeline kept.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/dataset/listing.h"
#include "imgmill/dataset/record_table.h"

namespace imgmill {

class ItemSource {
 public:
  virtual ~ItemSource() = default;
  virtual std::optional<ListedFile> Next() = 0;
  /// What could not be listed; complete once Next has returned nothing.
  virtual std::vector<ListProblem> Problems() const { return {}; }
  /// Files in folders that are not images by name.
  virtual IgnoredFiles Ignored() const { return {}; }
  /// Whether this is what the user named, rather than what an earlier step left of it.
  virtual bool FromUser() const { return false; }
  /// How many there will be, 0 if unknown. For the progress line only.
  virtual uint64_t Expected() const { return 0; }
};

/// Folders, files and lists as the user gave them. `count` walks once ahead, so that progress can tell the
/// end.
Result<std::unique_ptr<ItemSource>> SourceFromListing(const ListOptions& options, bool count);

using FileTable = RecordTable<ListedFile>;

/// Files that a step before kept or wrote. Next throws where the table cannot be read.
std::unique_ptr<ItemSource> SourceFromFiles(const FileTable& files);

}  // namespace imgmill
