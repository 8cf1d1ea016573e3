// Whether what a file was made from is as it was: for `imgmill verify --sources`.
#pragma once

#include <functional>
#include <string>

#include "provenance.h"

namespace imgmill {

/// Looks at the source of a file, at the side-car that it is a copy of, and, of a list of what was packed, at
/// all that is in the shards.
class SourceCheck {
 public:
  /// Told of a source that is changed or gone.
  /// @param path  of what was made from it
  using Tell = std::function<void(SourceState state, const std::string& path, const std::string& source)>;

  SourceCheck(FinishedWork& work, Tell tell) : work_(work), tell_(std::move(tell)) {}

  /// @param path  of a file that is as this work wrote it. Errors: those of reading, and the catalog's.
  Status Look(const std::string& path, const FoundWork& work);

 private:
  Status LookAt(const std::string& path, const std::string& source, const ContentDigest& content);
  Status LookAtSidecar(const std::string& path, const FoundWork& work);
  Status LookAtMembers(const std::string& list, const FoundWork& work);

  FinishedWork& work_;
  Tell tell_;
};

}  // namespace imgmill
