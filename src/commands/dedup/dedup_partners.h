// What happens to an image's partner, such as its low-resolution version, when something happens to the
// image.
#pragma once

#include <optional>
#include <string>

#include "dedup_operation.h"
#include "imgmill/commands/dedup.h"
#include "imgmill/dataset/journal.h"
#include "imgmill/dataset/pair_index.h"

namespace imgmill {

class DedupPartners {
 public:
  /// Lists the folder of partners. kUsage where it is that of the images.
  static Result<DedupPartners> Read(const DedupOptions& options, const ItemSource& source,
                                    const CommandServices& services);

  /// The same action on the duplicate's partner. Where that, or the keeper's, is missing or is not clear, the
  /// error says so: the image is then to be left, too, or the pair would be parted.
  Result<FileAction> ActionOn(const FileAction& image, const DedupEntry& duplicate, const DedupEntry& keeper);

 private:
  DedupPartners(PairIndex index, std::string folder, std::string move_to)
      : index_(std::move(index)), folder_(std::move(folder)), move_to_(std::move(move_to)) {}

  PairIndex index_;
  std::string folder_;  ///< as given, without redundancy
  std::string move_to_;
};

}  // namespace imgmill
