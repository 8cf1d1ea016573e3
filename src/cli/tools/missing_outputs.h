// Which outputs that a folder's record knows are not there, for `imgmill verify`.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/catalog/catalog.h"
#include "provenance.h"

namespace imgmill {

/// Of a look at an output folder that was stopped.
Error LookInterrupted();

/// Looks for the outputs of one folder, each by its name on record.
class MissingOutputs {
 public:
  struct Told {
    /// Of a path where a file was written, and none is.
    std::function<void(const std::string& path)> missing;
    /// Of a file that is there and that a listing of the folder's images does not have: it lies elsewhere, or
    /// is no image. `relative` is its name on record, or the path below the folder.
    std::function<Status(const std::string& relative, const std::string& path)> unlisted;
  };

  /// @param within  as CanonicalOrEntry gives it, a folder in it that alone is looked at; "" for all that was
  ///   written, in the folder or elsewhere
  MissingOutputs(ProvenanceFolder& folder, std::string within, Told told)
      : folder_(folder), within_(std::move(within)), told_(std::move(told)) {}

  /// Outputs that were written and are not there; where their folders are not noted, those count as there of
  /// whose name a step's folder has a file. And those that are no images, such as captions beside tiles,
  /// which the listing does not have. Errors: kInterrupted, those of the catalog and of `unlisted`.
  Status Look(const StopFlag& stop);

  /// The work whose outputs are missing.
  const std::vector<FoundWork>& works() const { return works_; }

 private:
  Result<bool> LookAtExports(const std::string& name);
  Result<std::vector<std::string>> FoldersOf(const FoundWork& work, const std::vector<FoundWork>& found);
  Result<bool> WasMoved(const FoundWork& work, const std::vector<std::string>& folders);
  Result<bool> LookWhereNoted(const std::string& name);
  Status LookInSteps(const std::string& name, const std::vector<std::string>& steps);

  bool IsAskedFor(const std::string& path) const;

  ProvenanceFolder& folder_;
  const std::string within_;
  Told told_;
  std::vector<FoundWork> works_;
};

}  // namespace imgmill
