// Copies of an image's side-cars beside the one output that is made of it.
#pragma once

#include <string>
#include <vector>

#include "imgmill/dataset/sidecars.h"
#include "imgmill/engine/output_folder.h"

namespace imgmill {

/// The item as its image alone is filed: another caption is no reason to make the image anew.
Item WithoutSidecars(const Item& item);

/// Thread-safe.
class CopiedSidecars {
 public:
  /// @param patterns  as SidecarFinder takes them
  CopiedSidecars(const std::vector<std::string>& patterns, OutputFolder& folder)
      : finder_(patterns), folder_(folder) {}

  const SidecarFinder& finder() const { return finder_; }
  /// Below the output folder, beside the item's output: "a/photo.txt" beside "a/photo.png".
  static std::vector<std::string> NamesOf(const Item& item, const std::string& output);

  /// What Copy would refuse, as OutputFolder::MayWrite.
  Status MayCopy(const Item& item, const std::string& output);
  /// Whether Copy would have nothing to do.
  Result<bool> AreThere(const Item& item, const std::string& output);
  /// Those that are not there yet. A copy that somebody has edited since stays, as long as the side-car is
  /// the one that it was copied from.
  /// @param edited  gets the names of such copies
  Status Copy(const Item& item, const std::string& output, std::vector<std::string>& edited);

 private:
  bool IsEdited(const Item& item, const std::string& name);
  Status CopyOne(const Item& item, const SourceFile& sidecar, const std::string& name);

  const SidecarFinder finder_;
  OutputFolder& folder_;
};

}  // namespace imgmill
