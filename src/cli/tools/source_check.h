// Whether what a file was made from is as it was: for `imgmill verify --sources`.
#pragma once

#include <functional>
#include <string>

#include "imgmill/base/stop_flag.h"
#include "provenance.h"

namespace imgmill {

/// Looks at the source of a file, at the side-car that it is a copy of, and, of a list of what was packed, at
/// all that is in the shards.
class SourceCheck {
 public:
  /// Told of a source that is changed, gone, or not readable.
  /// @param path  of what was made from it
  using Tell = std::function<void(const Result<SourceState>& state, const std::string& path,
                                  const std::string& source)>;

  SourceCheck(FinishedWork& work, const StopFlag& stop, Tell tell)
      : work_(work), stop_(stop), tell_(std::move(tell)) {}

  /// @param path  of a file that is as this work wrote it. Errors: the catalog's, those of reading a list of
  /// what was packed, and kInterrupted.
  Status Look(const std::string& path, const FoundWork& work);

 private:
  /// Whether an action has moved it to where it is now as it was.
  Result<bool> IsWhereMoved(const std::string& source, const ContentDigest& content);
  Status LookAt(const std::string& path, const std::string& source, const ContentDigest& content);
  void TellIfBad(const Result<SourceState>& state, const std::string& path, const std::string& source);
  Status LookAtSidecar(const std::string& path, const FoundWork& work);
  Status LookAtMembers(const std::string& list, const FoundWork& work);

  FinishedWork& work_;
  const StopFlag& stop_;
  Tell tell_;
};

}  // namespace imgmill
