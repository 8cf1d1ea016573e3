// What happens to an image's partner, such as its low-resolution version, when something happens to the
// image.
#pragma once

#include <optional>
#include <string>

#include "imgmill/commands/command.h"
#include "imgmill/commands/pair_name_options.h"
#include "imgmill/commands/steps_before.h"
#include "imgmill/dataset/journal.h"
#include "imgmill/dataset/pair_index.h"

namespace imgmill {

class Flags;

/// What dedup and apply are told of partners.
struct PartnerFlags {
  std::string& pair;
  PairNameOptions& names;
  std::string& move_to;

  /// Declares --pair, --pair-name, --own-name and --pair-move-to.
  void Add(Flags& flags) const;
};
/// What is wrong with them beside these of `action` and `move_to`.
std::optional<std::string> CheckPartners(const std::string& pair, const PairNameOptions& names,
                                         const std::string& pair_move_to, const std::string& action,
                                         const std::string& move_to);
/// kUsage where the folders cannot be used so.
Status MayTakePartners(const std::string& pair, const std::string& pair_move_to, const ListOptions& list,
                       const StepsBefore& before);

class DedupPartners {
 public:
  /// Lists the folder of partners. kUsage where it is that of the images.
  static Result<DedupPartners> Read(const std::string& pair, const PairNameOptions& names,
                                    const std::string& move_to, const ItemSource& source,
                                    const CommandServices& services);

  /// The same action on the duplicate's partner. Where that, or the keeper's, is missing or is not clear, the
  /// error says so: the image is then to be left, too, or the pair would be parted.
  Result<FileAction> ActionOn(const FileAction& image, const ListedFile& duplicate, const ListedFile& keeper);

 private:
  DedupPartners(PairIndex index, std::string folder, std::string move_to)
      : index_(std::move(index)), folder_(std::move(folder)), move_to_(std::move(move_to)) {}

  PairIndex index_;
  std::string folder_;  ///< as given, without redundancy
  std::string move_to_;
};

}  // namespace imgmill
